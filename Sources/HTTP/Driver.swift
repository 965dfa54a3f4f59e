internal import Glibc
internal import Synchronization

/// The way into the driving thread: an inbox, and libcurl's wake-up call.
final class Driver: Sendable {
    enum Command: Sendable {
        case start(Transfer)
        /// A direction is not paused any more.
        case resume(Transfer)
        /// The outcome is known: stop, and close the connection if it is in mid-request.
        case drop(Transfer)
    }

    private struct Inbox {
        var commands: [Command] = []
        /// Wakes the thread; nil before it runs and after it ended.
        ///
        /// Called with the lock held, and cleared under it: else the thread could free the multi
        /// handle between the look and the call.
        var wake: (@Sendable () -> Void)?
        var isStopping = false
        var hasEnded = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    private let inbox = Mutex(Inbox())

    /// From any thread. After the end it does nothing, but for a `start`, which fails.
    func post(_ command: Command) {
        let isRefused = inbox.withLock { inbox in
            if inbox.isStopping { return true }
            let isFirst = inbox.commands.isEmpty
            inbox.commands.append(command)
            if isFirst { inbox.wake?() }
            return false
        }
        if isRefused, case .start(let transfer) = command {
            transfer.settle { .failed(.closed($0)) }
        }
    }

    /// Tells the thread to end; does not wait.
    func stop() {
        inbox.withLock { inbox in
            inbox.isStopping = true
            inbox.wake?()
        }
    }

    /// Returns when the thread has closed everything.
    func awaitEnd() async {
        await withCheckedContinuation { continuation in
            let hasEnded = inbox.withLock { inbox in
                if !inbox.hasEnded { inbox.waiters.append(continuation) }
                return inbox.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }

    // MARK: On the driving thread

    func didBegin(wake: @escaping @Sendable () -> Void) {
        inbox.withLock { $0.wake = wake }
    }

    /// No wake-up call comes after this.
    func willEnd() {
        inbox.withLock { inbox in
            inbox.isStopping = true
            inbox.wake = nil
        }
    }

    func didEnd() {
        let waiters = inbox.withLock { inbox in
            inbox.hasEnded = true
            defer { inbox.waiters = [] }
            return inbox.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    func take() -> (commands: [Command], isStopping: Bool) {
        inbox.withLock { inbox in
            defer { inbox.commands = [] }
            return (inbox.commands, inbox.isStopping)
        }
    }
}

/// Runs `body` on a thread of its own, with every signal blocked; returns the error number, 0 if it
/// runs.
///
/// Signals belong to the program's other threads; and a write to a connection that is gone raises
/// SIGPIPE, which would end the process, wherever a TLS library writes for itself.
func startThread(_ body: @escaping @Sendable () -> Void) -> Int32 {
    final class Start: Sendable {
        let body: @Sendable () -> Void
        init(body: @escaping @Sendable () -> Void) { self.body = body }
    }
    let start = Unmanaged.passRetained(Start(body: body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { context in
            guard let context else { return nil }
            let start = Unmanaged<Start>.fromOpaque(context).takeRetainedValue()
            var signals = sigset_t()
            sigfillset(&signals)
            pthread_sigmask(SIG_BLOCK, &signals, nil)
            start.body()
            return nil
        }, start.toOpaque())
    if code == 0 { pthread_detach(thread) } else { start.release() }
    return code
}
