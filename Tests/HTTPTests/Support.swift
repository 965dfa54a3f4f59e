import Foundation
import Synchronization

/// The most memory this process ever had, in bytes (`VmHWM`).
func peakMemoryBytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1_024
}

/// A source that gives these chunks, one a call.
func supply(_ chunks: [[UInt8]]) -> @Sendable () async throws -> [UInt8]? {
    let next = Mutex(0)
    return {
        next.withLock { index in
            guard index < chunks.count else { return nil }
            index += 1
            return chunks[index - 1]
        }
    }
}

/// A folder that is gone when the value is.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "http-tests-" + UUID().uuidString
        try? FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// By the gzip program, which also checks the sum and the length at the end.
func unpacked(_ bytes: [UInt8]) throws -> [UInt8] {
    try run(["gzip", "-dc"], input: bytes)
}

func packed(_ bytes: [UInt8]) throws -> [UInt8] {
    try run(["gzip", "-c"], input: bytes)
}

/// Bytes that do not pack (SplitMix64).
func noise(_ count: Int) -> [UInt8] {
    var state: UInt64 = 1
    return (0..<count).map { _ in
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return UInt8(truncatingIfNeeded: word >> 31)
    }
}

/// What a test compares instead of large bodies: a failed comparison of arrays looks for their
/// differences, which takes hours for megabytes.
struct Digest: Equatable {
    let count: Int
    let hash: UInt64

    /// FNV-1a, 64 bits.
    init(_ bytes: [UInt8]) {
        count = bytes.count
        hash = bytes.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
