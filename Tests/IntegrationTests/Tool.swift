import Foundation
import Testing

/// A program of the system: `systemd-analyze`, `promtool`.
enum Tool {
    struct Result {
        let status: Int32
        let output: String
        let errors: String
    }

    /// Runs it to its end, in UTC.
    static func run(_ name: String, _ arguments: String...) async throws -> Result {
        try await run(name, arguments)
    }

    static func run(_ name: String, _ arguments: [String]) async throws -> Result {
        let process = Process()
        let (output, errors) = (Pipe(), Pipe())
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["TZ=UTC", "LC_ALL=C.UTF-8", name] + arguments
        process.standardOutput = output
        process.standardError = errors
        try process.run()
        let result: Result = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                // What these say fits into a pipe.
                let text = output.fileHandleForReading.readDataToEndOfFile()
                let errors = errors.fileHandleForReading.readDataToEndOfFile()
                process.waitUntilExit()
                continuation.resume(
                    returning: Result(
                        status: process.terminationStatus,
                        output: String(decoding: text, as: UTF8.self),
                        errors: String(decoding: errors, as: UTF8.self)))
            }
        }
        try #require(result.status != 127, "\(name) is not there: dev/install.sh test")
        return result
    }
}
