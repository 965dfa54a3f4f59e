internal import ClickHouse
internal import Ledger
internal import Usage

/// Questions of hourly usage up to a sealed batch.
struct UsageHours: Sendable {
    let clickHouse: ClickHouseClient
    let sealed: SealedUsage

    struct Series: Sendable {
        let customer: ArraySlice<UInt8>
        let rows: ArraySlice<UsageRow>
    }

    /// What a range of customers used, in order of customer and hour.
    func read(
        _ metric: DetectedMetric, _ range: CustomerRange, _ hours: Range<Hour>,
        _ filter: SeriesFilter? = nil
    ) async throws -> [Series] {
        guard sealed.cutoff > 0, !hours.isEmpty else { return [] }
        let filter = filter ?? .all
        let sql = SQL.usageHours.replacing("/* value */", with: metric.valueExpression)
        var query = ClickHouseQuery(
            filter.text(sql),
            parameters: parameters(metric, hours).merging(range.parameters) { $1 }
                .merging(filter.parameters(metric)) { $1 })
        if hours.upperBound - hours.lowerBound == 1 { query.settings = ClickHouseQuery.oneThread }
        var reader = RowBinaryReader(
            try await clickHouse.bytes(query, format: "RowBinary"))
        var rows: [UsageRow] = []
        var found: [(customer: ArraySlice<UInt8>, rows: Range<Int>)] = []
        while !reader.isAtEnd {
            let customer = try reader.text()
            let first = rows.count
            for _ in 0..<(try reader.length()) {
                let hour = Hour(Int(try reader.integer(Int32.self)))
                rows.append(UsageRow(hour: hour, value: try reader.double()))
            }
            found.append((customer, first..<rows.count))
        }
        return found.map { Series(customer: $0.customer, rows: rows[$0.rows]) }
    }

    /// Ranges of about `size` customers with usage.
    func ranges(
        _ metric: DetectedMetric, _ hours: Range<Hour>, size: Int, _ filter: SeriesFilter? = nil
    ) async throws -> [CustomerRange] {
        guard sealed.cutoff > 0 else { return [CustomerRange()] }
        let filter = filter ?? .all
        var parameters = parameters(metric, hours).merging(filter.parameters(metric)) { $1 }
        parameters["size"] = .integer(Int64(size))
        let rows = try await clickHouse.rows(
            ClickHouseQuery(filter.text(SQL.usageRanges), parameters: parameters))
        return CustomerRange.between(try rows.map { try $0.string("customer_id") })
    }

    /// The hours in which anybody used anything of these metrics, with how many series that were.
    func present(
        _ metrics: [DetectedMetric], _ hours: Range<Hour>
    ) async throws -> [Hour: Int64] {
        guard sealed.cutoff > 0, !hours.isEmpty else { return [:] }
        let rows = try await clickHouse.rows(
            ClickHouseQuery(SQL.usagePresent, parameters: parameters(metrics, hours)))
        return Dictionary(
            uniqueKeysWithValues: try rows.map {
                (Hour(Int(try $0.int64("present_hour"))), try $0.int64("series"))
            })
    }

    /// Whether anybody used anything of these metrics, of what came after a batch.
    func isAny(
        _ metrics: [DetectedMetric], _ hours: Range<Hour>, after batch: Int64 = 0
    ) async throws -> Bool {
        guard sealed.cutoff > batch else { return false }
        var parameters = parameters(metrics, hours)
        parameters["after"] = .integer(batch)
        return try await !clickHouse.rows(
            ClickHouseQuery(SQL.usageAny, parameters: parameters)
        ).isEmpty
    }

    struct Late: Sendable {
        let rollupKey: String
        let customer: String
        /// From the first to the last that has changed; nil: only hours that are not kept any more.
        let hours: ClosedRange<Hour>?
        let olderHours: Int64
    }

    /// Whose hours before one have changed since a batch.
    func late(
        _ metrics: [DetectedMetric], before end: Hour, since oldest: Hour, after batch: Int64
    ) async throws -> [Late] {
        guard sealed.cutoff > batch else { return [] }
        var parameters = parameters(metrics, Hour(0)..<end)
        parameters["oldest"] = .integer(Int64(oldest.index))
        parameters["after"] = .integer(batch)
        return try await clickHouse.rows(
            ClickHouseQuery(SQL.lateSeries, parameters: parameters)
        ).map { row in
            let first = Hour(Int(try row.int64("first_hour")))
            let last = Hour(Int(try row.int64("last_hour")))
            return Late(
                rollupKey: try row.string("rollup_key"), customer: try row.string("customer_id"),
                hours: first.index > 0 ? first...last : nil,
                olderHours: try row.int64("older_hours"))
        }
    }

    private func parameters(
        _ metric: DetectedMetric, _ hours: Range<Hour>
    ) -> [String: ClickHouseValue] {
        var parameters = sealed.parameters
        parameters["rollup_key"] = .string(metric.rollupKey)
        parameters["first"] = .integer(Int64(hours.lowerBound.index))
        parameters["end"] = .integer(Int64(hours.upperBound.index))
        return parameters
    }

    private func parameters(
        _ metrics: [DetectedMetric], _ hours: Range<Hour>
    ) -> [String: ClickHouseValue] {
        var parameters = sealed.parameters
        parameters["rollup_keys"] = .strings(Array(Set(metrics.map(\.rollupKey))).sorted())
        parameters["first"] = .integer(Int64(hours.lowerBound.index))
        parameters["end"] = .integer(Int64(hours.upperBound.index))
        return parameters
    }
}
