package import ClickHouse
package import Ledger
package import Postgres

/// A weekday of a series that has drifted, as people look at it.
package struct DriftedBaseline: Sendable {
    package let customerID: String
    package let metricKey: String
    /// 0 is Monday.
    package let weekday: Int
    package let volume: String
    package let newVolume: String
    package let similarity: String

    package var weekdayName: String {
        ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"][weekday]
    }

    /// Those of a version that nobody has approved.
    package static func all(
        of version: BaselineVersion, clickHouse: ClickHouseClient, pool: PostgresPool
    ) async throws -> [DriftedBaseline] {
        let approvals = try await BaselineStore(pool: pool).approvals(of: version.version)
        return try await clickHouse.rows(
            ClickHouseQuery(
                SQL.baselinesDrifted,
                parameters: BaselineTable.parameters(version.version, approvals))
        ).map { row in
            DriftedBaseline(
                customerID: try row.string("customer_id"),
                metricKey: try row.string("metric_key"),
                weekday: Int(try row.int64("weekday")), volume: try row.string("volume"),
                newVolume: try row.string("new_volume"),
                similarity: try row.string("similarity"))
        }
    }
}
