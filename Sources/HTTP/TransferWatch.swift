/// When to look at a transfer, and what is wrong with it then.
///
/// It compares libcurl's byte counters now and then instead of following each byte: four times in
/// the length of the stall limit, so that a stall is noticed after 1 to 1.5 limits.
struct TransferWatch {
    enum Finding {
        case fine
        /// Nothing moved since the last look, though it is the other side's turn.
        case silent
        case stalled
        /// The total time-out has passed.
        case overdue
    }

    /// When the next look is due; nil if no time-out is set.
    private(set) var nextLook: ContinuousClock.Instant?
    private let totalDeadline: ContinuousClock.Instant?
    private let stalledSeconds: Double?
    private let interval: Duration?
    private var movedBytes: Int64 = -1
    private var lastMove: ContinuousClock.Instant

    /// How often a multiplexed transfer is looked at, for ``EasyHandle/nudge()``.
    private static let multiplexedSeconds = 0.1

    init(_ transfer: Transfer, now: ContinuousClock.Instant) {
        self.init(
            totalDeadline: transfer.totalDeadline,
            stalledSeconds: transfer.request.timeouts.stalledSeconds,
            isMultiplexed: transfer.request.isMultiplexed, now: now)
    }

    init(
        totalDeadline: ContinuousClock.Instant?, stalledSeconds: Double?, isMultiplexed: Bool,
        now: ContinuousClock.Instant
    ) {
        self.totalDeadline = totalDeadline
        self.stalledSeconds = stalledSeconds
        let wanted = [
            stalledSeconds.map { $0 / 4 }, isMultiplexed ? Self.multiplexedSeconds : nil,
        ]
        interval = wanted.compactMap { $0 }.min().map { .seconds($0) }
        lastMove = now
        schedule(after: now)
    }

    /// Looks, and settles when to look again.
    ///
    /// `canStall` says that the request is on its way and that this side holds nothing up; while it
    /// is false the stall limit does not run.
    mutating func look(
        at now: ContinuousClock.Instant, movedBytes moved: Int64, canStall: Bool
    ) -> Finding {
        if let totalDeadline, totalDeadline <= now { return .overdue }
        schedule(after: now)
        guard moved == movedBytes, canStall else {
            movedBytes = moved
            lastMove = now
            return .fine
        }
        if let stalledSeconds, now - lastMove >= .seconds(stalledSeconds) { return .stalled }
        return .silent
    }

    private mutating func schedule(after now: ContinuousClock.Instant) {
        nextLook = [interval.map { now + $0 }, totalDeadline].compactMap { $0 }.min()
    }
}
