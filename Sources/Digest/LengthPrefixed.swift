/// Texts as bytes that no other texts make: each with its length before it, 8 bytes, the highest first.
///
/// What is hashed must not depend on where one part ends and the next begins.
package func lengthPrefixed(_ parts: [String]) -> [UInt8] {
    var bytes: [UInt8] = []
    for part in parts {
        withUnsafeBytes(of: UInt64(part.utf8.count).bigEndian) { bytes += $0 }
        bytes += part.utf8
    }
    return bytes
}
