package import ClickHouse
package import Exact

/// Appends events to the log in ClickHouse, leaving out what is there already.
///
/// A batch first goes into a table of its own, so that the comparison happens in the database and memory
/// stays flat. An import that dies leaves at most a batch half appended: importing again adds the rest.
package final class EventLog {
    private let clickHouse: ClickHouseClient
    private let incoming: String
    private let ingestedAt: Instant
    private var rows: [UInt8] = []
    private var rowCount = 0
    private var hasTable = false

    /// Events that were not in the log before.
    package private(set) var added: Int64 = 0
    /// Events that were.
    package private(set) var known: Int64 = 0

    private static let batchRows = 100_000
    private static let batchBytes = 32 << 20

    /// - Parameter ingestedAt: when the events count as received.
    package init(clickHouse: ClickHouseClient, ingestedAt: Instant) {
        self.clickHouse = clickHouse
        self.ingestedAt = ingestedAt
        incoming =
            "incoming_\(ingestedAt.milliseconds)_\(String(UInt64.random(in: .min ... .max), radix: 36))"
    }

    package func append(_ event: UsageEvent) async throws {
        event.appendJSONEachRow(to: &rows, ingestedAtMilliseconds: ingestedAt.milliseconds)
        rowCount += 1
        if rowCount >= Self.batchRows || rows.count >= Self.batchBytes { try await flush() }
    }

    /// Writes what is left, and removes the table of this import.
    package func finish() async throws {
        try await flush()
        if hasTable { try await clickHouse.execute(query(SQL.incomingDrop)) }
    }

    private func flush() async throws {
        guard rowCount > 0 else { return }
        if hasTable {
            try await clickHouse.execute(query(SQL.incomingTruncate))
        } else {
            try await removeLeftovers()
            try await clickHouse.execute(query(SQL.incomingCreate))
            hasTable = true
        }
        try await clickHouse.insert(
            into: incoming,
            columns: [
                "transaction_id", "customer_id", "event_type", "timestamp", "properties",
                "ingested_at",
            ],
            format: "JSONEachRow", rows: rows)
        let new = try await clickHouse.rows(query(SQL.incomingCount)).first?.int64("added") ?? 0
        if new > 0 { try await clickHouse.execute(query(SQL.incomingAppend)) }
        added += new
        known += Int64(rowCount) - new
        rows.removeAll(keepingCapacity: true)
        rowCount = 0
    }

    private func removeLeftovers() async throws {
        for row in try await clickHouse.rows(ClickHouseQuery(SQL.incomingStale)) {
            try await clickHouse.execute(query(SQL.incomingDrop, of: try row.string("name")))
        }
    }

    private func query(_ sql: String, of table: String? = nil) -> ClickHouseQuery {
        ClickHouseQuery(sql, parameters: ["incoming": .string(table ?? incoming)])
    }
}
