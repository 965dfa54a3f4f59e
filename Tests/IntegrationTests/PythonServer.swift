import Foundation
import Glibc
import Testing

/// A server of ours in Python, with the packages of the local stack. It says in its first line that it is
/// ready.
final class PythonServer: Sendable {
    /// What it printed first.
    let firstLine: String
    private let output: String
    private let process: Process

    /// - Parameters:
    ///   - script: from the project's root.
    ///   - output: the file for what it prints.
    init(_ script: String, _ arguments: [String], output: String) async throws {
        let state = getenv("METERFLOW_STATE").map { String(cString: $0) } ?? "/var/tmp/meterflow"
        let python = state + "/venv/bin/python"
        try #require(
            FileManager.default.isExecutableFile(atPath: python),
            "\(python) is not there: dev/install.sh stack, and METERFLOW_STATE")
        self.output = output
        try Data().write(to: URL(filePath: output))
        process = Process()
        process.executableURL = URL(filePath: python)
        let path = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../\(script)").standardizedFileURL.path
        process.arguments = ["-u", "-B", path] + arguments
        process.standardOutput = try FileHandle(forWritingTo: URL(filePath: output))
        let errors = output + "-errors"
        try Data().write(to: URL(filePath: errors))
        process.standardError = try FileHandle(forWritingTo: URL(filePath: errors))
        try process.run()
        let deadline = ContinuousClock.now + .seconds(60)
        var text = ""
        while !text.contains("\n") {
            try #require(
                process.isRunning && ContinuousClock.now < deadline,
                "\(script): \((try? String(contentsOfFile: errors, encoding: .utf8)) ?? "")")
            text = (try? String(contentsOfFile: output, encoding: .utf8)) ?? ""
            await Task.yield()
        }
        firstLine = String(text.prefix { $0 != "\n" })
    }

    /// It inherits the signals that the test's thread blocks.
    deinit { kill(process.processIdentifier, SIGKILL) }

    /// What it printed since.
    func lines() throws -> [Substring] {
        try String(contentsOfFile: output, encoding: .utf8).split(separator: "\n").dropFirst() + []
    }

    /// Ends it, and waits until it is gone.
    func end() async {
        kill(process.processIdentifier, SIGKILL)
        await offThePool { [process] in process.waitUntilExit() }
    }
}
