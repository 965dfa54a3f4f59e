import ClickHouse
import Exact
import Testing
import Usage

/// Nothing depends on which engine keeps the log, on FINAL, or on whether a merge has happened.
@Suite(.timeLimit(.minutes(5))) struct MeteringEngineTests {
    static let engines: [String?] = [
        nil, "MergeTree ORDER BY (customer_id, event_type, timestamp)",
        "MergeTree ORDER BY (customer_id, event_type, timestamp) PARTITION BY toYYYYMM(timestamp)",
        "ReplacingMergeTree ORDER BY (customer_id, event_type, timestamp, transaction_id)",
        "ReplacingMergeTree(ingested_at) ORDER BY (customer_id, transaction_id)",
        "MergeTree ORDER BY tuple()", "Memory",
    ]

    @Test(arguments: engines)
    func `identical duplicates change no quantity in any engine, merged or not`(
        _ engine: String?
    ) async throws {
        try await withLog(engine: engine) { client in
            let rows = (0..<50).map {
                LogRow(
                    id: "t\($0)", customer: "c\($0 % 5)", type: $0 % 2 == 0 ? "call" : "other",
                    at: october.start + Int64($0) * hourMilliseconds, properties: "{\"v\":\($0)}")
            }
            for share in [rows[...], rows[10..<30], rows[25...], rows[..<1]] {
                try await client.log(Array(share))
            }
            let query = period([
                metric(.sum, "v"), metric(.count, type: "other"), metric(.latest, "v"),
            ])
            let before = try await client.usage(query)
            #expect(before.map(\.customerID) == ["c0", "c1", "c2", "c3", "c4"])
            #expect(before.map(\.events) == [10, 10, 10, 10, 10])
            #expect(before.map { $0.metrics[0].quantity } == [100, 130, 110, 140, 120])
            #expect(before.map { $0.metrics[1].events } == [5, 5, 5, 5, 5])
            #expect(before.map { $0.metrics[2].quantity } == [40, 46, 42, 48, 44])
            let figures = try await client.figures()
            #expect(figures.events == 50)
            #expect(figures.conflicts == 0)
            if engine != "Memory" {
                try await client.execute(ClickHouseQuery("OPTIMIZE TABLE events FINAL"))
            }
            #expect(try await client.usage(query) == before)
            #expect(try await client.figures().events == 50)
            // What a ReplacingMergeTree has merged away is gone; a log keeps it.
            let isReplacing = engine?.hasPrefix("Replacing") == true
            #expect(try await client.figures().duplicates == (isReplacing ? 0 : 46))
            #expect(try await client.quarantined(query).isEmpty)
        }
    }

    @Test func `columns and rows that others add to the log do not matter`() async throws {
        try await withLog(engine: "MergeTree ORDER BY (customer_id, event_type, timestamp)") {
            client in
            try await client.execute(
                ClickHouseQuery(
                    "ALTER TABLE events ADD COLUMN source LowCardinality(String) DEFAULT 'x'"))
            try await client.log([LogRow(properties: #"{"v":5}"#)])
            #expect(try await client.usage(of: metric(.sum, "v")).quantity == 5)
        }
    }
}
