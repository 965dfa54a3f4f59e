import Postgres
import Testing

/// What an anomaly is worth of an invoice.
struct AnomalyHoldTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// From then on, one after the other.
        let start: String
        let excesses: [Double]
        let isMaximum: Bool
        let isHeld: Bool
    }

    /// Ann's invoice of May is 10.00: 10 GB. It is held for 3 GB.
    static let cases = [
        Case(
            testDescription: "hours add up", start: "2015-05-10T00:00:00Z", excesses: [2, 2],
            isMaximum: false, isHeld: true),
        Case(
            testDescription: "of a maximum they do not", start: "2015-05-10T00:00:00Z",
            excesses: [2, 2], isMaximum: true, isHeld: false),
        Case(
            testDescription: "the largest hour of a maximum", start: "2015-05-10T00:00:00Z",
            excesses: [1, 4, 1], isMaximum: true, isHeld: true),
        Case(
            testDescription: "hours of the next period do not count", start: "2015-05-31T23:00:00Z",
            excesses: [2, 8], isMaximum: false, isHeld: false),
        Case(
            testDescription: "hours of the period do", start: "2015-05-31T23:00:00Z",
            excesses: [4, 8], isMaximum: false, isHeld: true),
    ]

    @Test(arguments: cases)
    func `an invoice is held for the excess in its period, as its metric adds up`(
        example: Case
    ) async throws {
        try await withSubmittedStack { submitted in
            let first = milliseconds(example.start) / 3_600_000
            let excesses = example.excesses.map { "\($0)" }.joined(separator: ",")
            try await submitted.stack.postgres.query(
                """
                INSERT INTO anomalies (anomaly_id, customer_id, metric_key, metric, kind, severity,
                    direction, first_hour, last_hour, peak_hour, score, threshold, expected, observed,
                    excess, hours, method, recommended_action, expires_at, hour_indexes, excesses,
                    is_maximum)
                SELECT 'a1', 'ann', 'k', 'storage', 'volume', 'critical', 'up', to_timestamp(3600 * min(hour)),
                    to_timestamp(3600 * max(hour)), to_timestamp(3600 * min(hour)), 9, 3, 1, 9,
                    sum(excess), count(*), 'composite', 'Look at it.', now() + interval '1 year',
                    array_agg(hour ORDER BY hour), array_agg(excess ORDER BY hour), $3::boolean
                FROM (
                    SELECT $1::bigint + number - 1 AS hour, excess
                    FROM unnest($2::double precision[]) WITH ORDINALITY AS given (excess, number)
                ) AS hours
                """, [first, "{\(excesses)}", example.isMaximum])
            let result = try await submitted.bill(with: [
                "BILLING_HOLDS": "excess", "BILLING_HOLDS_PERCENT": "30",
                "BILLING_HOLDS_MINIMUM_MINOR": "100",
            ])
            #expect(result.status == (example.isHeld ? 1 : 0), "\(result)")
            let status = try await submitted.stack.invoice(of: "ann", "2015-05").status
            #expect(status == (example.isHeld ? "computed" : "open"))
        }
    }
}
