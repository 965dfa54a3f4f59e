import Digest
import Testing

struct Base32Tests {
    // RFC 4648 section 10, in lower case and without the padding.
    @Test(arguments: [
        ("", ""), ("f", "my"), ("fo", "mzxq"), ("foo", "mzxw6"), ("foob", "mzxw6yq"),
        ("fooba", "mzxw6ytb"), ("foobar", "mzxw6ytboi"),
    ])
    func `the vectors of RFC 4648 hold`(text: String, encoded: String) {
        #expect(base32(text.utf8) == encoded)
    }

    @Test func `all bits, none, and every letter come out`() {
        #expect(base32([0xFF, 0xFF, 0xFF, 0xFF, 0xFF]) == "77777777")
        #expect(base32([0, 0, 0, 0, 0]) == "aaaaaaaa")
        let bytes: [UInt8] = [
            0x00, 0x44, 0x32, 0x14, 0xC7, 0x42, 0x54, 0xB6, 0x35, 0xCF, 0x84, 0x65, 0x3A, 0x56,
            0xD7,
            0xC6, 0x75, 0xBE, 0x77, 0xDF,
        ]
        #expect(base32(bytes) == "abcdefghijklmnopqrstuvwxyz234567")
    }

    /// The bits of the text, five a letter, are the bits of the bytes and then zeros.
    @Test func `the bits of the text are those of the bytes`() {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567")
        var generator = SplitMix64(seed: 40)
        for count in 0..<200 {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let text = base32(bytes)
            #expect(text.count == (count * 8 + 4) / 5)
            let letters = text.compactMap { alphabet.firstIndex(of: $0) }
            let bits = letters.flatMap { letter in (0..<5).map { letter >> (4 - $0) & 1 } }
            let expected = bytes.flatMap { byte in (0..<8).map { Int(byte >> (7 - $0) & 1) } }
            #expect(Array(bits.prefix(expected.count)) == expected)
            #expect(bits.dropFirst(expected.count).allSatisfy { $0 == 0 })
        }
    }
}

struct SHA256Tests {
    // FIPS 180-4, and NIST's examples of it.
    static let vectors: [(text: String, digest: String)] = [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
                + "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
        ),
    ]

    @Test(arguments: vectors)
    func `the vectors of FIPS 180-4 hold`(text: String, digest: String) {
        #expect(SHA256.hex(Array(text.utf8)) == digest)
        #expect(hexadecimal(SHA256.hash(Array(text.utf8))) == digest)
    }

    @Test func `a million times the letter a`() {
        let digest = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        let stream = SHA256Stream()
        let thousand = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        for _ in 0..<1000 { stream.update(thousand) }
        #expect(stream.hex() == digest)
        #expect(SHA256.hex(Array(repeating: UInt8(ascii: "a"), count: 1_000_000)) == digest)
    }

    @Test func `bytes in pieces make the digest of the whole`() {
        var generator = SplitMix64(seed: 41)
        for length in [0, 1, 55, 56, 63, 64, 65, 127, 128, 1000, 4099] {
            let bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &generator) }
            let stream = SHA256Stream()
            var rest = bytes[...]
            while !rest.isEmpty {
                let size = Int.random(in: 0...80, using: &generator)
                stream.update(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            #expect(stream.hex() == SHA256.hex(bytes))
        }
    }

    @Test func `hexadecimal digits are lower case, two a byte`() {
        #expect(hexadecimal([]).isEmpty)
        #expect(hexadecimal([0x00, 0x0F, 0xA0, 0xFF]) == "000fa0ff")
    }
}
