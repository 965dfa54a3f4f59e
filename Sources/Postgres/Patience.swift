internal import CLibpq

/// How long one exchange with the server may last, and what has been done to end it.
struct Patience {
    enum Kind {
        /// Cancelling the task, or the deadline, cancels the statement on the server.
        case statement
        /// As `statement`, but there is no statement to cancel: the session is given up.
        case connect
        /// COMMIT and ROLLBACK: cancelling the task changes nothing, the deadline gives the session up.
        case uninterruptible
    }

    /// What the server gets, after it was asked to cancel, to say that it did.
    static let grace: Duration = .seconds(5)
    /// The longest sleep in `poll`: finds a cancellation that signalled no `Wakeup`.
    private static let tick: Duration = .seconds(1)

    let kind: Kind
    let statement: String?
    private let timeoutSeconds: Double?
    private(set) var deadline: ContinuousClock.Instant?
    /// The request that was sent to end the exchange, and why.
    private(set) var interruption: (reason: PostgresError.Code, request: CancelRequest)?

    init(_ kind: Kind, timeoutSeconds: Double?, statement: String?) {
        self.kind = kind
        self.statement = statement
        self.timeoutSeconds = timeoutSeconds.flatMap { $0.isFinite ? $0 : nil }
        restart()
    }

    /// Begins the time anew: a COPY that moves is not late.
    mutating func restart() {
        guard interruption == nil else { return }
        deadline = timeoutSeconds.map { .now + .seconds($0) }
    }

    /// Why the exchange should end now, if it should.
    var reasonToStop: PostgresError.Code? {
        if let deadline, .now >= deadline { return .timeout }
        if kind != .uninterruptible, interruption == nil, Task.isCancelled { return .cancelled }
        return nil
    }

    mutating func interrupted(for reason: PostgresError.Code, by request: CancelRequest) {
        interruption = (reason, request)
        deadline = .now + Self.grace
    }

    /// Milliseconds that `poll` may sleep.
    var sleep: Int32 {
        let left = deadline.map { ContinuousClock.now.duration(to: $0) } ?? Self.tick
        let (seconds, attoseconds) = min(max(left, .zero), Self.tick).components
        return Int32(seconds * 1000 + attoseconds / 1_000_000_000_000_000) + 1
    }
}
