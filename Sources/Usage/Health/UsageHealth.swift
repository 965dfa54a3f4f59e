package import ClickHouse
package import Exact

/// How ClickHouse fares: read only.
package struct UsageHealth: Sendable {
    package struct Disk: Sendable {
        package let name: String
        /// Bytes.
        package let free: Int64
        package let total: Int64
    }

    private let clickHouse: ClickHouseClient

    package init(clickHouse: ClickHouseClient) {
        self.clickHouse = clickHouse
    }

    package func version() async throws -> String {
        try await clickHouse.rows(ClickHouseQuery(SQL.healthVersion)).first?.string("version")
            ?? "?"
    }

    package func disks() async throws -> [Disk] {
        try await clickHouse.rows(ClickHouseQuery(SQL.healthDisks)).map {
            Disk(
                name: try $0.string("name"), free: try $0.int64("free"),
                total: try $0.int64("total"))
        }
    }

    /// For how long the oldest event waits that came after a moment; `nil`: none came.
    package func waitingSeconds(_ source: SourceTable, since: Instant) async throws -> Int64? {
        var parameters = source.parameters
        parameters["since_ms"] = .integer(since.milliseconds)
        let rows = try await clickHouse.rows(
            ClickHouseQuery(SQL.healthWaiting, parameters: parameters))
        guard let seconds = try rows.first?.int64("seconds"), seconds >= 0 else { return nil }
        return seconds
    }

    /// - Throws: what keeps the log of events from being read.
    package func read(_ source: SourceTable) async throws {
        _ = try await clickHouse.rows(
            ClickHouseQuery(SQL.healthEvents, parameters: source.parameters))
    }
}
