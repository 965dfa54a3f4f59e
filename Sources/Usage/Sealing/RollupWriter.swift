internal import ClickHouse
internal import Ledger

/// Adds up winners by hour and by day, under the numbers of their batches.
struct RollupWriter: Sendable {
    let clickHouse: ClickHouseClient
    /// Knows the key of every metric.
    let sealed: SealedUsage
    /// Of additive metrics, each key once.
    let columns: [MetricColumns]

    /// So many metrics are added up at once: the memory of the server grows with them.
    private static let mostColumns = 8

    /// - Parameters:
    ///   - winners: a subquery of rows with `batch`, and the values of the columns.
    ///   - hours: a name for a table that nobody else uses; it is gone at the end.
    ///   - countsAll: whether all events of a day are counted too, whether or not a metric counts them.
    func write(
        of winners: String, hours: String, countsAll: Bool,
        _ parameters: [String: ClickHouseValue]
    ) async throws {
        let table = ClickHouseValue.string(hours)
        let parameters = parameters.merging(["hours": table]) { $1 }
        var rest = columns[...]
        var countsAll = countsAll
        while countsAll || !rest.isEmpty {
            try await write(
                Array(rest.prefix(Self.mostColumns)), of: winners, countsAll: countsAll, parameters)
            try await clickHouse.execute(
                ClickHouseQuery(SQL.stageDrop, parameters: ["table": table]))
            rest = rest.dropFirst(Self.mostColumns)
            countsAll = false
        }
    }

    private func write(
        _ columns: [MetricColumns], of winners: String, countsAll: Bool,
        _ parameters: [String: ClickHouseValue]
    ) async throws {
        var parameters = parameters
        var (rows, days) = ([String](), countsAll ? [MetricColumns.allEventsOfADay] : [])
        for column in columns {
            let key = sealed.rollupKey(of: column.metric)
            rows.append(column.renderHourlyRows(key: key, &parameters))
            days.append(column.renderDay(key: key, &parameters))
        }
        var statements = [
            SQL.hours.replacing(
                "/* metric columns */", with: columns.map { $0.renderHour() }.joined()
            )
            .replacing("/* winners */", with: winners)
        ]
        if !rows.isEmpty {
            statements.append(
                SQL.hourlyInsert.replacing(
                    "/* rows */", with: rows.joined(separator: "\nUNION ALL\n")))
        }
        statements.append(
            SQL.dailyInsert.replacing("/* rollups */", with: days.joined(separator: ",\n")))
        for sql in statements {
            try await clickHouse.execute(
                ClickHouseQuery(sql, parameters: parameters, settings: BatchWriter.settings))
        }
    }

    /// The same for batches that were sealed before these metrics were known.
    func backfill(batches: ClosedRange<Int64>) async throws {
        var parameters = sealed.parameters
        parameters["first_batch"] = .integer(batches.lowerBound)
        parameters["last_batch"] = .integer(batches.upperBound)
        let values = columns.map { $0.renderValues(&parameters) }
        let winners = SQL.sealedWinners.replacing("/* metric values */", with: values.joined())
        // Whoever lost the lease and goes on must not meet this table.
        let name = "hours\(UInt64.random(in: 0 ... .max))"
        try await write(
            of: winners, hours: "sealing_\(batches.lowerBound)_\(name)", countsAll: false,
            parameters)
    }
}
