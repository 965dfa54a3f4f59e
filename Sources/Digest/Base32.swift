/// RFC 4648 base 32 in lower case and without padding: safe in keys, file names and URLs.
package func base32(_ bytes: some Sequence<UInt8>) -> String {
    var text: [UInt8] = []
    var (buffer, bits): (UInt32, Int) = (0, 0)
    for byte in bytes {
        buffer = buffer << 8 | UInt32(byte)
        bits += 8
        while bits >= 5 {
            bits -= 5
            text.append(alphabet[Int(buffer >> UInt32(bits) & 31)])
        }
        buffer &= (1 << UInt32(bits)) - 1
    }
    if bits > 0 { text.append(alphabet[Int(buffer << UInt32(5 - bits) & 31)]) }
    return String(decoding: text, as: UTF8.self)
}

private let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
