package import ClickHouse
internal import Ledger
package import Postgres

/// Holds a day of every series against its weekday's baseline.
struct PatternRun: Sendable {
    let run: DetectionRun
    let table: BaselineTable
    let store: BaselineStore
    let settings: PatternCheck.Settings
    /// The day's first hour.
    let midnight: Hour

    private static let rangeSize = 5_000
    private var hours: Range<Hour> { midnight..<midnight + 24 }

    /// What was found of one series.
    private struct Found {
        let customer: String
        let check: PatternCheck
        let verdict: Verdict
        let direction: VolumeEpisode.Direction
        let observed: Double
        let expected: Double
    }

    /// What was found of one metric.
    private struct Outcome {
        var judged = 0
        var observed = 0.0
        var expected = 0.0
        var found: [Found] = []
    }

    func check(_ version: BaselineVersion, _ summary: inout DetectionSummary) async throws {
        let approvals = try await store.approvals(of: version.version)
        let kept = try await run.store.positions()
        let place = kept.first {
            $0.position == StatePosition(next: midnight + 24, isRefreshed: true)
        }
        guard let place = place ?? kept.first else { return }
        let missing = try await run.missingHours(StatePosition(next: midnight + 24))
        let goingOn = try await store.patternEpisodes(midnight.instant)
        var (text, both) = (FindingText(), PatternJoins())
        for metric in run.metrics {
            let flagged = FlaggedDays(
                try await store.flagged(
                    metricKey: metric.key, midnight.instant..<(midnight + 24).instant))
            var outcome = Outcome()
            for range in try await run.states.ranges(place, metric, size: Self.rangeSize) {
                try Task.checkCancellation()
                async let states = run.states.read(place, metric, range)
                async let used = run.usage.read(metric, range, hours)
                let baselines = try await table.read(
                    version.version, approvals, metric, range, weekdays: [midnight.weekday])
                try await judge(states, used, baselines, missing, flagged, &outcome)
            }
            summary.judged += outcome.judged
            var firsts: [String: Hour] = [:]
            for episode in goingOn where episode.metricKey == metric.key {
                firsts[episode.customerID] = Hour(Int(episode.firstHour))
            }
            report(metric, outcome, firsts, flagged, &text, &both, &summary)
        }
        var findings = run.findings(at: midnight + 24)
        findings.episodes = text.json
        summary.add(
            try await store.record(
                findings, both: both, midnight.instant..<(midnight + 24).instant, run.lease))
    }

    /// Walks through the baselines; series without one are not judged.
    private func judge(
        _ states: [StateTable.Row], _ used: [UsageHours.Series],
        _ baselines: [BaselineTable.Series],
        _ missing: Set<Hour>, _ flagged: FlaggedDays, _ outcome: inout Outcome
    ) {
        var (states, used) = (states[...], used[...])
        for baseline in baselines {
            let customer = baseline.customer
            while let row = states.first, row.customer.lexicographicallyPrecedes(customer) {
                states.removeFirst()
            }
            while let row = used.first, row.customer.lexicographicallyPrecedes(customer) {
                used.removeFirst()
            }
            guard let state = states.first, state.customer.elementsEqual(customer),
                let weekday = baseline.weekdays.first
            else { continue }
            let rows = used.first.map { $0.customer.elementsEqual(customer) ? $0.rows : [] } ?? []
            let day = DayUsage(
                rows, midnight, lastActive: state.series.lastActive, missing: missing)
            guard
                let check = PatternCheck(
                    day, weekday, variance: state.series.state.variance, settings)
            else { continue }
            outcome.judged += 1
            outcome.observed += day.volume
            outcome.expected += weekday.volume
            let name = String(decoding: customer, as: UTF8.self)
            let direction: VolumeEpisode.Direction =
                day.volume <= 0 ? .stopped : check.volumeChange >= 0 ? .up : .down
            let verdict = Verdict.join(
                volumeSeverity: flagged.isVolumeUnusual(of: name) ? .critical : .none,
                direction: direction, pattern: check)
            guard let verdict, check.isPatternUnusual else { continue }
            outcome.found.append(
                Found(
                    customer: name, check: check, verdict: verdict, direction: direction,
                    observed: day.volume, expected: weekday.volume))
        }
    }

    private func report(
        _ metric: DetectedMetric, _ outcome: Outcome, _ firsts: [String: Hour],
        _ flagged: FlaggedDays, _ text: inout FindingText, _ both: inout PatternJoins,
        _ summary: inout DetectionSummary
    ) {
        let count = outcome.found.count
        let isShift =
            count >= FleetShift.minimumSeries
            && Double(count) >= run.policy.fleetShare * Double(outcome.judged)
        if isShift {
            summary.fleetShifts += 1
            let share = Double(count) / Double(max(1, outcome.judged))
            text.add(
                PatternFinding(
                    customer: nil, kind: "fleet", isCritical: true,
                    direction: outcome.observed >= outcome.expected ? .up : .down,
                    first: firsts[""] ?? midnight, day: midnight,
                    score: settings.shapeScore * share / run.policy.fleetShare,
                    threshold: settings.shapeScore, similarity: nil, expected: outcome.expected,
                    observed: outcome.observed, series: count,
                    action:
                        "Many customers kept other hours: a holiday, or a change of ours. Plan it with jobs anomalies mute."
                ), metric)
            return
        }
        for found in outcome.found {
            if flagged.isVolumeUnusual(of: found.customer) {
                both.customers.append(found.customer)
                both.metricKeys.append(metric.key)
                both.actions.append(found.verdict.recommendedAction)
                both.similarities.append("\(found.check.similarity)")
                continue
            }
            text.add(
                PatternFinding(
                    customer: found.customer, kind: found.verdict.kind.rawValue,
                    isCritical: found.verdict.severity == .critical, direction: found.direction,
                    first: firsts[found.customer] ?? midnight, day: midnight,
                    score: found.check.shapeScore, threshold: settings.shapeScore,
                    similarity: found.check.similarity, expected: found.expected,
                    observed: found.observed, series: nil,
                    action: found.verdict.recommendedAction), metric)
        }
    }
}

/// An unusual day, as it is stored.
struct PatternFinding {
    /// nil: the fleet.
    let customer: String?
    let kind: String
    let isCritical: Bool
    let direction: VolumeEpisode.Direction
    let first: Hour
    /// Its first hour.
    let day: Hour
    let score: Double
    let threshold: Double
    let similarity: Double?
    let expected: Double
    let observed: Double
    let series: Int?
    let action: String
}

extension DayUsage {
    /// One day of a series with a state.
    fileprivate init(
        _ rows: [UsageRow], _ midnight: Hour, lastActive: Hour, missing: Set<Hour>
    ) {
        var hours = (0..<24).map { offset -> Double? in
            let hour = midnight + offset
            return hour - lastActive <= SeriesReplay.activeHours && !missing.contains(hour)
                ? 0 : nil
        }
        for row in rows { hours[row.hour - midnight] = row.value }
        self.init(weekday: midnight.weekday, hours: hours)
    }
}

extension DetectionRun {
    /// Checks the patterns of a day; what its hours still lack is judged first.
    package func checkPatterns(
        of midnight: Hour, restart: Bool, clickHouse: ClickHouseClient, pool: PostgresPool
    ) async throws -> DetectionSummary {
        var summary = try await refresh(at: midnight + 24, restart: restart)
        let table = BaselineTable(clickHouse: clickHouse)
        try await table.create()
        let store = BaselineStore(pool: pool)
        guard let active = try await store.versions().first(where: { $0.state == "active" }) else {
            summary.lacksBaselines = true
            return summary
        }
        try await PatternRun(
            run: self, table: table, store: store, settings: policy.pattern, midnight: midnight
        ).check(active, &summary)
        return summary
    }
}
