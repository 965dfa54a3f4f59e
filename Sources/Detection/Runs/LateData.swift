internal import Exact
internal import Ledger

extension DetectionRun {
    /// Judges anew what late data has changed, from the last midnight before it on.
    ///
    /// The states of these series at later midnights, and the present ones, are written under a new
    /// version, which counts for them instead of the old one.
    func takeLateData(
        _ kept: [StateTable.Place], _ summary: inout DetectionSummary
    ) async throws -> [StateTable.Place] {
        guard let head = kept.first,
            head.cutoff < usage.sealed.cutoff || head.generation != usage.sealed.generation
        else { return kept }
        let days = kept.filter(\.position.isRefreshed)
        guard let oldest = days.last?.position.nextHour,
            var late = try await lateData(head, since: oldest, &summary)
        else { return kept }

        var replay = try await replay(late, to: head, days, summary)
        if !replay.shifting.isEmpty {
            try await late.judgeWhole(replay.shifting, store)
            replay = try await self.replay(late, to: head, days, summary)
        }
        summary.lateSeries += replay.outcomes.reduce(0) { $0 + $1.series }
        try await finish(replay.record, replay.findings, [], &summary)
        return try await store.positions()
    }

    /// What late data comes to: nothing of it counts before it is recorded.
    private struct Replay {
        let outcomes: [MetricOutcome]
        let record: DetectionStore.Record
        let findings: AnomalyFindings
        /// Keys of metrics all of whose series have to be judged: there may be a shift that was none.
        let shifting: Set<String>
    }

    private func replay(
        _ late: LateHours, to head: StateTable.Place, _ days: [StateTable.Place],
        _ summary: DetectionSummary
    ) async throws -> Replay {
        let begin = try await beginning(late, among: days)
        let from = begin.position
        let version = try await store.newVersion()
        let missing = try await missingHours(head.position).subtracting(late.presentHours)
        var pass = try await pass(
            from: from, to: head.position, place: begin, version, missing: missing)
        pass.metrics.removeAll { !late.concerns($0.key) }
        pass.filter = late.filter
        pass.wholeMetrics = late.wholeMetrics
        pass.writesDays = true
        let outcomes = try await pass.run()
        let later = days.map(\.position).filter { $0 > from && $0 < head.position }
        var record = record(later + [head.position], version, outcomes)
        record.activeSeries = max(record.activeSeries, head.activeSeries)
        record.presentHours = late.presentHours.map { Int64($0.index) }
        var findings = findings(at: head.position.nextHour, summary)
        findings.rejudged = late.rejudged(since: from.nextHour)
        let known = try await store.fleetEpisodes(since: from.nextHour.instant)
        findings.episodes = episodes(outcomes, late, known, since: from.nextHour)
        let active = activeSeries(head)
        let shifting = outcomes.filter { outcome in
            let key = outcome.metric.key
            return !late.wholeMetrics.contains(key)
                && outcome.mayShift(
                    of: active, share: policy.fleetShare,
                    known: known.filter { $0.metricKey == key }.map { ShiftHours($0) })
        }
        return Replay(
            outcomes: outcomes, record: record, findings: findings,
            shifting: Set(shifting.map(\.metric.key)))
    }

    /// Of a metric, on average.
    private func activeSeries(_ head: StateTable.Place) -> Double {
        Double(head.activeSeries) / Double(max(1, metrics.count))
    }

    private func lateData(
        _ head: StateTable.Place, since oldest: Hour, _ summary: inout DetectionSummary
    ) async throws -> LateHours? {
        let end = head.position.nextHour
        let all = Set(metrics.map(\.key))
        guard head.generation == usage.sealed.generation else {
            // Everything was sealed anew.
            return LateHours(first: oldest, wholeMetrics: all, isEverything: true)
        }
        let series = try await usage.late(
            metrics, before: end, since: oldest, after: head.cutoff)
        summary.tooLateHours += series.reduce(0) { $0 + $1.olderHours }
        let first = series.compactMap(\.hours?.lowerBound).min()
        let silent = try await store.missingHours(since: Int64(oldest.index))
            .map { Hour(Int($0)) }.filter { $0 < end }
        if let from = silent.min(), let to = silent.max() {
            let present = try await usage.present(metrics, from..<to + 1)
            let found = Set(silent.filter { present[$0] != nil })
            if let earliest = found.min() {
                return LateHours(
                    first: min(earliest, first ?? earliest), wholeMetrics: all,
                    isEverything: true, presentHours: found)
            }
        }
        guard let first else { return nil }
        var late = LateHours(first: first)
        late.filter = .late(hours: oldest..<end, after: head.cutoff, usage.sealed)
        for one in series where one.hours != nil {
            for metric in metrics where metric.rollupKey == one.rollupKey {
                late.customers.append(one.customer)
                late.metricKeys.append(metric.key)
            }
        }
        try await late.judgeWhole(metricsWithDoubtfulShifts(series, head), store)
        return late
    }

    /// Metrics with a shift in whose onset hours so many series have late data that there may be none: a
    /// tenth of it, or so many that too few are left.
    private func metricsWithDoubtfulShifts(
        _ late: [UsageHours.Late], _ head: StateTable.Place
    ) async throws -> Set<String> {
        guard let first = late.compactMap(\.hours?.lowerBound).min() else { return [] }
        let needed = max(
            Double(FleetShift.minimumSeries), policy.fleetShare * activeSeries(head))
        let shifts = try await store.fleetEpisodes(since: first.instant).filter { shift in
            let onsets = ShiftHours(shift).onsets
            guard let from = onsets.min(), let to = onsets.max(),
                let metric = metrics.first(where: { $0.key == shift.metricKey })
            else { return false }
            let touching = late.count {
                $0.rollupKey == metric.rollupKey && $0.hours?.overlaps(from...to) == true
            }
            return touching > 0
                && (touching * 10 >= shift.series || Double(shift.series - touching) < needed)
        }
        return Set(shifts.map(\.metricKey))
    }

    /// The last kept midnight before the late hours, and before the episodes that they touch: an episode
    /// is judged anew as a whole.
    private func beginning(
        _ late: LateHours, among days: [StateTable.Place]
    ) async throws -> StateTable.Place {
        var hour = late.first
        while true {
            guard let day = days.first(where: { $0.position.nextHour <= hour }) else {
                return days[days.count - 1]
            }
            let midnight = day.position.nextHour
            let began = try await store.episodesBegan(late.touched(since: midnight))
            guard let began, Hour(Int(began)) < midnight else { return day }
            hour = Hour(Int(began))
        }
    }

    /// Whole episodes; one that began before the kept midnights stays as it is.
    private func episodes(
        _ outcomes: [MetricOutcome], _ late: LateHours, _ known: [DetectionStore.FleetEpisode],
        since hour: Hour
    ) -> String {
        var text = FindingText()
        for outcome in outcomes {
            let key = outcome.metric.key
            let isWhole = late.wholeMetrics.contains(key)
            var shifts = known.filter {
                $0.metricKey == key && (!isWhole || $0.range.lowerBound < hour)
            }.map { ShiftHours($0) }
            for shift in isWhole ? outcome.shifts(policy, after: shifts) : [] {
                text.add(shift)
                shifts.append(ShiftHours(shift))
            }
            text.add(outcome, besides: shifts, since: hour)
        }
        return text.json
    }
}

/// What of the judged hours has changed.
private struct LateHours {
    /// The first of them.
    var first: Hour
    /// Metrics of which all series are judged anew, and with them the fleet's shifts.
    var wholeMetrics: Set<String> = []
    /// All series have changed.
    var isEverything = false
    /// Silent hours of the fleet that turned out to be none.
    var presentHours: Set<Hour> = []
    /// Other series, by customer and key of the metric, in step.
    var customers: [String] = []
    var metricKeys: [String] = []
    var filter: SeriesFilter?

    func concerns(_ metricKey: String) -> Bool {
        wholeMetrics.contains(metricKey) || metricKeys.contains(metricKey)
    }

    /// Has all series of some metrics judged, from where the shifts began that these hours touch.
    mutating func judgeWhole(_ keys: Set<String>, _ store: DetectionStore) async throws {
        guard !keys.isEmpty else { return }
        wholeMetrics.formUnion(keys)
        for shift in try await store.fleetEpisodes(since: first.instant)
        where keys.contains(shift.metricKey) {
            first = min(first, shift.range.lowerBound)
        }
    }

    func rejudged(since hour: Hour) -> AnomalyFindings.Rejudged {
        AnomalyFindings.Rejudged(
            customers: customers, metricKeys: metricKeys,
            wholeMetrics: wholeMetrics.sorted(), since: hour.instant)
    }

    /// The series whose own hours have changed.
    func touched(since hour: Hour) -> AnomalyFindings.Rejudged {
        AnomalyFindings.Rejudged(
            customers: customers, metricKeys: metricKeys,
            wholeMetrics: isEverything ? wholeMetrics.sorted() : [], since: hour.instant)
    }
}
