internal import Exact
internal import Ledger

/// What a rebuild of the baselines came to.
package struct BaselineSummary: Sendable {
    package var version: Int64 = 0
    package var series = 0
    package var baselines = 0
    package var drifted = 0
    package var isPromoted = true

    package var json: String {
        FindingText.object([
            ("version", "\(version)"), ("series", "\(series)"), ("baselines", "\(baselines)"),
            ("drifted", "\(drifted)"), ("is_promoted", "\(isPromoted)"),
        ])
    }
}

/// Makes a version of every series' weekdays from eight weeks of usage.
struct BaselineRun: Sendable {
    let run: DetectionRun
    /// The Monday after the last day.
    let end: Hour

    private static let weeks = 8
    private static let rangeSize = 1_000
    /// A version of which more has drifted is not promoted by itself: something is wrong with the usage.
    private static let largestDriftedShare = 0.2

    private var table: BaselineTable { BaselineTable(clickHouse: run.states.clickHouse) }
    private var store: BaselineStore { run.baselines }
    private var hours: Range<Hour> { end + -Self.weeks * 7 * 24..<end }

    func rebuild(slot: String) async throws -> BaselineSummary {
        try await table.create()
        let versions = try await store.versions()
        let active = versions.first { $0.state == "active" }
        let before = CivilDate(daysSinceEpoch: Int64(end.day - 1 - 28))
        let older = versions.first {
            $0.state != "refused" && $0.version != active?.version && $0.lastDay <= "\(before)"
        }
        let references = try await references(older, among: versions)
        var summary = BaselineSummary()
        summary.version = try await run.store.newVersion()
        let missing = Set(
            try await run.store.missingHours(since: Int64(hours.lowerBound.index))
                .map { Hour(Int($0)) })
        for metric in run.metrics {
            let flagged = try await store.flagged(
                metricKey: metric.key, hours.lowerBound.instant..<end.instant)
            let days = FlaggedDays(flagged)
            for range in try await run.usage.ranges(metric, hours, size: Self.rangeSize) {
                try Task.checkCancellation()
                let previous = try await known(active, metric, range)
                let oldest = try await known(references, metric, range)
                var rows = BaselineRows(version: summary.version, metric)
                for series in try await run.usage.read(metric, range, hours) {
                    summary.series += 1
                    add(series, days, missing, previous, oldest, &rows)
                }
                try await table.write(rows)
                summary.baselines += rows.count
                summary.drifted += rows.drifted
            }
        }
        summary.isPromoted =
            Double(summary.drifted) <= Self.largestDriftedShare * Double(summary.baselines)
            || summary.drifted < FleetShift.minimumSeries
        let first = CivilDate(daysSinceEpoch: Int64(hours.lowerBound.day))
        try await store.add(
            summary.version, slot: slot,
            days: first...CivilDate(daysSinceEpoch: Int64(end.day - 1)),
            baselines: Int64(summary.baselines), drifted: Int64(summary.drifted),
            isPromoted: summary.isPromoted, run.lease)
        try await table.drop(
            before: summary.version, keeping: try await store.versions().map(\.version))
        return summary
    }

    /// What slow changes are measured from: the version four weeks older; and those with approvals since
    /// then, in order, which stand in for it where they were approved.
    private func references(
        _ older: BaselineVersion?, among versions: [BaselineVersion]
    ) async throws -> [Reference] {
        guard let older else { return [] }
        var references = [Reference(version: older, approvals: BaselineApprovals(all: true))]
        for version in versions.reversed()
        where version.version > older.version && version.state != "refused" {
            let approvals = try await store.approvals(of: version.version)
            guard approvals.all || !approvals.customers.isEmpty else { continue }
            references.append(Reference(version: version, approvals: approvals))
        }
        return references
    }

    private struct Reference: Sendable {
        let version: BaselineVersion
        /// Whose it is.
        let approvals: BaselineApprovals
    }

    private func known(
        _ references: [Reference], _ metric: DetectedMetric, _ range: CustomerRange
    ) async throws -> [[UInt8]: [WeekdayBaseline]] {
        var found: [[UInt8]: [WeekdayBaseline]] = [:]
        for reference in references {
            let (all, customers) = (reference.approvals.all, Set(reference.approvals.customers))
            let known = try await known(reference.version, metric, range)
            for (customer, weekdays) in known
            where all || customers.contains(String(decoding: customer, as: UTF8.self)) {
                found[customer] = weekdays
            }
        }
        return found
    }

    private func known(
        _ version: BaselineVersion?, _ metric: DetectedMetric, _ range: CustomerRange
    ) async throws -> [[UInt8]: [WeekdayBaseline]] {
        guard let version else { return [:] }
        let approvals = try await store.approvals(of: version.version)
        let series = try await table.read(version.version, approvals, metric, range)
        return Dictionary(
            series.map { (Array($0.customer), $0.weekdays) }, uniquingKeysWith: { $1 })
    }

    private func add(
        _ series: UsageHours.Series, _ flagged: FlaggedDays, _ missing: Set<Hour>,
        _ previous: [[UInt8]: [WeekdayBaseline]], _ older: [[UInt8]: [WeekdayBaseline]],
        _ rows: inout BaselineRows
    ) {
        let customer = Array(series.customer)
        let days = DayUsage.days(
            series.rows, until: end, missing: missing,
            isFlagged: flagged.days(of: String(decoding: customer, as: UTF8.self)))
        for baseline in WeekdayBaseline.all(days) {
            let old = previous[customer]?.first { $0.weekday == baseline.weekday }
            let drift = BaselineDrift.violations(
                of: baseline, previous: old,
                older: older[customer]?.first { $0.weekday == baseline.weekday })
            if drift.isEmpty || old == nil {
                rows.add(baseline, of: series.customer)
            } else if let old {
                rows.add(old, of: series.customer)
                rows.add(baseline, of: series.customer, isDrifted: true)
            }
        }
    }
}

/// The days on which series were unusual.
struct FlaggedDays {
    private var byCustomer: [String: Set<Int>] = [:]
    private var ofFleet: Set<Int> = []
    private var volumes: Set<String> = []

    init(_ flagged: [BaselineStore.Flagged]) {
        for item in flagged {
            guard let customer = item.customerID else {
                ofFleet.formUnion(item.days)
                continue
            }
            byCustomer[customer, default: []].formUnion(item.days)
            if item.isVolume { volumes.insert(customer) }
        }
    }

    func days(of customer: String) -> Set<Int> {
        byCustomer[customer].map { $0.union(ofFleet) } ?? ofFleet
    }

    /// Whether the volume was.
    func isVolumeUnusual(of customer: String) -> Bool { volumes.contains(customer) }
}

extension DayUsage {
    /// Whole UTC days from the first row on.
    ///
    /// - Parameter isFlagged: days since 1970 on which something was unusual.
    static func days(
        _ rows: ArraySlice<UsageRow>, until end: Hour, missing: Set<Hour>, isFlagged: Set<Int> = []
    ) -> [DayUsage] {
        guard let first = rows.first else { return [] }
        var days: [DayUsage] = []
        var next = rows.startIndex
        var lastActive = first.hour
        for day in first.hour.day..<end.day {
            let midnight = Hour(day * 24)
            let hours = (0..<24).map { offset -> Double? in
                let hour = midnight + offset
                if next < rows.endIndex, rows[next].hour == hour {
                    lastActive = hour
                    next += 1
                    return rows[next - 1].value
                }
                guard hour >= first.hour, hour - lastActive <= SeriesReplay.activeHours,
                    !missing.contains(hour)
                else { return nil }
                return 0
            }
            days.append(
                DayUsage(
                    weekday: midnight.weekday, hours: hours, isFlagged: isFlagged.contains(day)))
        }
        return days
    }
}

extension DetectionRun {
    /// Makes a version of the baselines from the eight weeks before a Monday.
    package func rebuildBaselines(until end: Hour) async throws -> BaselineSummary {
        try await BaselineRun(run: self, end: end).rebuild(slot: name)
    }
}
