internal import Ledger

/// What a pass came to for one metric.
struct MetricOutcome: Sendable {
    let metric: DetectedMetric
    var series = 0
    /// Those with usage in the last 14 days.
    var active = 0
    /// Of the last hour: how many could be judged, and how many reach the threshold, upwards and not.
    var judged = 0
    var up = 0
    var down = 0
    var observed = 0.0
    var expected = 0.0
    var episodes: [(customer: String, episode: VolumeEpisode)] = []

    init(_ metric: DetectedMetric) { self.metric = metric }

    mutating func add(_ other: Self) {
        series += other.series
        active += other.active
        judged += other.judged
        up += other.up
        down += other.down
        observed += other.observed
        expected += other.expected
        episodes += other.episodes
    }
}

/// Moves the states of many series from one position to another, range after range of customers, so that
/// memory does not grow with the fleet.
struct FleetPass: Sendable {
    let states: StateTable
    let usage: UsageHours
    let replay: SeriesReplay
    let metrics: [DetectedMetric]
    /// nil: there are no states yet.
    let place: StateTable.Place?
    let from: StatePosition
    let to: StatePosition
    let version: Int64
    /// nil: all series.
    var filter: SeriesFilter?
    /// Whether the beginnings of days on the way are written, too.
    var writesDays = false

    /// Customers a range: of one hour, and of a history.
    private static let (rangeOfHours, rangeOfHistory) = (20_000, 2_000)
    private static let concurrency = 3

    private var window: Range<Hour> { SeriesReplay.window(from: from, to: to) }

    /// - Returns: an outcome a metric, in their order.
    func run() async throws -> [MetricOutcome] {
        var work: [(index: Int, range: CustomerRange)] = []
        let size =
            window.upperBound - window.lowerBound > 100 ? Self.rangeOfHistory : Self.rangeOfHours
        for (index, metric) in metrics.enumerated() {
            let ranges =
                if let place {
                    try await states.ranges(place, metric, size: size, filter)
                } else {
                    try await usage.ranges(metric, window, size: size)
                }
            work += ranges.map { (index, $0) }
        }
        var outcomes = metrics.map(MetricOutcome.init)
        try await withThrowingTaskGroup(of: (Int, MetricOutcome).self) { group in
            var rest = work[...]
            for _ in 0..<Self.concurrency {
                guard let next = rest.popFirst() else { break }
                group.addTask { (next.index, try await pass(metrics[next.index], next.range)) }
            }
            while let (index, outcome) = try await group.next() {
                outcomes[index].add(outcome)
                guard let next = rest.popFirst() else { continue }
                group.addTask { (next.index, try await pass(metrics[next.index], next.range)) }
            }
        }
        for index in outcomes.indices {
            outcomes[index].episodes.sort {
                ($0.customer.utf8.lexicographicallyPrecedes($1.customer.utf8))
                    || ($0.customer == $1.customer && $0.episode.first < $1.episode.first)
            }
        }
        return outcomes
    }

    private func pass(_ metric: DetectedMetric, _ range: CustomerRange) async throws
        -> MetricOutcome
    {
        async let known = place.asyncMap { try await states.read($0, metric, range, filter) }
        let used = try await usage.read(metric, range, window, filter)
        let (rows, outcome) = move(metric, try await known ?? [], used)
        try await states.write(rows)
        return outcome
    }

    /// Walks through both lists, which are in order of customer.
    private func move(
        _ metric: DetectedMetric, _ known: [StateTable.Row], _ used: [UsageHours.Series]
    ) -> (StateRows, MetricOutcome) {
        var rows = StateRows(version: version, metric)
        var outcome = MetricOutcome(metric)
        var (left, right) = (known[...], used[...])
        while let customer = Self.first(left.first?.customer, right.first?.customer) {
            var series: TrackedSeries?
            var hours: [UsageRow] = []
            if let row = left.first, row.customer.elementsEqual(customer) {
                series = row.series
                left.removeFirst()
            }
            if let row = right.first, row.customer.elementsEqual(customer) {
                hours = row.rows
                right.removeFirst()
            }
            advance(&series, hours, customer, &rows, &outcome)
        }
        return (rows, outcome)
    }

    private func advance(
        _ series: inout TrackedSeries?, _ hours: [UsageRow], _ customer: ArraySlice<UInt8>,
        _ rows: inout StateRows, _ outcome: inout MetricOutcome
    ) {
        var found: [VolumeEpisode] = []
        replay.advance(&series, rows: hours, from: from, to: to) { position, day in
            if writesDays && position < to { rows.add(position, customer, day) }
        } onJudgement: { judgement, state in
            if judgement.hour == to.nextHour + -1 { outcome.take(judgement) }
            guard let hour = VolumeEpisode(judgement, state) else { return }
            if found.last?.first == hour.first {
                found[found.count - 1].add(hour)
            } else {
                found.append(hour)
            }
        }
        guard let series else { return }
        rows.add(to, customer, series)
        outcome.series += 1
        if to.nextHour - series.lastActive <= SeriesReplay.activeHours { outcome.active += 1 }
        guard !found.isEmpty else { return }
        let name = String(decoding: customer, as: UTF8.self)
        outcome.episodes += found.map { (name, $0) }
    }

    private static func first(
        _ left: ArraySlice<UInt8>?, _ right: ArraySlice<UInt8>?
    ) -> ArraySlice<UInt8>? {
        guard let left else { return right }
        guard let right else { return left }
        return right.lexicographicallyPrecedes(left) ? right : left
    }
}

extension MetricOutcome {
    fileprivate mutating func take(_ judgement: Judgement) {
        guard let value = judgement.observed, judgement.confidence != .silent else { return }
        judged += 1
        observed += value
        expected += judgement.expected ?? 0
        guard judgement.news.episode != nil else { return }
        if value >= judgement.expected ?? 0 { up += 1 } else { down += 1 }
    }
}

extension Optional where Wrapped: Sendable {
    fileprivate func asyncMap<Result: Sendable>(
        _ body: (Wrapped) async throws -> Result
    ) async throws -> Result? {
        guard let self else { return nil }
        return try await body(self)
    }
}
