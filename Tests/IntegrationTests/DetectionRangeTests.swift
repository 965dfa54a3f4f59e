import ClickHouse
import Testing

/// Fleets that do not fit into one range of customers.
struct DetectionRangeTests {
    /// Ids in the order of their bytes, which is not that of their letters.
    @Test func `every customer is judged once, whatever their ids are`() async throws {
        let customers = 4_300
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await stack.clickHouse(
                """
                INSERT INTO events (transaction_id, customer_id, event_type, timestamp, properties, ingested_at)
                SELECT toString(number), concat(['a', 'B', 'é', '\\'', 'e\\u0301', ' '][number % 6 + 1], toString(intDiv(number, 3) % \(customers))),
                    'api_request', fromUnixTimestamp64Milli(\(milliseconds(DetectedFleet.start)) + (number % 3) * 86400000, 'UTC'),
                    '{}', now64(3, 'UTC')
                FROM numbers(\(customers) * 3)
                """)
            try await stack.detect(3 * 24..<3 * 24 + 2)
            let distinct = try await stack.clickHouse.rows(
                ClickHouseQuery("SELECT uniqExact(customer_id) AS customers FROM events"))
            let expected = Int(try #require(distinct.first).int64("customers"))
            #expect(expected > 4_000)
            let states = try await stack.states()
            #expect(states.count == expected)
            // As bytes: some of them are the same text, but not the same customer.
            #expect(Set(states.map { Array($0.utf8) }).count == expected)
            let run = try await stack.done(
                "runs", "show", "detect-anomalies", DetectedFleet.slot(73), "--format", "json")
            #expect(
                run.contains("\"series\":\(expected)") || run.contains("\"series\": \(expected)"))
        }
    }
}
