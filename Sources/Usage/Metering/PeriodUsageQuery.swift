package import ClickHouse
package import Exact
package import Ledger

/// The question "how much did every customer use in this period, exactly?", put to sealed usage.
package struct PeriodUsageQuery: Sendable {
    package let metrics: [Metric]
    package let start: Instant
    package let end: Instant
    package let sealed: SealedUsage

    package init(metrics: [Metric], start: Instant, end: Instant, sealed: SealedUsage) {
        precondition(start < end)
        self.metrics = metrics
        self.start = start
        self.end = end
        self.sealed = sealed
    }

    /// One row a customer with events in the period, in order of `customer_id`: `events`, and for each
    /// metric `events_N`, `quantity_N` (a plain decimal; NULL without usage) and `unparsable_N`.
    ///
    /// - Parameter customer: only this one; `nil` for all.
    package func byCustomer(_ customer: String? = nil) -> ClickHouseQuery {
        let cover = PeriodCover(start: start, end: end)
        let (additive, others) = (columns(isAdditive: true), columns(isAdditive: false))
        return byCustomer(customer) { parameters in
            var pieces = cover.days.map { rollups("{daily:Identifier}", "day", $0) }
            for hours in cover.hours {
                pieces.append(rollups("{hourly:Identifier}", "hour", hours))
                pieces.append(winners([], hours, countsAll: true, &parameters))
            }
            pieces += cover.rest.map { winners(additive, $0, countsAll: true, &parameters) }
            if !others.isEmpty {
                pieces.append(winners(others, start..<end, countsAll: false, &parameters))
            }
            return pieces
        }
    }

    /// The same without the rollups, from each event of one customer.
    package func fromWinners(of customer: String) -> ClickHouseQuery {
        byCustomer(customer) { parameters in
            [winners(allColumns, start..<end, countsAll: true, &parameters)]
        }
    }

    /// One row: `events`, `duplicates` and `conflicts` of the UTC days that begin in the period.
    package func figures() -> ClickHouseQuery {
        ClickHouseQuery(SQL.usageFigures, parameters: boundaries)
    }

    /// Every later row with another content than the row that counts: `customer_id`, `transaction_id`,
    /// and both contents.
    package func conflicts(of customer: String? = nil) -> ClickHouseQuery {
        var parameters = boundaries
        return ClickHouseQuery(
            filtered(SQL.usageConflicts, to: customer, &parameters), parameters: parameters)
    }

    /// Every event that counts, although a metric cannot read its quantity; `nil` if no metric reads any.
    package func unreadable(of customer: String? = nil) -> ClickHouseQuery? {
        var parameters = boundaries
        let reasons = allColumns.filter { $0.metric.property != nil }
            .map { $0.renderReason(&parameters) }
        guard !reasons.isEmpty else { return nil }
        let text = SQL.usageUnreadable.replacing(
            "/* metric reasons */", with: reasons.joined(separator: ",\n"))
        return ClickHouseQuery(
            filtered(text, to: customer, &parameters), parameters: parameters,
            settings: MetricColumns.longText)
    }

    // MARK: Parts of the text

    private func byCustomer(
        _ customer: String?, pieces: (inout [String: ClickHouseValue]) -> [String]
    ) -> ClickHouseQuery {
        var parameters = sealed.parameters
        let keys = columns(isAdditive: true).map { sealed.rollupKey(of: $0.metric) }
        parameters["rollup_keys"] = .strings(Array(Set(keys + ["events"])).sorted())
        let folds = allColumns.map {
            $0.renderFolds(key: sealed.rollupKey(of: $0.metric), &parameters)
        }
        let text = SQL.usageByCustomer
            .replacing("/* pieces */", with: pieces(&parameters).joined(separator: "\nUNION ALL\n"))
            .replacing("/* metric columns */", with: folds.joined())
        return ClickHouseQuery(
            filtered(text, to: customer, &parameters), parameters: parameters,
            settings: MetricColumns.longText)
    }

    private func rollups(_ table: String, _ unit: String, _ range: Range<Instant>) -> String {
        bounded(
            SQL.pieceRollup.replacing("/* table */", with: table)
                .replacing("/* unit */", with: unit), range)
    }

    private func winners(
        _ columns: [MetricColumns], _ range: Range<Instant>, countsAll: Bool,
        _ parameters: inout [String: ClickHouseValue]
    ) -> String {
        var rollups = countsAll ? [MetricColumns.allEvents] : []
        var keys: Set<String> = []
        // Two metrics may share a rollup: then the one with a quantity makes it.
        let sorted = columns.filter { $0.metric.property != nil } + columns
        for column in sorted {
            let key = sealed.rollupKey(of: column.metric)
            guard keys.insert(key).inserted else { continue }
            rollups.append(column.renderRollup(key: key, &parameters))
        }
        let values = columns.map { $0.renderValues(&parameters) }
        return bounded(
            SQL.pieceWinners.replacing("/* rollups */", with: rollups.joined(separator: ",\n"))
                .replacing("/* metric values */", with: values.joined()), range)
    }

    /// The bounds are numbers of ours: they stand in the text, since every piece has its own.
    private func bounded(_ sql: String, _ range: Range<Instant>) -> String {
        sql.replacing("/* start */", with: "toInt64(\(range.lowerBound.milliseconds))")
            .replacing("/* end */", with: "toInt64(\(range.upperBound.milliseconds))")
    }

    private var allColumns: [MetricColumns] {
        metrics.enumerated().map { MetricColumns(metric: $1, index: $0) }
    }

    private func columns(isAdditive: Bool) -> [MetricColumns] {
        allColumns.filter { $0.metric.isAdditive == isAdditive }
    }

    private var boundaries: [String: ClickHouseValue] {
        sealed.parameters.merging(
            ["start": .integer(start.milliseconds), "end": .integer(end.milliseconds)]) { $1 }
    }

    private func filtered(
        _ sql: String, to customer: String?, _ parameters: inout [String: ClickHouseValue]
    ) -> String {
        if let customer { parameters["customer"] = .string(customer) }
        let filter = customer == nil ? "true" : "customer_id = {customer:String}"
        return sql.replacing("/* customer filter */ true", with: filter)
    }
}

/// How a period is put together: whole UTC days, whole hours beside them, and the rest at its edges.
///
/// Month starts in Kolkata and Kathmandu lie on minute 30 and 45 of a UTC hour.
struct PeriodCover: Equatable {
    private(set) var days: [Range<Instant>] = []
    private(set) var hours: [Range<Instant>] = []
    private(set) var rest: [Range<Instant>] = []

    init(start: Instant, end: Instant) {
        let (hour, day): (Int64, Int64) = (3_600_000, 86_400_000)
        let hours = Self.whole(hour, start..<end)
        let days = hours.flatMap { Self.whole(day, $0) }
        self.days = days.map { [$0] } ?? []
        self.hours = Self.edges(of: hours, around: days)
        rest = Self.edges(of: start..<end, around: hours)
    }

    private static func whole(_ unit: Int64, _ range: Range<Instant>) -> Range<Instant>? {
        let first = -floor(-range.lowerBound.milliseconds, unit) * unit
        let last = floor(range.upperBound.milliseconds, unit) * unit
        return first < last ? Instant(milliseconds: first)..<Instant(milliseconds: last) : nil
    }

    /// What of `outer` lies before and after `inner`.
    private static func edges(
        of outer: Range<Instant>?, around inner: Range<Instant>?
    ) -> [Range<Instant>] {
        guard let outer else { return [] }
        guard let inner else { return [outer] }
        return [
            outer.lowerBound..<inner.lowerBound, inner.upperBound..<outer.upperBound,
        ].filter { !$0.isEmpty }
    }

    private static func floor(_ value: Int64, _ unit: Int64) -> Int64 {
        (value / unit) - (value % unit < 0 ? 1 : 0)
    }
}
