internal import Synchronization

/// One request on its way: what the calling task and the driving thread share.
///
/// The thread's callbacks fill it, the task empties it (or the other way round for an upload);
/// whoever finds nothing to do leaves a continuation, or pauses libcurl, and the other side ends
/// that. The first outcome stands: what comes later is ignored.
final class Transfer: Sendable {
    let request: PreparedRequest
    let driver: Driver
    /// When the total time-out strikes; set when the caller asked, so that waiting in line counts.
    let totalDeadline: ContinuousClock.Instant?
    let state: Mutex<State>

    init(_ request: PreparedRequest, driver: Driver) {
        self.request = request
        self.driver = driver
        totalDeadline = request.timeouts.totalSeconds.map { .now + .seconds($0) }
        state = Mutex(State(upload: Upload(request.body)))
    }

    enum Outcome {
        case complete
        case failed(HTTPError)
    }

    struct State {
        var upload: Upload
        var phase = HTTPError.Phase.preparing
        /// How often libcurl was about to send the request. Above zero, the server may have it.
        var attempts = 0
        var partialHead: HTTPResponseHead?
        var headBytes = 0
        /// The final response's head; interim ones (1xx) are passed over.
        var head: HTTPResponseHead?
        /// What has arrived and was not yet taken.
        var received: [UInt8] = []
        var receivingIsPaused = false
        var sendingIsPaused = false
        var outcome: Outcome?
        /// Waits for a head, bytes, or the outcome.
        var reader: CheckedContinuation<Void, Never>?
        /// Waits for room in the upload, or the outcome.
        var writer: CheckedContinuation<Void, Never>?

        func errorContext(_ request: PreparedRequest) -> HTTPErrorContext {
            HTTPErrorContext(
                request: request.description, phase: phase, serverMayHaveActed: attempts > 0)
        }
    }

    // MARK: Outcome

    typealias Waiting = [CheckedContinuation<Void, Never>]

    /// Settles the outcome unless there is one, and wakes whoever waits. From any thread.
    func settle(_ outcome: (HTTPErrorContext) -> Outcome) {
        let waiting = state.withLock { state in settle(&state, outcome) }
        for continuation in waiting { continuation.resume() }
    }

    /// As ``settle(_:)``, under a lock that is already held; the caller resumes what it is given.
    func settle(
        _ state: inout State, _ outcome: (HTTPErrorContext) -> Outcome
    ) -> Waiting {
        guard state.outcome == nil else { return [] }
        state.outcome = outcome(state.errorContext(request))
        return [state.reader.take(), state.writer.take()].compactMap { $0 }
    }

    /// Breaks the transfer off for a reason of ours, unless it is over; returns the error that then
    /// stands.
    @discardableResult
    func failNow(_ error: (HTTPErrorContext) -> HTTPError) -> HTTPError {
        let (standing, waiting) = state.withLock { state in
            let made = error(state.errorContext(request))
            guard state.outcome == nil else {
                if case .failed(let earlier) = state.outcome { return (earlier, nil as Waiting?) }
                return (made, nil)
            }
            // Nobody reads on after an error that this side made.
            state.received = []
            return (made, settle(&state) { _ in .failed(made) })
        }
        guard let waiting else { return standing }
        for continuation in waiting { continuation.resume() }
        driver.post(.drop(self))
        return standing
    }

    /// The task was cancelled, or the closure reading the response was left.
    func cancel() {
        failNow { .cancelled($0) }
    }

    var isSettled: Bool {
        state.withLock { $0.outcome != nil }
    }

    /// Whether the request is on its way and it is the other side's turn: only then can it be
    /// stalled.
    var canStall: Bool {
        state.withLock { $0.attempts > 0 && !$0.receivingIsPaused && !$0.sendingIsPaused }
    }

    // MARK: On the driving thread

    /// libcurl has a connection and is about to send; false forbids it.
    ///
    /// This is the one place where a cancelled request is kept from leaving, and where libcurl's
    /// silent second try (after a kept-alive connection died) is allowed or not.
    func willSend() -> Bool {
        let (allowed, waiting) = state.withLock { state -> (Bool, Waiting) in
            guard state.outcome == nil else { return (false, []) }
            guard state.attempts == 0 || request.isRepeatable else {
                return (false, settle(&state) { .failed(.notRepeated($0)) })
            }
            state.attempts += 1
            state.phase = state.upload.isDrained ? .awaitingResponse : .sending
            return (true, [])
        }
        for continuation in waiting { continuation.resume() }
        return allowed
    }

    var pauses: (receiving: Bool, sending: Bool) {
        state.withLock { ($0.receivingIsPaused, $0.sendingIsPaused) }
    }

    func didStart() {
        state.withLock { $0.phase = .connecting }
    }
}
