internal import Exact
internal import Ledger

/// The months' reports, which many look at and which take a while to read.
///
/// However many ask, one is read at a time of each month, and reading takes a twentieth of the time at the most:
/// what watches billing must not slow it down.
actor ReportCache {
    struct Kept: Sendable {
        let report: MonthReport
        let readAt: Instant
        fileprivate let from: ContinuousClock.Instant
        fileprivate let cost: Duration

        fileprivate var isFresh: Bool { age < freshness }
        /// It is shown while the next is read.
        fileprivate var isGoodEnough: Bool { age < freshness + .seconds(60) }
        private var freshness: Duration { max(.seconds(5), cost * 20) }
        private var age: Duration { ContinuousClock.now - from }
    }

    /// Of years of months, those that somebody looks at.
    private static let mostMonths = 24

    private let read: @Sendable (CivilMonth) async throws -> MonthReport
    private var kept: [CivilMonth: Kept] = [:]
    private var reading: [CivilMonth: Task<Kept, any Error>] = [:]

    init(read: @escaping @Sendable (CivilMonth) async throws -> MonthReport) {
        self.read = read
    }

    func report(of month: CivilMonth) async throws -> Kept {
        if let kept = kept[month], kept.isFresh { return kept }
        let task = reading[month] ?? begin(month)
        if let kept = kept[month], kept.isGoodEnough { return kept }
        return try await task.value
    }

    private func begin(_ month: CivilMonth) -> Task<Kept, any Error> {
        let task = Task {
            defer { reading[month] = nil }
            let from = ContinuousClock.now
            let report = try await read(month)
            let now = ContinuousClock.now
            let result = Kept(report: report, readAt: .now, from: now, cost: now - from)
            if kept.count >= Self.mostMonths { kept.removeAll() }
            kept[month] = result
            return result
        }
        reading[month] = task
        return task
    }
}
