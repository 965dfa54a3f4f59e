internal import ClickHouse
internal import Ledger

/// Adds up winners by hour and by day, under the numbers of their batches.
struct RollupWriter: Sendable {
    let clickHouse: ClickHouseClient
    /// Knows the key of every metric.
    let sealed: SealedUsage
    /// Of additive metrics, each key once.
    let columns: [MetricColumns]

    /// - Parameters:
    ///   - winners: a subquery of rows with `batch`, and the values of the columns.
    ///   - countsAll: whether all events of a day are counted too, whether or not a metric counts them.
    func write(
        batches: ClosedRange<Int64>, of winners: String, countsAll: Bool,
        _ parameters: [String: ClickHouseValue]
    ) async throws {
        var parameters = parameters
        let keys = columns.map { sealed.rollupKey(of: $0.metric) }
        let maxima = columns.filter { $0.metric.aggregation == .max }
        parameters["rollup_keys"] = .strings(keys)
        parameters["maxima"] = .strings(maxima.map { sealed.rollupKey(of: $0.metric) })
        parameters["first_batch"] = .integer(batches.lowerBound)
        parameters["last_batch"] = .integer(batches.upperBound)
        let rollups = zip(columns, keys).map { column, key in
            column.renderRollup(key: key, isBatch: true, &parameters)
        }
        var statements = countsAll ? [SQL.dailyEventsInsert] : []
        if !rollups.isEmpty {
            statements += [
                SQL.hourlyInsert.replacing("/* rollups */", with: rollups.joined(separator: ",\n")),
                SQL.dailyInsert,
            ]
        }
        for sql in statements {
            try await clickHouse.execute(
                ClickHouseQuery(
                    sql.replacing("/* winners */", with: winners), parameters: parameters,
                    settings: MetricColumns.longText))
        }
    }

    /// The same for batches that were sealed before these metrics were known.
    func backfill(batches: ClosedRange<Int64>) async throws {
        var parameters = sealed.parameters
        let values = columns.map { $0.renderValues(&parameters) }
        let winners = SQL.sealedWinners.replacing("/* metric values */", with: values.joined())
        try await write(batches: batches, of: winners, countsAll: false, parameters)
    }
}
