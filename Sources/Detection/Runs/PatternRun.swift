internal import Ledger

/// Holds a day of every series against its weekday's baseline.
struct PatternRun: Sendable {
    let run: DetectionRun
    /// The day's first hour.
    let midnight: Hour

    private static let rangeSize = 5_000
    private var store: BaselineStore { run.baselines }
    private var settings: PatternCheck.Settings { run.policy.pattern }
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
        let table = BaselineTable(clickHouse: run.states.clickHouse)
        let approvals = try await store.approvals(of: version.version)
        let kept = try await run.store.positions()
        let place = kept.first {
            $0.position == StatePosition(next: midnight + 24, isRefreshed: true)
        }
        guard let place = place ?? kept.first else { return }
        let missing = try await run.missingHours(StatePosition(next: midnight + 24))
        let goingOn = try await store.dayEpisodes(midnight.instant)
        var (text, both) = (FindingText(), PatternJoins())
        var warnings: [(metric: DetectedMetric, finding: PatternFinding)] = []
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
            let own = goingOn.filter { $0.metricKey == metric.key }
            for finding in findings(metric, outcome, own, flagged, &both, &summary) {
                if finding.isCritical {
                    text.add(finding, metric)
                } else {
                    warnings.append((metric, finding))
                }
            }
        }
        // What is recorded already goes on; beyond it the most unusual.
        warnings.sort {
            ($0.finding.first == midnight ? 1 : 0, -$0.finding.score, $0.finding.customer ?? "")
                < (
                    $1.finding.first == midnight ? 1 : 0, -$1.finding.score,
                    $1.finding.customer ?? ""
                )
        }
        for warning in warnings.prefix(run.policy.warningBudget) {
            text.add(warning.finding, warning.metric)
        }
        summary.unrecordedWarnings += max(0, warnings.count - run.policy.warningBudget)
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
    ) throws {
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
                rows, midnight, lastActive: state.lastActive, missing: missing)
            guard
                let check = PatternCheck(
                    day, weekday, variance: try state.series().state.variance, settings)
            else { continue }
            outcome.judged += 1
            outcome.observed += day.volume
            outcome.expected += weekday.volume
            let name = String(decoding: customer, as: UTF8.self)
            let direction: VolumeEpisode.Direction =
                day.volume <= 0 ? .stopped : check.volumeChange >= 0 ? .up : .down
            let isKnown = flagged.isVolumeUnusual(of: name)
            let verdict = Verdict.join(
                volumeSeverity: isKnown ? .critical : .none, direction: direction, pattern: check)
            // A volume that its hours showed is on record: a second row would say nothing new.
            guard let verdict, check.isPatternUnusual || !isKnown else { continue }
            outcome.found.append(
                Found(
                    customer: name, check: check, verdict: verdict, direction: direction,
                    observed: day.volume, expected: weekday.volume))
        }
    }

    /// What is recorded of a metric's day: shifts of the fleet, patterns, and volumes whose hours are not
    /// unusual; patterns of those whose hours are go into `both`.
    private func findings(
        _ metric: DetectedMetric, _ outcome: Outcome, _ goingOn: [BaselineStore.DayEpisode],
        _ flagged: FlaggedDays, _ both: inout PatternJoins, _ summary: inout DetectionSummary
    ) -> [PatternFinding] {
        func first(_ customer: String, isVolume: Bool) -> Hour {
            let known = goingOn.first { $0.customerID == customer && $0.isVolume == isVolume }
            return known.map { Hour(Int($0.firstHour)) } ?? midnight
        }
        var findings: [PatternFinding] = []
        let patterns = outcome.found.count { $0.check.isPatternUnusual }
        let isShift =
            patterns >= FleetShift.minimumSeries
            && Double(patterns) >= run.policy.fleetShare * Double(outcome.judged)
        if isShift {
            summary.fleetShifts += 1
            let share = Double(patterns) / Double(max(1, outcome.judged))
            findings.append(
                PatternFinding(
                    customer: nil, kind: "fleet", isCritical: true,
                    direction: outcome.observed >= outcome.expected ? .up : .down,
                    first: first("", isVolume: false), day: midnight,
                    score: settings.shapeScore * share / run.policy.fleetShare,
                    threshold: settings.shapeScore, similarity: nil, expected: outcome.expected,
                    observed: outcome.observed, series: patterns,
                    action:
                        "Many customers kept other hours: a holiday, or a change of ours. Plan it with jobs anomalies mute."
                ))
        }
        for found in outcome.found where !(isShift && found.check.isPatternUnusual) {
            if found.check.isPatternUnusual && flagged.isVolumeUnusual(of: found.customer) {
                both.customers.append(found.customer)
                both.metricKeys.append(metric.key)
                both.actions.append(found.verdict.recommendedAction)
                both.similarities.append("\(found.check.similarity)")
                continue
            }
            let isVolume = found.verdict.kind == .volume
            findings.append(
                PatternFinding(
                    customer: found.customer, kind: found.verdict.kind.rawValue,
                    isCritical: found.verdict.severity == .critical, direction: found.direction,
                    first: first(found.customer, isVolume: isVolume), day: midnight,
                    score: isVolume
                        ? abs(found.check.volumeChange) / settings.volumeChange * 3
                        : found.check.shapeScore,
                    threshold: isVolume ? 3 : settings.shapeScore,
                    similarity: found.check.similarity, expected: found.expected,
                    observed: found.observed, series: nil,
                    action: found.verdict.recommendedAction))
        }
        return findings
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
    package func checkPatterns(of midnight: Hour, restart: Bool) async throws -> DetectionSummary {
        var summary = try await refresh(at: midnight + 24, restart: restart)
        try await BaselineTable(clickHouse: states.clickHouse).create()
        guard let active = try await baselines.versions().first(where: { $0.state == "active" })
        else {
            summary.lacksBaselines = true
            return summary
        }
        try await PatternRun(run: self, midnight: midnight).check(active, &summary)
        return summary
    }
}
