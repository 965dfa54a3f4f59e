internal import CLibcrypto

/// SHA-256 (FIPS 180-4) by libcrypto.
package enum SHA256 {
    package static func hash(_ bytes: [UInt8]) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        CLibcrypto.SHA256(bytes, bytes.count, &digest)
        return digest
    }

    /// 64 lowercase hexadecimal digits.
    package static func hex(_ bytes: [UInt8]) -> String {
        hexadecimal(hash(bytes))
    }
}

/// SHA-256 of bytes that arrive in pieces.
package final class SHA256Stream {
    private let context: OpaquePointer

    package init() {
        guard let context = EVP_MD_CTX_new() else { preconditionFailure("out of memory") }
        self.context = context
        precondition(EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1)
    }

    deinit { EVP_MD_CTX_free(context) }

    package func update(_ bytes: [UInt8]) {
        precondition(EVP_DigestUpdate(context, bytes, bytes.count) == 1)
    }

    /// 64 lowercase hexadecimal digits. Called once, at the end.
    package func hex() -> String {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        precondition(EVP_DigestFinal_ex(context, &digest, nil) == 1)
        return hexadecimal(digest)
    }
}

package func hexadecimal(_ bytes: [UInt8]) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(2 * bytes.count)
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

private let digits = Array("0123456789abcdef".utf8)
