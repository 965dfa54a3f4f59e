import Exact
import Testing

/// Metrics that add up quantities, or take their maximum.
struct DetectionMetricTests {
    private static let catalog = """
        version: "quantities"
        effective_from: 2015-01-01
        metrics:
          - {code: calls, event_type: api_request, aggregation: count, unit: call}
          - {code: bytes, event_type: api_request, aggregation: sum, property: bytes, unit: byte}
          - {code: largest, event_type: api_request, aggregation: max, property: bytes, unit: byte}
        plans:
          - {code: basic, currency: usd, charges: [{metric: calls, model: per_unit, unit_amount: "0.01"}, {metric: bytes, model: per_unit, unit_amount: "0.01"}, {metric: largest, model: per_unit, unit_amount: "0.01"}]}
        """

    @Test func `counts, sums and maxima are judged each by its hours`() async throws {
        var fleet = DetectedFleet(days: 31)
        fleet.add("a", mean: 20, seed: 901)
        fleet.add("b", mean: 20, seed: 902)
        let hour = 30 * 24 + 10
        fleet.change("a", hour..<hour + 2) { $0 * 6 + 40 }
        fleet.change("a", hour + 1..<hour + 2) { _ in 900 }
        try await withStack(catalog: Self.catalog) { stack in
            // Each call has 3 bytes, but for one of 500.
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.clickHouse(
                """
                INSERT INTO events (transaction_id, customer_id, event_type, timestamp, properties, ingested_at)
                SELECT 'large', 'b', 'api_request',
                    fromUnixTimestamp64Milli(\(DetectedFleet.instant(hour).milliseconds), 'UTC'),
                    '{"bytes":500}', now64(3, 'UTC')
                """)
            try await stack.detect(hour + 3..<hour + 4)
            let anomalies = try await stack.anomalies()
            func found(_ customer: String, _ metric: String) throws -> ListedAnomaly {
                try #require(
                    anomalies.first { $0.customerID == customer && $0.metric == metric },
                    "\(customer) \(metric)")
            }
            let (calls, bytes) = (try found("a", "calls"), try found("a", "bytes"))
            #expect(calls.observed == 900 && bytes.observed == 2700)
            #expect(calls.peakHour == bytes.peakHour && bytes.direction == "up")
            #expect(abs(bytes.excess - 3 * calls.excess) < 0.1 * bytes.excess)
            let largest = try found("b", "largest")
            #expect(largest.observed == 500 && abs(largest.expected - 3) < 0.1)
            #expect(!anomalies.contains { $0.customerID == "a" && $0.metric == "largest" })
            let maxima = try await stack.values(
                "SELECT DISTINCT metric AS value FROM anomalies WHERE is_maximum")
            #expect(maxima == ["largest"])
            // Another hour's excess is recorded with it.
            let hourly = try await stack.values(
                """
                SELECT (excess - (SELECT sum(hourly) FROM unnest(excesses) AS hourly))::text AS value
                FROM anomalies WHERE cardinality(excesses) <> hours
                    OR abs(excess - (SELECT sum(hourly) FROM unnest(excesses) AS hourly)) > 1e-6
                """)
            #expect(hourly.isEmpty)
        }
    }
}
