package import ClickHouse
internal import Exact
package import Ledger
package import Postgres
package import Usage

/// How runs judge, and what they tell.
package struct DetectionPolicy: Sendable {
    package var detector = DetectorSettings()
    package var pattern = PatternCheck.Settings()
    /// How many daily totals `zscore` compares with.
    package var totalDays = 30
    /// So many anomalies of a run are alerted of by themselves, the others in one digest.
    package var alertBudget = 20
    /// So many warnings of a day are recorded, the most unusual ones; what is critical always is.
    package var warningBudget = 20
    /// From this share of a metric's series on, what is unusual is the fleet.
    package var fleetShare = 0.05
    /// For how many days the states at midnight are kept, for late data.
    package var snapshotDays = 7
    /// For how many days anomalies are kept after they are over.
    package var keptDays = 400

    package init() {}
}

/// What a run came to; its names are those of the figures in `jobs runs show`.
package struct DetectionSummary: Sendable {
    package var hours = 0
    package var series = 0
    package var judged = 0
    package var missingHours = 0
    package var lateSeries = 0
    /// Hours of late data that are older than what is kept to judge them anew.
    package var tooLateHours: Int64 = 0
    package var anomalies = AnomalyFindings.Outcome()
    package var fleetShifts = 0
    /// Days that are unusual, but not critical, beyond the budget.
    package var unrecordedWarnings = 0
    /// There is no version of the baselines to hold a day against.
    package var lacksBaselines = false
    /// The active version of them is too old to judge by.
    package var hasExpiredBaselines = false

    package init() {}

    package var json: String {
        FindingText.object([
            ("hours", "\(hours)"), ("series", "\(series)"), ("judged", "\(judged)"),
            ("missing_hours", "\(missingHours)"), ("late_series", "\(lateSeries)"),
            ("too_late_hours", "\(tooLateHours)"), ("new", "\(anomalies.new)"),
            ("changed", "\(anomalies.changed)"), ("recovered", "\(anomalies.recovered)"),
            ("withdrawn", "\(anomalies.withdrawn)"), ("fleet_shifts", "\(fleetShifts)"),
            ("alerts", "\(anomalies.alerts)"),
            ("unrecorded_warnings", "\(unrecordedWarnings)"),
        ])
    }

    mutating func add(_ outcome: AnomalyFindings.Outcome) {
        anomalies.new += outcome.new
        anomalies.changed += outcome.changed
        anomalies.recovered += outcome.recovered
        anomalies.withdrawn += outcome.withdrawn
        anomalies.told += outcome.told
        anomalies.alerts += outcome.alerts
    }
}

/// Moves the states of all series on, hour by hour, and records what is unusual.
///
/// Each step is computed under a version that nobody reads before the ledger has recorded it, together
/// with what was found, under the lease. A process that dies leaves rows that never count.
package struct DetectionRun: Sendable {
    let states: StateTable
    let usage: UsageHours
    let store: DetectionStore
    let baselines: BaselineStore
    let metrics: [DetectedMetric]
    let policy: DetectionPolicy
    /// The slot that is run: the digest's name.
    let name: String
    let lease: Lease

    /// The fleet has to have so many series for a silent hour to be none's fault of theirs.
    static let fleetSeries: Int64 = 10
    /// After a longer pause the states begin anew, from the record.
    static let longestPause = 14 * 24

    /// Runs `body` under the lease of detection, up to what is sealed.
    ///
    /// - Parameter metrics: of all catalogs.
    package static func with<Result: Sendable>(
        _ name: String, clickHouse: ClickHouseClient, pool: PostgresPool, metrics: [Metric],
        policy: DetectionPolicy, holder: String,
        _ body: @escaping @Sendable (DetectionRun) async throws -> Result
    ) async throws -> Result {
        try await Lease.with(
            DetectionStore.leaseName, holder: holder, pool: pool, waits: true
        ) { lease in
            let sealed = try await BatchStore(pool: pool).sealed()
            let states = StateTable(clickHouse: clickHouse)
            try await states.create()
            return try await body(
                DetectionRun(
                    states: states, usage: UsageHours(clickHouse: clickHouse, sealed: sealed),
                    store: DetectionStore(pool: pool), baselines: BaselineStore(pool: pool),
                    metrics: DetectedMetric.all(metrics, sealed), policy: policy, name: name,
                    lease: lease))
        }
    }

    /// Judges the hours up to and with one; what is judged already is only brought up to date.
    package func judge(through hour: Hour, restart: Bool = false) async throws -> DetectionSummary {
        try await move(to: StatePosition(next: hour + 1), restart: restart)
    }

    /// Judges what is left of a day, and makes the baselines and scales of the next.
    package func refresh(at midnight: Hour, restart: Bool = false) async throws
        -> DetectionSummary
    {
        try await move(to: StatePosition(next: midnight, isRefreshed: true), restart: restart)
    }

    private func move(to target: StatePosition, restart: Bool) async throws -> DetectionSummary {
        var summary = DetectionSummary()
        var kept = try await store.positions()
        if let head = kept.first, !restart,
            target.nextHour - head.position.nextHour <= Self.longestPause
        {
            kept = try await takeLateData(kept, &summary)
        } else {
            // The day's own hours are judged one by one.
            let midnight = Hour((target.nextHour + -1).day * 24)
            try await begin(at: midnight, &summary)
            kept = try await store.positions()
        }
        while let head = kept.first, head.position < target {
            try Task.checkCancellation()
            try await step(from: head, &summary)
            kept = try await store.positions()
        }
        try await states.drop(keeping: kept.map(\.number))
        return summary
    }

    /// The first states, out of the record.
    private func begin(at midnight: Hour, _ summary: inout DetectionSummary) async throws {
        let from = StatePosition(next: midnight)
        let to = StatePosition(next: midnight, isRefreshed: true)
        let window = SeriesReplay.window(from: from, to: to)
        let present = try await usage.present(metrics, window)
        var missing: [Hour] = []
        if let first = present.keys.min(), present.values.max() ?? 0 >= Self.fleetSeries {
            missing = (0..<(midnight - first)).map { first + $0 }.filter { present[$0] == nil }
        }
        let version = try await store.newVersion()
        let outcomes = try await self.pass(
            from: from, to: to, place: nil, version, missing: Set(missing)
        ).run()
        var record = record([to], version, outcomes)
        record.isFirst = true
        record.missingHours = missing.map { Int64($0.index) }
        record.presentHours = try await missingHours(to).subtracting(missing)
            .map { Int64($0.index) }
        try await finish(record, findings(at: midnight, summary), outcomes, &summary)
    }

    /// One hour, or one refresh.
    private func step(from head: StateTable.Place, _ summary: inout DetectionSummary) async throws {
        let from = head.position
        let to = from.next
        var missing = try await missingHours(to)
        var newMissing: [Hour] = []
        if !to.isRefreshed, head.activeSeries >= Self.fleetSeries {
            let isAny = try await usage.isAny(metrics, from.nextHour..<to.nextHour)
            if !isAny { newMissing = [from.nextHour] }
        }
        missing.formUnion(newMissing)
        let version = try await store.newVersion()
        let outcomes = try await pass(
            from: from, to: to, place: head, version, missing: missing
        ).run()
        var record = record([to], version, outcomes)
        record.missingHours = newMissing.map { Int64($0.index) }
        var findings = findings(at: to.nextHour, summary)
        if !to.isRefreshed {
            findings.episodes = try await episodes(outcomes, of: from.nextHour, &summary)
            summary.hours += 1
            summary.missingHours += newMissing.count
        }
        try await finish(record, findings, outcomes, &summary)
    }

    /// What is stored of an hour: shifts of the fleet, and episodes of series that are no part of one.
    private func episodes(
        _ outcomes: [MetricOutcome], of hour: Hour, _ summary: inout DetectionSummary
    ) async throws -> String {
        let known = try await store.fleetEpisodes(since: hour.instant)
        var text = FindingText()
        for outcome in outcomes {
            let key = outcome.metric.key
            var shifts = known.filter { $0.metricKey == key }.map { ShiftHours($0) }
            for isUp in [true, false] {
                let live = shifts.last { $0.isUp == isUp }
                let shift = FleetShift(
                    outcome.metric, isUp: isUp, goingOnSince: live?.first, hour,
                    outcome.tallies.last ?? .init(), policy.detector.threshold,
                    share: policy.fleetShare)
                guard let shift else { continue }
                text.add(shift)
                summary.fleetShifts += 1
                shifts.append(ShiftHours(shift, goingOnFrom: live))
            }
            var own: Set<String> = []
            if !shifts.isEmpty {
                own = try await store.ownEpisodes(metricKey: key, since: hour.instant)
            }
            text.add(outcome, besides: shifts, own: own)
        }
        return text.json
    }

    // MARK: Parts of a step

    func missingHours(_ to: StatePosition) async throws -> Set<Hour> {
        let since = to.nextHour + -SeriesReplay.rowHours
        return Set(
            try await store.missingHours(since: Int64(since.index)).map { Hour(Int($0)) })
    }

    func pass(
        from: StatePosition, to: StatePosition, place: StateTable.Place?, _ version: Int64,
        missing: Set<Hour>
    ) async throws -> FleetPass {
        var pass = FleetPass(
            states: states, usage: usage,
            replay: SeriesReplay(
                policy.detector, totalDays: policy.totalDays, missingHours: missing),
            metrics: metrics, place: place, from: from, to: to, version: version)
        // Only a refresh asks what people said.
        let window = SeriesReplay.window(from: from, to: to)
        guard window.lowerBound < from.nextHour else { return pass }
        for review in try await store.reviews(since: window.lowerBound.instant) {
            let customer = Array(review.customerID.utf8)[...]
            pass.reviews[review.metricKey, default: [:]][customer, default: .init()].add(review)
        }
        return pass
    }

    func record(
        _ positions: [StatePosition], _ version: Int64, _ outcomes: [MetricOutcome]
    ) -> DetectionStore.Record {
        let last = positions.max() ?? StatePosition(number: 0)
        return DetectionStore.Record(
            positions: positions.map(\.number), version: version,
            generation: usage.sealed.generation, cutoff: usage.sealed.cutoff,
            activeSeries: outcomes.reduce(0) { $0 + Int64($1.active) },
            oldestSnapshot: StatePosition(next: last.nextHour + -policy.snapshotDays * 24).number)
    }

    /// - Parameter summary: of the run so far; the budget is that of all of it.
    func findings(at hour: Hour, _ summary: DetectionSummary) -> AnomalyFindings {
        var findings = AnomalyFindings(
            name: name, judgedThrough: hour.instant,
            alertBudget: policy.alertBudget - summary.anomalies.told, keptDays: policy.keptDays)
        findings.actions = FindingText.actions
        return findings
    }

    func finish(
        _ record: DetectionStore.Record, _ findings: AnomalyFindings, _ outcomes: [MetricOutcome],
        _ summary: inout DetectionSummary
    ) async throws {
        summary.add(try await store.record(record, findings, lease))
        summary.series = outcomes.reduce(0) { $0 + $1.series }
        summary.judged += outcomes.reduce(0) { $0 + ($1.tallies.last?.judged ?? 0) }
    }
}

extension DetectionStore.FleetEpisode {
    var range: ClosedRange<Hour> {
        Hour(Int(hours.lowerBound))...Hour(Int(hours.upperBound))
    }
}

extension DetectionStore.Position {
    var position: StatePosition { StatePosition(number: number) }
}
