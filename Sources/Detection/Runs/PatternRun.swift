internal import Exact
internal import Ledger

/// Holds days of every series against their weekdays' baselines.
struct PatternRun: Sendable {
    let run: DetectionRun
    let version: BaselineVersion
    let approvals: BaselineApprovals
    /// Where states are kept, the last first.
    let kept: [StateTable.Place]

    private static let rangeSize = 5_000
    private var table: BaselineTable { BaselineTable(clickHouse: run.states.clickHouse) }
    private var sealed: SealedUsage { run.usage.sealed }

    /// Checks a day, or those of its series that have usage which came after a batch.
    ///
    /// - Parameters:
    ///   - midnight: the day's first hour.
    ///   - end: the hour after the last judged one: what was over by then is not open.
    ///   - batch: nil: all series.
    func check(
        _ midnight: Hour, until end: Hour, after batch: Int64? = nil,
        _ summary: inout DetectionSummary
    ) async throws {
        guard let head = kept.first else { return }
        let refreshed = StatePosition(next: midnight + 24, isRefreshed: true)
        let place = kept.first { $0.position == refreshed } ?? head
        let day = DayRun(
            midnight: midnight, missing: try await run.missingHours(refreshed), place: place,
            ranges: try await run.states.ranges(place, size: Self.rangeSize))
        let goingOn = try await run.baselines.dayEpisodes(midnight.instant)
        let shifts = try await run.store.fleetEpisodes(since: midnight.instant)
            .filter { $0.range.overlaps(day.hours) }
        var record = DayCheck(
            day: midnight.day, hours: midnight.instant..<(midnight + 24).instant,
            generation: sealed.generation, cutoff: sealed.cutoff,
            oldestDay: head.position.nextHour.day - run.policy.snapshotDays)
        var (text, joins) = (FindingText(), PatternJoins())
        var warnings: [(metric: DetectedMetric, finding: PatternFinding)] = []
        for metric in run.metrics {
            let own = goingOn.filter { $0.metricKey == metric.key }
            let outcome = try await outcome(
                metric, day, batch, hasShift: own.contains { $0.customerID.isEmpty }, &record)
            summary.judged += outcome.judged
            let groups = outcome.grouped(
                Set(shifts.filter { $0.metricKey == metric.key }.map(\.isUp)),
                share: run.policy.fleetShare)
            summary.fleetShifts += groups.series.count
            for found in groups.alone + outcome.volumes where found.isFlagged {
                joins.add(found, metric)
            }
            for finding in findings(outcome, groups, of: midnight, own) {
                if finding.isCritical || finding.isRecorded {
                    text.add(finding, metric)
                }
                if !finding.isCritical { warnings.append((metric, finding)) }
            }
        }
        summary.unrecordedWarnings += add(warnings, to: &text)
        var findings = run.findings(at: end, summary)
        findings.episodes = text.json
        summary.add(try await run.baselines.record(findings, joins, record, run.lease))
    }

    /// What was recorded before goes on; beyond it there is room for the most unusual.
    ///
    /// - Returns: how many there is no room for.
    private func add(
        _ warnings: [(metric: DetectedMetric, finding: PatternFinding)], to text: inout FindingText
    ) -> Int {
        let new = warnings.filter { !$0.finding.isRecorded }
            .sorted { PatternFinding.goesFirst($0.finding, $1.finding) }
        let room = max(0, run.policy.warningBudget - (warnings.count - new.count))
        for warning in new.prefix(room) { text.add(warning.finding, warning.metric) }
        return max(0, new.count - room)
    }

    /// What is recorded of a metric's day: shifts of the fleet, and days that are unusual by themselves.
    private func findings(
        _ outcome: DayOutcome, _ groups: DayGroups, of day: Hour,
        _ goingOn: [BaselineStore.DayEpisode]
    ) -> [PatternFinding] {
        var findings: [PatternFinding] = []
        for isUp in [true, false] {
            guard let series = groups.series[isUp] else { continue }
            let known = goingOn.first { $0.customerID.isEmpty && $0.isUp == isUp }
            findings.append(
                PatternFinding(
                    outcome, of: day, isUp: isUp, series: series,
                    isVolume: groups.areVolumes.contains(isUp), known: known, run.policy))
        }
        for found in groups.alone where !found.isFlagged {
            let isVolume = found.verdict.kind == .volume
            let known = goingOn.first {
                $0.customerID == found.customer && $0.isVolume == isVolume
            }
            findings.append(PatternFinding(found, of: day, known: known, run.policy.pattern))
        }
        return findings
    }

    // MARK: Judging

    /// A day, and by which states it is judged.
    private struct DayRun: Sendable {
        let midnight: Hour
        let missing: Set<Hour>
        let place: StateTable.Place
        /// By key of the metric; nothing of those whose states fit into one.
        let ranges: [String: [CustomerRange]]

        var hours: Range<Hour> { midnight..<midnight + 24 }
    }

    /// - Parameter hasShift: one of the fleet is on record of the day: it takes all series to say what of
    ///   it holds.
    private func outcome(
        _ metric: DetectedMetric, _ day: DayRun, _ batch: Int64?, hasShift: Bool,
        _ record: inout DayCheck
    ) async throws -> DayOutcome {
        if let batch, !hasShift {
            var customers: [String] = []
            let outcome = try await judge(
                metric, day, .late(hours: day.hours, after: batch, sealed), &customers)
            let active = Double(day.place.activeSeries) / Double(max(1, run.metrics.count))
            if !outcome.mayShift(of: active, share: run.policy.fleetShare) {
                record.customers += customers
                record.customerMetricKeys += customers.map { _ in metric.key }
                return outcome
            }
        }
        record.metricKeys.append(metric.key)
        var customers: [String] = []
        return try await judge(metric, day, .all, &customers)
    }

    /// - Parameter customers: gets those that a filter let through.
    private func judge(
        _ metric: DetectedMetric, _ day: DayRun, _ filter: SeriesFilter,
        _ customers: inout [String]
    ) async throws -> DayOutcome {
        let flagged = FlaggedDays(
            try await run.baselines.flagged(
                metricKey: metric.key, day.midnight.instant..<(day.midnight + 24).instant))
        var outcome = DayOutcome()
        let ranges =
            if case .all = filter {
                day.ranges[metric.key] ?? [CustomerRange()]
            } else {
                try await run.usage.ranges(metric, day.hours, size: Self.rangeSize, filter)
            }
        for range in ranges {
            try Task.checkCancellation()
            async let states = run.states.read(day.place, metric, range)
            async let used = run.usage.read(metric, range, day.hours, filter)
            var baselines = try await table.read(
                version.version, approvals, metric, range, weekdays: [day.midnight.weekday])
            if case .late = filter {
                let late = Set(try await used.map { Array($0.customer) })
                baselines.removeAll { !late.contains(Array($0.customer)) }
                customers += late.map { String(decoding: $0, as: UTF8.self) }
            }
            try await judge(states, used, baselines, day, flagged, &outcome)
        }
        return outcome
    }

    /// Walks through the baselines; series without one are not judged.
    private func judge(
        _ states: [StateTable.Row], _ used: [UsageHours.Series],
        _ baselines: [BaselineTable.Series], _ day: DayRun, _ flagged: FlaggedDays,
        _ outcome: inout DayOutcome
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
            let usage = DayUsage(
                rows, day.midnight, lastActive: state.lastActive, missing: day.missing)
            judge(
                String(decoding: customer, as: UTF8.self), usage, weekday,
                try state.series().state, day.midnight, flagged, &outcome)
        }
    }

    private func judge(
        _ customer: String, _ day: DayUsage, _ weekday: WeekdayBaseline, _ state: SeriesState,
        _ midnight: Hour, _ flagged: FlaggedDays, _ outcome: inout DayOutcome
    ) {
        let isFlagged = flagged.isVolumeUnusual(of: customer)
        let check = PatternCheck(
            day, weekday, variance: state.variance, volumeNoise: state.volumeNoise,
            unusual: isFlagged ? state.unusualHours(day, from: midnight) : nil,
            run.policy.pattern)
        guard let check else { return }
        outcome.judged += 1
        outcome.observed += day.volume
        outcome.expected += weekday.volume
        let direction: VolumeEpisode.Direction =
            day.volume <= 0 ? .stopped : check.volumeChange >= 0 ? .up : .down
        let verdict = Verdict.join(
            volumeSeverity: isFlagged ? .critical : .none, direction: direction, pattern: check)
        guard let verdict else { return }
        let found = DayOutcome.Found(
            customer: customer, check: check, verdict: verdict, direction: direction,
            observed: day.volume, expected: weekday.volume, isFlagged: isFlagged)
        if isFlagged && !check.isPatternUnusual {
            outcome.volumes.append(found)
        } else {
            outcome.found.append(found)
        }
    }
}

extension PatternJoins {
    fileprivate mutating func add(_ found: DayOutcome.Found, _ metric: DetectedMetric) {
        customers.append(found.customer)
        metricKeys.append(metric.key)
        kinds.append(found.verdict.kind.rawValue)
        actions.append(found.verdict.recommendedAction)
        similarities.append("\(found.check.similarity)")
    }
}

extension DayUsage {
    /// One day of a series with a state.
    fileprivate init(
        _ rows: ArraySlice<UsageRow>, _ midnight: Hour, lastActive: Hour, missing: Set<Hour>
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
    /// Checks the patterns of a day; what its hours still lack is judged first. Days that were checked
    /// before are checked again for the series with usage that has come since.
    package func checkPatterns(of midnight: Hour, restart: Bool) async throws -> DetectionSummary {
        var summary = try await refresh(at: midnight + 24, restart: restart)
        try await BaselineTable(clickHouse: states.clickHouse).create()
        guard let active = try await baselines.versions().first(where: { $0.state == "active" })
        else {
            summary.lacksBaselines = true
            return summary
        }
        guard !active.isExpired else {
            summary.hasExpiredBaselines = true
            return summary
        }
        let patterns = PatternRun(
            run: self, version: active,
            approvals: try await baselines.approvals(of: active.version),
            kept: try await store.positions())
        let end = patterns.kept.first?.position.nextHour ?? midnight + 24
        let checked = try await baselines.checkedDays(since: end.day - policy.snapshotDays)
        // From the last on: of several days in a row the last is taken off first.
        for day in checked where day.day != midnight.day {
            let first = Hour(day.day * 24)
            let isSame = day.generation == usage.sealed.generation
            if isSame {
                let isLate = try await usage.isAny(
                    metrics, first..<first + 24, after: day.cutoff)
                guard isLate else { continue }
            }
            try await patterns.check(
                first, until: end, after: isSame ? day.cutoff : nil, &summary)
        }
        let isAgain = checked.contains { $0.day == midnight.day }
        try await patterns.check(midnight, until: isAgain ? end : midnight + 24, &summary)
        return summary
    }
}
