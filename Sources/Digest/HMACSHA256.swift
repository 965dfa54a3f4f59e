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

    /// Whether two codes are the same, in a time that does not tell how far they are.
    package static func isEqual(_ one: [UInt8], _ other: [UInt8]) -> Bool {
        one.count == other.count && CRYPTO_memcmp(one, other, one.count) == 0
    }
}
