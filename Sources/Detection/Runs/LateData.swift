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
            let late = try await lateData(head, since: oldest, &summary)
        else { return kept }

        var replay = try await replay(late, to: head, days)
        let active = Double(head.activeSeries) / Double(max(1, metrics.count))
        if late.filter != nil,
            replay.outcomes.contains(where: { $0.mayShift(of: active, share: policy.fleetShare) })
        {
            replay = try await self.replay(LateHours(first: late.first), to: head, days)
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
    }

    private func replay(
        _ late: LateHours, to head: StateTable.Place, _ days: [StateTable.Place]
    ) async throws -> Replay {
        let begin = try await beginning(late, among: days)
        let from = begin.position
        let version = try await store.newVersion()
        let missing = try await missingHours(head.position).subtracting(late.presentHours)
        var pass = try await pass(
            from: from, to: head.position, place: begin, version, missing: missing)
        pass.filter = late.filter
        pass.writesDays = true
        let outcomes = try await pass.run()
        let later = days.map(\.position).filter { $0 > from && $0 < head.position }
        var record = record(later + [head.position], version, outcomes)
        record.activeSeries = max(record.activeSeries, head.activeSeries)
        record.presentHours = late.presentHours.map { Int64($0.index) }
        var findings = findings(at: head.position.nextHour)
        findings.rejudged = late.rejudged(since: from.nextHour)
        findings.episodes = try await episodes(
            outcomes, since: from.nextHour, isWhole: late.filter == nil)
        return Replay(outcomes: outcomes, record: record, findings: findings)
    }

    /// What of the judged hours has changed.
    private struct LateHours {
        /// The first of them.
        var first: Hour
        /// By customer and key of the metric, in step; nil: all series.
        var customers: [String]?
        var metricKeys: [String]?
        /// Silent hours of the fleet that turned out to be none.
        var presentHours: Set<Hour> = []
        var filter: SeriesFilter?

        func rejudged(since hour: Hour) -> AnomalyFindings.Rejudged {
            AnomalyFindings.Rejudged(
                customers: customers, metricKeys: metricKeys, since: hour.instant)
        }
    }

    private func lateData(
        _ head: StateTable.Place, since oldest: Hour, _ summary: inout DetectionSummary
    ) async throws -> LateHours? {
        let end = head.position.nextHour
        guard head.generation == usage.sealed.generation else {
            // Everything was sealed anew.
            return LateHours(first: oldest)
        }
        let series = try await usage.late(
            metrics, before: end, since: oldest, after: head.cutoff)
        summary.tooLateHours += series.reduce(0) { $0 + $1.olderHours }
        let silent = try await store.missingHours(since: Int64(oldest.index))
            .map { Hour(Int($0)) }.filter { $0 < end }
        if let first = silent.min(), let last = silent.max() {
            let present = try await usage.present(metrics, first..<last + 1)
            let found = Set(silent.filter { present[$0] != nil })
            if let first = found.min() {
                return LateHours(first: first, presentHours: found)
            }
        }
        let known = series.filter { $0.first != nil }
        guard let first = known.compactMap(\.first).min() else { return nil }
        let touched = try await store.fleetEpisodes(since: first.instant)
            .filter { $0.range.upperBound >= first }
        guard touched.isEmpty else { return LateHours(first: first) }
        let pairs = known.flatMap { late in
            metrics.filter { $0.rollupKey == late.rollupKey }.map { (late.customer, $0.key) }
        }
        return LateHours(
            first: first, customers: pairs.map(\.0), metricKeys: pairs.map(\.1),
            filter: .late(hours: oldest..<end, after: head.cutoff, usage.sealed))
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
            let began = try await store.episodesBegan(late.rejudged(since: midnight))
            guard let began, Hour(Int(began)) < midnight else { return day }
            hour = Hour(Int(began))
        }
    }

    /// Whole episodes; one that began before the kept midnights stays as it is.
    ///
    /// - Parameter isWhole: all series were judged: so are the fleet's shifts.
    private func episodes(
        _ outcomes: [MetricOutcome], since hour: Hour, isWhole: Bool
    ) async throws -> String {
        let known = try await store.fleetEpisodes(since: hour.instant)
            .filter { !isWhole || $0.range.lowerBound < hour }
        var text = FindingText()
        for outcome in outcomes {
            var shifted = known.filter { $0.metricKey == outcome.metric.key }.map(\.range)
            for shift in isWhole ? outcome.shifts(policy) : [] {
                text.add(shift)
                shifted.append(shift.first...shift.last)
            }
            for (customer, episode) in outcome.episodes where episode.first >= hour {
                if !shifted.contains(where: { $0.contains(episode.first) }) {
                    text.add(episode, of: customer, outcome.metric)
                }
            }
        }
        return text.json
    }
}
