import Foundation
import Glibc
import Synchronization

/// A program beside the tests; it ends with the value, and after two minutes in any case.
final class ChildProcess: Sendable {
    private let id: pid_t
    private let hasEnded = Mutex(false)

    /// Both streams of output go to `output`, a file.
    init(_ command: [String], input: String = "/dev/null", output: String) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, input, O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
        // A group of its own, so that the program ends together with what it started; and no signal
        // blocked, which it would inherit from the thread that runs the test.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK))
        // Nothing of ours: a child that outlives the tests would hold their files and locks.
        for number in 3..<min(4_096, Int32(clamping: sysconf(Int32(_SC_OPEN_MAX)))) {
            posix_spawn_file_actions_addclose(&actions, number)
        }
        var words: [UnsafeMutablePointer<CChar>?] = (["timeout", "--foreground", "120"] + command)
            .map { strdup($0) }
        defer { for word in words { free(word) } }
        words.append(nil)
        var id = pid_t()
        let code = posix_spawnp(&id, "timeout", &actions, &attributes, words, environ)
        guard code == 0 else { throw SystemError(number: code) }
        self.id = id
    }

    deinit {
        end()
    }

    /// Kills the program unless it has ended.
    func end() {
        hasEnded.withLock { hasEnded in
            if hasEnded { return }
            kill(-id, SIGKILL)
            hasEnded = true
            waitpid(id, nil, 0)
        }
    }

    /// Waits for the program's own end and gives its exit status; -1 if a signal ended it.
    func awaitExit() -> Int32 {
        hasEnded.withLock { hasEnded in
            var status: Int32 = 0
            waitpid(id, &status, 0)
            hasEnded = true
            return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
        }
    }
}

/// Runs a program, feeds it, and gives what it printed; throws if it fails.
func run(_ command: [String], input: [UInt8] = []) throws -> [UInt8] {
    struct Failed: Error {
        let command: [String]
        let status: Int32
    }
    let folder = TemporaryFolder()
    let (source, result) = (folder.path + "/in", folder.path + "/out")
    try Data(input).write(to: URL(filePath: source))
    let status = try ChildProcess(command, input: source, output: result).awaitExit()
    guard status == 0 else { throw Failed(command: command, status: status) }
    return Array(try Data(contentsOf: URL(filePath: result)))
}

/// A port that was free a moment ago.
func freePort() throws -> UInt16 {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    return try bindToLoopback(listener)
}

/// Returns once somebody listens on the port; throws after ten seconds.
func awaitListener(on port: UInt16) throws {
    for _ in 1...1_000 {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(connection) }
        if connect(connection, toLoopbackPort: port) { return }
        poll(nil, 0, 10)
    }
    throw SystemError(number: ETIMEDOUT)
}
