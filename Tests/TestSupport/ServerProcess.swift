internal import Foundation
internal import Glibc
package import HTTP
package import StripeSimulation
internal import Synchronization

/// The built program `stripe-simulator`, on a port of its own.
package final class ServerProcess: Sendable {
    package let url: String
    private let client: HTTPClient
    private let id: pid_t
    private let hasEnded = Mutex(false)

    package struct DidNotStart: Error {}

    /// Beside the tests: they depend on it, so it was built with them.
    static let executable: String = {
        let program =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let places = [program] + CommandLine.arguments.filter { $0.contains(".xctest") }
        return places.map { URL(filePath: $0).deletingLastPathComponent().path }
            .map { $0 + "/stripe-simulator" }
            .first { FileManager.default.isExecutableFile(atPath: $0) }
            ?? "stripe-simulator was not built beside the tests"
    }()

    /// Returns once the program listens.
    package init(_ arguments: [String] = []) throws {
        client = try HTTPClient()
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw DidNotStart() }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let (reading, writing) = (ends[0], ends[1])
        defer { close(reading) }
        do {
            defer { close(writing) }
            id = try Self.spawn(["--port", "0"] + arguments, output: writing, errors: "/dev/null")
        }
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(reading, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        let text = String(decoding: line, as: UTF8.self)
        guard let start = text.range(of: "http://") else {
            waitpid(id, nil, 0)
            throw DidNotStart()
        }
        url = String(text[start.lowerBound...])
    }

    deinit { end(SIGKILL) }

    /// Runs the program to its end, and gives its exit code and what it said.
    package static func run(_ arguments: [String]) throws -> (status: Int32, text: String) {
        let file = TemporaryFile()
        let output = open(file.path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        defer { close(output) }
        let id = try spawn(arguments, output: output, errors: file.path)
        var status: Int32 = 0
        waitpid(id, &status, 0)
        return (status >> 8 & 0xFF, file.text)
    }

    private static func spawn(
        _ arguments: [String], output: Int32, errors: String
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_APPEND, 0)
        // No signal blocked, which the program would inherit from the thread that runs the test.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        // Ended after ten minutes in any case, and with the tests.
        let words = ["timeout", "--foreground", "-s", "KILL", "600", executable] + arguments
        var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for pointer in pointers { free(pointer) } }
        var id = pid_t()
        guard posix_spawnp(&id, "timeout", &actions, &attributes, &pointers, environ) == 0 else {
            throw DidNotStart()
        }
        return id
    }

    /// Ends the program with a signal, and gives its exit code; -1 if the signal killed it.
    @discardableResult
    package func end(_ signal: Int32) -> Int32 {
        hasEnded.withLock { hasEnded in
            if hasEnded { return -1 }
            hasEnded = true
            // What `timeout` started, which hands no SIGKILL on; it ends as its child does.
            for child in Self.children(of: id) { kill(child, signal) }
            var status: Int32 = 0
            waitpid(id, &status, 0)
            return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
        }
    }

    private static func children(of id: pid_t) -> [pid_t] {
        let list = try? String(contentsOfFile: "/proc/\(id)/task/\(id)/children", encoding: .utf8)
        return (list ?? "").split(separator: " ").compactMap { pid_t($0) }
    }

    package func send(
        _ method: String, _ path: String, _ body: String = "", key: String? = nil,
        totalSeconds: Double = 30
    ) async throws -> (status: Int, json: JSONValue, headers: HTTPHeaders) {
        var headers: HTTPHeaders = ["Authorization": "Bearer sk_test_simulator"]
        headers["Idempotency-Key"] = key
        var request = HTTPRequest(
            method: method, url: url + path, headers: headers,
            body: body.isEmpty ? .none : .bytes(Array(body.utf8)), isRepeatable: false)
        request.timeouts.totalSeconds = totalSeconds
        let response = try await client.send(request)
        return (response.status, (try? JSONValue(response.body)) ?? .null, response.headers)
    }
}
