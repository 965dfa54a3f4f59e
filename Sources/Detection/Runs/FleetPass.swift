internal import Ledger

/// How many series of a metric were judged in an hour, and how many reach the threshold, upwards and not;
/// one may do both.
struct HourTally: Sendable {
    var judged = 0
    var up = 0
    var down = 0
    /// Those of them whose episode has just begun.
    var newUp = 0
    var newDown = 0
    var observed = 0.0
    var expected = 0.0

    mutating func add(_ other: Self) {
        judged += other.judged
        up += other.up
        down += other.down
        newUp += other.newUp
        newDown += other.newDown
        observed += other.observed
        expected += other.expected
    }
}

/// What a pass came to for one metric.
struct MetricOutcome: Sendable {
    let metric: DetectedMetric
    /// Of the first of `tallies`.
    let first: Hour
    /// One an hour.
    var tallies: [HourTally]
    var series = 0
    /// Those with usage in the last 14 days.
    var active = 0
    /// In pieces, one behind the other, where an episode breaks out of how it began.
    var episodes: [(customer: String, episode: VolumeEpisode)] = []

    init(_ metric: DetectedMetric, _ hours: Range<Hour>) {
        (self.metric, first) = (metric, hours.lowerBound)
        tallies = Array(repeating: HourTally(), count: hours.upperBound - hours.lowerBound)
    }

    mutating func add(_ other: Self) {
        series += other.series
        active += other.active
        for index in tallies.indices { tallies[index].add(other.tallies[index]) }
        episodes += other.episodes
    }
}

/// Moves the states of many series from one position to another, range after range of customers, so that
/// memory does not grow with the fleet.
struct FleetPass: Sendable {
    let states: StateTable
    let usage: UsageHours
    let replay: SeriesReplay
    var metrics: [DetectedMetric]
    /// nil: there are no states yet.
    let place: StateTable.Place?
    let from: StatePosition
    let to: StatePosition
    let version: Int64
    /// What people said of days, by key of the metric and customer; an empty one is the fleet.
    var reviews: [String: [ArraySlice<UInt8>: ReviewedDays]] = [:]
    /// nil: all series.
    var filter: SeriesFilter?
    /// Keys of metrics that it is not about: all of their series are judged.
    var wholeMetrics: Set<String> = []
    /// Whether the beginnings of days on the way are written, too.
    var writesDays = false

    /// Customers a range: of one hour, and of a history.
    private static let (rangeOfHours, rangeOfHistory) = (20_000, 2_000)
    private static let concurrency = 3

    private var window: Range<Hour> { SeriesReplay.window(from: from, to: to) }

    /// - Returns: an outcome a metric, in their order.
    func run() async throws -> [MetricOutcome] {
        var work: [(place: Int, index: Int, range: CustomerRange)] = []
        let ofStates = try await place.asyncMap { try await states.ranges($0, size: rangeSize) }
        for (index, metric) in metrics.enumerated() {
            for range in try await ranges(metric, ofStates?[metric.key]) {
                work.append((work.count, index, range))
            }
        }
        var parts = [MetricOutcome?](repeating: nil, count: work.count)
        try await withThrowingTaskGroup(of: (Int, MetricOutcome).self) { group in
            var rest = work[...]
            for _ in 0..<Self.concurrency {
                guard let next = rest.popFirst() else { break }
                group.addTask { (next.place, try await pass(metrics[next.index], next.range)) }
            }
            while let (place, outcome) = try await group.next() {
                parts[place] = outcome
                guard let next = rest.popFirst() else { continue }
                group.addTask { (next.place, try await pass(metrics[next.index], next.range)) }
            }
        }
        // In order of ranges, whichever was done first: sums have the same digits every time.
        var outcomes = metrics.map { MetricOutcome($0, from.nextHour..<to.nextHour) }
        for (part, item) in zip(parts, work) {
            if let part { outcomes[item.index].add(part) }
        }
        for index in outcomes.indices {
            outcomes[index].episodes.sort {
                $0.customer.utf8.elementsEqual($1.customer.utf8)
                    ? $0.episode.last < $1.episode.last
                    : $0.customer.utf8.lexicographicallyPrecedes($1.customer.utf8)
            }
        }
        return outcomes
    }

    private var rangeSize: Int {
        window.upperBound - window.lowerBound > 100 ? Self.rangeOfHistory : Self.rangeOfHours
    }

    /// - Parameter ofStates: nil where the states fit into one range, or a metric is new and has none: then
    ///   it is its usage that may not.
    private func ranges(
        _ metric: DetectedMetric, _ ofStates: [CustomerRange]?
    ) async throws -> [CustomerRange] {
        let filter = seriesFilter(of: metric)
        if let ofStates, filter == nil { return ofStates }
        return try await usage.ranges(metric, window, size: rangeSize, filter)
    }

    private func seriesFilter(of metric: DetectedMetric) -> SeriesFilter? {
        wholeMetrics.contains(metric.key) ? nil : filter
    }

    private func pass(_ metric: DetectedMetric, _ range: CustomerRange) async throws
        -> MetricOutcome
    {
        async let known = place.asyncMap { try await states.read($0, metric, range) }
        let used = try await usage.read(metric, range, window, seriesFilter(of: metric))
        let (blocks, outcome) = try move(metric, try await known ?? [], used)
        try await states.write(blocks)
        return outcome
    }

    /// Walks through both lists, which are in order of customer.
    private func move(
        _ metric: DetectedMetric, _ known: [StateTable.Row], _ used: [UsageHours.Series]
    ) throws -> (StateBlocks, MetricOutcome) {
        var blocks = StateBlocks(version: version, metric)
        blocks.reserve(series: max(known.count, used.count))
        var outcome = MetricOutcome(metric, from.nextHour..<to.nextHour)
        let isFiltered = seriesFilter(of: metric) != nil
        let reviews = reviews[metric.key]
        let ofFleet = reviews?[[]] ?? .init()
        var (left, right) = (0, 0)
        while left < known.count || right < used.count {
            let order =
                left == known.count
                ? 1
                : right == used.count
                    ? -1 : Self.order(known[left].customer, used[right].customer)
            let customer = order <= 0 ? known[left].customer : used[right].customer
            var series: TrackedSeries?
            var hours: ArraySlice<UsageRow> = []
            if order <= 0 {
                // Those that a filter is about have usage.
                if !isFiltered || order == 0 { series = try known[left].series() }
                left += 1
            }
            if order >= 0 {
                hours = used[right].rows
                right += 1
            }
            if isFiltered && order < 0 { continue }
            let reviewed = reviews?[customer].map { $0.adding(ofFleet) } ?? ofFleet
            advance(&series, hours, customer, reviewed, &blocks, &outcome)
        }
        return (blocks, outcome)
    }

    private func advance(
        _ series: inout TrackedSeries?, _ hours: ArraySlice<UsageRow>,
        _ customer: ArraySlice<UInt8>, _ reviewed: ReviewedDays,
        _ blocks: inout StateBlocks, _ outcome: inout MetricOutcome
    ) {
        var found: [VolumeEpisode] = []
        replay.advance(
            &series, rows: hours, from: from, to: to, reviewed: reviewed
        ) { position, day in
            if writesDays && position < to { blocks.add(position, customer, day) }
        } onJudgement: { judgement in
            outcome.tallies[judgement.hour - outcome.first].take(judgement)
            guard let hour = VolumeEpisode(judgement) else { return }
            let goesOn = found.last.map { $0.first == hour.first && !$0.breaks(at: hour) } ?? false
            if goesOn { found[found.count - 1].add(hour) } else { found.append(hour) }
        }
        guard let series else { return }
        blocks.add(to, customer, series)
        outcome.series += 1
        if to.nextHour - series.lastActive <= SeriesReplay.activeHours { outcome.active += 1 }
        guard !found.isEmpty else { return }
        let name = String(decoding: customer, as: UTF8.self)
        outcome.episodes += found.map { (name, $0) }
    }

    /// Of two customers by their bytes: below 0 if the left comes first, 0 if they are one.
    private static func order(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>) -> Int {
        left.withUnsafeBufferPointer { left in
            right.withUnsafeBufferPointer { right in
                for (a, b) in zip(left, right) where a != b { return a < b ? -1 : 1 }
                return left.count - right.count
            }
        }
    }
}

extension HourTally {
    fileprivate mutating func take(_ judgement: Judgement) {
        guard let value = judgement.observed, judgement.confidence != .silent else { return }
        judged += 1
        observed += value
        expected += judgement.expected ?? 0
        guard let episode = judgement.news.episode else { return }
        let isNew = judgement.hour - episode.first < FleetShift.onsetHours
        if judgement.score(isUp: true) >= judgement.threshold {
            up += 1
            if isNew { newUp += 1 }
        }
        if judgement.score(isUp: false) >= judgement.threshold {
            down += 1
            if isNew { newDown += 1 }
        }
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
