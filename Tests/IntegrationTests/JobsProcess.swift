import Foundation
import Glibc
import Synchronization

/// One run of the built program `jobs`, in a folder and an environment of its own.
///
/// Its output goes to files, so that nothing waits for a reader. Whoever starts one awaits `result()`.
final class JobsProcess: Sendable {
    /// What the program reads from standard input.
    enum Input {
        case nothing
        case file(String)
    }

    /// Who reads standard output.
    enum Reader {
        /// All of it is kept.
        case everything
        /// Takes one line, as `head -1` does, and goes away.
        case oneLine
        /// Is gone before the program starts.
        case nobody
        /// A disk on which there is no room.
        case fullDisk
    }

    struct Result: Sendable {
        /// The exit code; `nil` if a signal ended the program.
        let status: Int32?
        let signal: Int32?
        let output: String
        let errors: String
    }

    let id: pid_t
    private let output: String
    private let errors: String
    /// The program holds the other end for as long as it lives.
    private let lifeline: Int32
    /// The end that takes one line.
    private let lineSource: Int32?
    private let isOver = Mutex(false)

    /// Beside the tests: they depend on it, so it was built with them.
    static let executable: String = {
        let program =
            (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        let places = [program] + CommandLine.arguments.filter { $0.contains(".xctest") }
        let folders = places.map { URL(filePath: $0).deletingLastPathComponent().path }
        return folders.map { $0 + "/jobs" }.first {
            FileManager.default.isExecutableFile(atPath: $0)
        }
            ?? "jobs was not built beside the tests"
    }()

    init(
        _ arguments: [String], environment: [String: String], folder: String,
        input: Input = .nothing, reader: Reader = .everything,
        program: String = executable
    ) throws {
        let name = "\(folder)/.\(UUID().uuidString)"
        (output, errors) = (name + ".out", name + ".err")
        let source = if case .file(let path) = input { path } else { "/dev/null" }
        let words = ["/usr/bin/env", "-C", folder, program] + arguments
        let child = try Self.spawning.withLock { [output, errors] _ in
            try Self.spawn(words, environment, source, output, errors, reader)
        }
        (id, lifeline) = (child.id, child.lifeline)
        lineSource = child.lineSource
    }

    private static func spawn(
        _ words: [String], _ environment: [String: String], _ source: String, _ output: String,
        _ errors: String, _ reader: Reader
    ) throws -> (id: pid_t, lifeline: Int32, lineSource: Int32?) {
        let life = try Pipe()
        defer { close(life.write) }
        let stdout = reader == .oneLine || reader == .nobody ? try Pipe() : nil
        defer { if let stdout { close(stdout.write) } }
        if reader == .nobody, let stdout { close(stdout.read) }

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, source, O_RDONLY, 0)
        if let stdout {
            posix_spawn_file_actions_adddup2(&actions, stdout.write, 1)
        } else {
            let path = reader == .fullDisk ? "/dev/full" : output
            posix_spawn_file_actions_addopen(&actions, 1, path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        }
        posix_spawn_file_actions_addopen(&actions, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_adddup2(&actions, life.write, 3)
        var id = pid_t()
        let code = withCStrings(words) { words in
            withCStrings(environment.map { "\($0.key)=\($0.value)" }) { variables in
                posix_spawn(&id, words[0]!, &actions, nil, words, variables)
            }
        }
        guard code == 0 else { throw SpawnError(number: code) }
        return (id, life.read, reader == .oneLine ? stdout?.read : nil)
    }

    /// One at a time: a pipe must not slip into a child that is not its own.
    private static let spawning = Mutex(())

    deinit {
        kill()
        isOver.withLock { isOver in
            guard !isOver else { return }
            waitpid(id, nil, 0)
            close(lifeline)
        }
    }

    /// SIGKILL, and waits until the program is gone; nothing happens if it has ended.
    ///
    /// The signal alone does not say that: on a busy machine a thread may go on for a while.
    func kill() {
        send(SIGKILL)
        awaitChange(WEXITED)
    }

    /// SIGSTOP, and waits until no thread of the program runs.
    func pause() {
        send(SIGSTOP)
        awaitChange(WSTOPPED | WEXITED)
    }

    private func awaitChange(_ events: Int32) {
        isOver.withLock { isOver in
            var info = siginfo_t()
            guard !isOver else { return }
            while waitid(P_PID, id_t(id), &info, events | WNOWAIT) == -1 && errno == EINTR {}
        }
    }

    func send(_ signal: Int32) {
        isOver.withLock { isOver in
            if !isOver { _ = Glibc.kill(id, signal) }
        }
    }

    var isRunning: Bool { !awaitEnd(milliseconds: 0) }

    /// Lets the program live for a time, or to its own end.
    func live(milliseconds: Int) async {
        _ = await offThePool { self.awaitEnd(milliseconds: milliseconds) }
    }

    /// Waits for the program's end.
    ///
    /// - Throws: if that takes longer than `patience`; the program is killed then.
    func result() async throws -> Result {
        let hasEnded = await offThePool {
            if let source = self.lineSource { Self.readLine(from: source, into: self.output) }
            return self.awaitEnd(milliseconds: Int(patience / .milliseconds(1)))
        }
        if !hasEnded { kill() }
        let status = isOver.withLock { isOver in
            var status: Int32 = 0
            waitpid(id, &status, 0)
            close(lifeline)
            isOver = true
            return status
        }
        guard hasEnded else { throw HangingProcess() }
        let signal = status & 0x7F
        return Result(
            status: signal == 0 ? status >> 8 & 0xFF : nil, signal: signal == 0 ? nil : signal,
            output: try Self.text(output), errors: try Self.text(errors))
    }

    /// - Returns: whether the program has ended.
    private func awaitEnd(milliseconds: Int) -> Bool {
        var event = pollfd(fd: lifeline, events: Int16(POLLIN), revents: 0)
        let deadline = ContinuousClock.now + .milliseconds(milliseconds)
        while true {
            let rest = (deadline - .now) / .milliseconds(1)
            let count = poll(&event, 1, Int32(max(rest.rounded(.up), 0)))
            if count != -1 || errno != EINTR { return count == 1 }
        }
    }

    // MARK: The system's calls

    /// Both ends are closed in children, unless they are given to one.
    private struct Pipe {
        let read: Int32
        let write: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            guard pipe(&ends) == 0 else { throw SpawnError(number: errno) }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            (read, write) = (ends[0], ends[1])
        }
    }

    private static func readLine(from descriptor: Int32, into path: String) {
        var line: [UInt8] = []
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) == 1, byte != UInt8(ascii: "\n") { line.append(byte) }
        close(descriptor)
        try? Data(line).write(to: URL(filePath: path))
    }

    private static func withCStrings<R>(
        _ texts: [String], _ body: ([UnsafeMutablePointer<CChar>?]) -> R
    ) -> R {
        let words = texts.map { strdup($0) }
        defer { for word in words { free(word) } }
        return body(words + [nil])
    }

    private static func text(_ path: String) throws -> String {
        guard FileManager.default.fileExists(atPath: path) else { return "" }
        return String(decoding: try Data(contentsOf: URL(filePath: path)), as: UTF8.self)
    }
}

/// How long tests wait for what must come. It takes as long only when something is broken.
let patience = Duration.seconds(180)

/// Runs what blocks on a thread of its own, away from the threads that tests run on.
func offThePool<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
    await withCheckedContinuation { continuation in
        Thread.detachNewThread { continuation.resume(returning: body()) }
    }
}

struct SpawnError: Error {
    let number: Int32
}

struct HangingProcess: Error {}
