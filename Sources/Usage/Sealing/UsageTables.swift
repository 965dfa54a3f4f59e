package import ClickHouse
package import Ledger

/// The tables of one generation: winners, what was seen, rollups, conflicts, figures and slices.
///
/// They are made when sealing begins, and never altered: other tables are another generation.
struct UsageTables: Sendable {
    let generation: Int

    var parameters: [String: ClickHouseValue] {
        Self.names.reduce(into: [:]) { $0[$1] = .string("usage_\($1)_\(generation)") }
    }

    func create(_ clickHouse: ClickHouseClient) async throws {
        let isOld = try await clickHouse.rows(ClickHouseQuery(SQL.tableSettingsKnown)).isEmpty
        for definition in Self.definitions {
            let sql = isOld ? definition : "\(definition)\n\(SQL.tableSettings)"
            try await clickHouse.execute(ClickHouseQuery(sql, parameters: parameters))
        }
    }

    func drop(_ clickHouse: ClickHouseClient) async throws {
        for name in parameters.values {
            try await clickHouse.execute(
                ClickHouseQuery(SQL.stageDrop, parameters: ["table": name]))
        }
    }

    func remove(batch: Int64, _ clickHouse: ClickHouseClient) async throws {
        for name in Self.names {
            let sql = SQL.batchRemove.replacing("/* table */", with: "usage_\(name)_\(generation)")
            try await clickHouse.execute(
                ClickHouseQuery(sql, parameters: ["batch": .integer(batch)]))
        }
    }

    private static let names = [
        "winners", "seen", "hourly", "daily", "conflicts", "figures", "slices",
    ]
    private static let definitions = [
        SQL.tableWinners, SQL.tableSeen, SQL.tableHourly, SQL.tableDaily, SQL.tableConflicts,
        SQL.tableFigures, SQL.tableSlices,
    ]
}

extension SealedUsage {
    /// What every question of sealed usage is bound to.
    package var parameters: [String: ClickHouseValue] {
        UsageTables(generation: generation).parameters.merging(
            ["cutoff": .integer(cutoff), "hidden": .integers(hidden)]) { $1 }
    }

    /// What is not rolled up is computed under its own key.
    package func rollupKey(of metric: Metric) -> String {
        rollupKeys[metric.key] ?? metric.key
    }

    /// Whether rows are written for this metric; else another one's hold it.
    func hasOwnRollup(_ metric: Metric) -> Bool {
        metric.isAdditive && rollupKey(of: metric).hasPrefix("\(metric.key).")
    }

    /// Those of the metrics that need rollups, and have none.
    func unsealed(_ metrics: [Metric]) -> [Metric] {
        metrics.filter { $0.isAdditive && rollupKeys[$0.key] == nil }
    }
}
