internal import Foundation
internal import Synchronization

/// Whether the process was asked to stop, by SIGTERM or Ctrl-C.
///
/// The first signal cancels the work at hand, which then gives back what it holds. A second one, or
/// the end of the grace period, ends the process at once.
final class StopRequest: Sendable {
    private struct State {
        var signal: Int32?
        var cancel: (@Sendable () -> Void)?
        var situation = ""
        /// How long the work at hand may go on after the request.
        var finishingSeconds = 0
    }

    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "stop")
    private let graceSeconds: Int

    init(graceSeconds: Int) {
        self.graceSeconds = graceSeconds
    }

    /// Listens to signals while `body` runs.
    static func listening<Result>(
        graceSeconds: Int, _ body: (StopRequest) async throws -> Result
    ) async throws -> Result {
        let request = StopRequest(graceSeconds: graceSeconds)
        let sources = [SIGTERM, SIGINT].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: request.queue)
            source.setEventHandler { request.received(number) }
            source.resume()
            return source
        }
        defer {
            for source in sources { source.cancel() }
            for number in [SIGTERM, SIGINT] { signal(number, SIG_DFL) }
        }
        return try await body(request)
    }

    /// The name of the signal that asked.
    var signalName: String? {
        state.withLock { $0.signal.map(Self.name) }
    }

    var isRequested: Bool { state.withLock { $0.signal != nil } }

    /// What is true if the process ends at once.
    func note(situation: String) {
        state.withLock { $0.situation = situation }
    }

    /// From now on what is at hand may be finished, for so long after a request to stop.
    func allowFinishing(seconds: Int) {
        state.withLock { $0.finishingSeconds = seconds }
    }

    /// Runs `body`, and cancels it when a stop is requested: at once, unless it may finish something.
    func cancelling<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        // Before the work begins, which may allow more at once.
        state.withLock { $0.finishingSeconds = 0 }
        let work = Task { try await body() }
        let isRequested = state.withLock { state in
            state.cancel = { work.cancel() }
            return state.signal != nil
        }
        defer { state.withLock { $0.cancel = nil } }
        if isRequested { work.cancel() }
        return try await withTaskCancellationHandler {
            try await work.value
        } onCancel: {
            work.cancel()
        }
    }

    /// The same, and cancels it at the deadline, too.
    ///
    /// - Parameter late: what is thrown then.
    func cancelling<Result: Sendable>(
        at deadline: ContinuousClock.Instant, or late: Failure,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await cancelling {
            try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask { try await body() }
                group.addTask {
                    try await Task.sleep(until: deadline)
                    return nil
                }
                defer { group.cancelAll() }
                if let result = try await group.next() ?? nil { return result }
                throw late
            }
        }
    }

    private func received(_ number: Int32) {
        let (isFirst, cancel, seconds) = state.withLock { state in
            defer { if state.signal == nil { state.signal = number } }
            return (state.signal == nil, state.cancel, state.finishingSeconds)
        }
        guard isFirst else { return endAtOnce(number) }
        if let cancel, seconds > 0 {
            queue.asyncAfter(deadline: .now() + .seconds(seconds), execute: cancel)
        } else {
            cancel?()
        }
        queue.asyncAfter(deadline: .now() + .seconds(graceSeconds)) { [self] in endAtOnce(number) }
    }

    /// As if nobody had listened.
    private func endAtOnce(_ number: Int32) {
        let situation = state.withLock { $0.situation }
        writeText("jobs: \(Self.name(number)): ended at once. \(situation)\n", to: STDERR_FILENO)
        signal(number, SIG_DFL)
        kill(getpid(), number)
    }

    private static func name(_ number: Int32) -> String {
        number == SIGINT ? "SIGINT" : "SIGTERM"
    }
}
