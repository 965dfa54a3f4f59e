import ClickHouse
import Postgres
import Testing

/// Looking into the databases behind the program's back.
extension Stack {
    func count(_ table: String) async throws -> Int {
        try await value("SELECT count(*) AS value FROM \(table)")
    }

    /// One value out of the column `value`.
    func value<T: PostgresDecodable>(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], as type: T.Type = T.self
    ) async throws -> T {
        let result = try await postgres.query(sql, parameters)
        return try #require(result.rows.first).decode("value", as: type)
    }

    /// Asks again until the answer is yes.
    func until(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let deadline = ContinuousClock.now + patience
        while try await !value(sql, parameters, as: Bool.self) {
            try #require(
                ContinuousClock.now < deadline, "waited too long", sourceLocation: sourceLocation)
            await Task.yield()
        }
    }

    /// Rows of the log, duplicates and all.
    func eventRows(where condition: String = "true") async throws -> Int {
        let query = ClickHouseQuery("SELECT count() AS value FROM events WHERE \(condition)")
        return Int(try #require(try await clickHouse.rows(query).first).int64("value"))
    }

    func clickHouse(_ sql: String) async throws {
        try await clickHouse.execute(ClickHouseQuery(sql))
    }

    /// Writes rows into the log as another pipeline might, without the importer's checks. Each is in
    /// ClickHouse's JSONEachRow.
    func insertEvents(_ rows: [String]) async throws {
        try await clickHouse.insert(
            into: "events",
            columns: [
                "transaction_id", "customer_id", "event_type", "timestamp", "properties",
                "ingested_at",
            ],
            format: "JSONEachRow", rows: Array(rows.joined(separator: "\n").utf8))
    }
}
