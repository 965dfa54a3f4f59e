internal import CLibcrypto

/// HMAC (RFC 2104) with SHA-256, by libcrypto.
package enum HMACSHA256 {
    package static func authenticate(_ message: [UInt8], key: [UInt8]) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        var count = UInt32(code.count)
        let result = HMAC(
            EVP_sha256(), key, Int32(key.count), message, message.count, &code, &count)
        precondition(result != nil && count == UInt32(code.count), "no memory for an HMAC")
        return code
    }
}
