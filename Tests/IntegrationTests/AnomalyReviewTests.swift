import Foundation
import Postgres
import Testing

/// What people do with anomalies, and what follows for invoices.
struct AnomalyReviewTests {
    /// Puts an anomaly on record as if detection had found it.
    private static func record(
        _ id: String, of customer: String, metric: String = "storage", score: Double = 9,
        excess: Double = 8, at hour: String = "2015-05-10T00:00:00Z", in stack: Stack
    ) async throws {
        try await stack.postgres.query(
            """
            INSERT INTO anomalies (anomaly_id, customer_id, metric_key, metric, kind, severity,
                direction, first_hour, last_hour, peak_hour, score, threshold, expected, observed,
                excess, hours, method, recommended_action, expires_at, status, closed_at)
            VALUES ($1, $2, $1, $3, 'volume', 'critical', 'up', $4::timestamptz, $4::timestamptz,
                $4::timestamptz, $5, 3, 1, 9, $6, 1, 'composite', 'Look at it.',
                now() + interval '1 year', 'resolved', now())
            """, [id, customer, metric, hour, score, excess])
    }

    @Test func `a confirmed anomaly holds its customer's invoice until it is released`()
        async throws
    {
        try await withSubmittedStack { submitted in
            let stack = submitted.stack
            try await Self.record("a1", of: "ann", in: stack)
            try await Self.record("b1", of: "bob", in: stack)
            try await stack.done("anomalies", "acknowledge", "a1", "--by", "eve", "--note", "theft")
            try await stack.done("anomalies", "dismiss", "b1")
            let held = try await submitted.bill(with: ["BILLING_HOLDS": "confirmed"])
            #expect(held.status == 1 && held.output.contains("1 invoices are held"), "\(held)")
            let ann = try await stack.invoice(of: "ann", "2015-05")
            #expect(ann.status == "computed")
            #expect(try await stack.invoice(of: "bob", "2015-05").status != "computed")
            let shown = try await stack.done("invoices", "show", ann.invoiceID)
            #expect(shown.contains("anomaly a1"))
            try await stack.done(
                "invoices", "release", ann.invoiceID, "--reason", "they will pay for it")
            let sent = try await submitted.bill(with: ["BILLING_HOLDS": "confirmed"])
            #expect(sent.status == 0, "\(sent)")
            #expect(try await stack.invoice(of: "ann", "2015-05").status == "open")
        }
    }

    /// Ann's invoice of 10.00 is all storage: 10 GB.
    @Test(arguments: [(4.0, true), (2.0, false)])
    func `an excess holds an invoice if it is worth a large enough share of it`(
        excess: Double, isHeld: Bool
    ) async throws {
        try await withSubmittedStack { submitted in
            try await Self.record("a1", of: "ann", excess: excess, in: submitted.stack)
            let result = try await submitted.bill(with: [
                "BILLING_HOLDS": "excess", "BILLING_HOLDS_PERCENT": "30",
                "BILLING_HOLDS_MINIMUM_MINOR": "100",
            ])
            #expect(result.status == (isHeld ? 1 : 0), "\(result)")
            let status = try await submitted.stack.invoice(of: "ann", "2015-05").status
            #expect(status == (isHeld ? "computed" : "open"))
        }
    }

    @Test func `reviews propose a threshold`() async throws {
        try await withStack(catalog: DetectionTests.catalog) { stack in
            for (id, score) in [("a", 3.2), ("b", 3.4), ("c", 6.0), ("d", 7.0), ("e", 3.3)] {
                try await Self.record(id, of: "x", metric: "calls", score: score, in: stack)
            }
            try await stack.done("anomalies", "dismiss", "a", "b")
            try await stack.done("anomalies", "resolve", "c", "d", "e")
            // Late data showed that there was nothing.
            try await stack.postgres.query(
                "UPDATE anomalies SET status = 'withdrawn' WHERE anomaly_id = 'e'")
            let rows = try await stack.done("detect", "tune", "--format", "csv")
                .split(separator: "\n")
            #expect(rows.contains("detection.threshold,6.0,2,0,1.0,1.0,yes"))
            #expect(rows.contains("detection.threshold,3.2,2,2,0.5,1.0,no"))
            // Days are told by their similarity, or by their volume alone: scores of two kinds.
            try await stack.postgres.query(
                """
                UPDATE anomalies SET method = 'pattern',
                    kind = CASE WHEN anomaly_id IN ('a', 'c') THEN 'pattern' ELSE kind END,
                    similarity = CASE anomaly_id WHEN 'c' THEN 0.5 ELSE 0.75 END
                """)
            let days = try await stack.done(
                "detect", "tune", "--method", "pattern", "--format", "csv"
            ).split(separator: "\n")
            #expect(
                days.dropFirst() == [
                    "detection.similarity,0.75,1,1,0.5,1.0,no",
                    "detection.similarity,0.5,1,0,1.0,1.0,yes",
                    "detection.volume_change,8.0,1,1,0.5,1.0,yes",
                ])
        }
    }

    @Test func `an anomaly is shown with its hours, and its page escapes what it quotes`()
        async throws
    {
        let customer = "<script>&\"'"
        var fleet = DetectedFleet(days: 31)
        fleet.add(customer, mean: 20, seed: 81)
        fleet.change(customer, 30 * 24 + 9..<30 * 24 + 11) { $0 * 6 + 40 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.detect(30 * 24..<30 * 24 + 14)
            let anomaly = try #require(try await stack.anomalies().first)
            let shown = try await stack.done(
                "anomalies", "show", anomaly.anomalyID, "--html", "\(stack.folder)/page.html")
            #expect(shown.contains(customer) && shown.contains("recommended") == false)
            #expect(shown.contains("#") && shown.contains("·"))
            #expect(shown.contains(anomaly.recommendedAction))
            let page = try String(contentsOfFile: "\(stack.folder)/page.html", encoding: .utf8)
            #expect(page.contains("&lt;script&gt;&amp;&quot;&#39;") && !page.contains("<script"))
            #expect(page.contains("<svg") && page.contains("class=\"flag\""))
            #expect(!page.contains("http") && !page.contains("src="))
            let unknown = try await stack.jobs("anomalies", "show", "nothing")
            #expect(unknown.status == 65)
        }
    }
}
