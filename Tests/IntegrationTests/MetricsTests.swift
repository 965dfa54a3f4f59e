import Foundation
import Postgres
import Testing

@testable import jobs

/// Monitoring reads what the program writes, and the dashboard shows nothing else.
struct MetricsTests {
    private static let dashboard = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../dashboards/meterflow.json")

    private static func families(_ text: String) -> Set<String> {
        Set(text.matches(of: #/meterflow_[a-z_]+/#).map { MetricFamily.family(of: "\($0.0)") })
    }

    @Test func `the dashboard shows every metric, and no other`() throws {
        let object = try JSONSerialization.jsonObject(with: Data(contentsOf: Self.dashboard))
        let panels = try #require((object as? [String: Any])?["panels"] as? [[String: Any]])
        let expressions = panels.flatMap { $0["targets"] as? [[String: Any]] ?? [] }
            .compactMap { $0["expr"] as? String }
        #expect(expressions.count >= panels.count)
        #expect(
            Self.families(expressions.joined(separator: " "))
                == Set(MetricFamily.all.map(\.name)))
    }

    @Test func `the server's metrics are such as Prometheus demands`() async throws {
        try await withServer { server in
            let pool = server.submitted.stack.postgres
            #expect(try await server.submitted.bill().status == 0)
            try await pool.query(
                """
                INSERT INTO alerts (key, kind, severity, subject, body)
                VALUES ('k', 'k', 'critical', 's', '{}')
                """)
            try await pool.query("INSERT INTO alert_messages (route) VALUES ('a')")
            // Two invoices of one status, held for two reasons, are one series.
            try await pool.query(
                """
                INSERT INTO invoices (invoice_id, customer_id, slot, timezone, period_start, period_end,
                    kind, revision, status, hold_reason, currency, total_minor, plan, collection_method,
                    catalog_version, input_hash, tzdata_version)
                SELECT 'inv_' || reason, reason, slot, timezone, period_start, period_end, kind, 0,
                    'skipped_zero', reason, currency, 0, plan, collection_method, catalog_version,
                    input_hash, tzdata_version
                FROM invoices, unnest(ARRAY['quarantined_usage', 'unparsable_usage']) AS held (reason)
                WHERE customer_id = 'ann'
                """)
            try await server.submitted.stack.until(
                "SELECT count(*) > 0 AS value FROM job_attempts WHERE job = 'process-webhooks'")
            let text = try await server.get("/metrics").text
            let series = text.split(separator: "\n").filter { !$0.hasPrefix("#") }
                .compactMap { $0.split(separator: " ").first }
            #expect(Set(series).count == series.count)
            let file = try server.submitted.stack.file("metrics", text)
            let checked = try await Tool.run("sh", "-c", "promtool check metrics < \(file)")
            #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
            for line in [
                "meterflow_postgres_up 1", "meterflow_dead_letters{kind=\"alert\"} 0",
                "meterflow_alerts{severity=\"critical\",state=\"open\"} 1",
                "meterflow_alert_messages{route=\"a\",state=\"pending\"} 1",
                #"meterflow_invoices{currency="usd",held="yes",slot="2015-05",status="skipped_zero"} 2"#,
            ] { #expect(text.contains(line + "\n"), "\(line)") }
            // The server reads Stripe's list of events, which is what process-webhooks is watched for.
            for family in ["last_success_timestamp_seconds", "alert_after_seconds"] {
                #expect(text.contains("meterflow_job_\(family){job_name=\"process-webhooks\"} "))
            }
            // Cumulative, and complete at the end.
            let buckets = text.matches(
                of: #/duration_seconds_bucket\{le="([^"]+)"\} (\d+)/#
            ).compactMap { Int($0.2) }
            #expect(buckets.count == 10 && buckets == buckets.sorted())
            let count = text.firstMatch(of: #/duration_seconds_count (\d+)/#).flatMap { Int($0.1) }
            #expect(count == buckets.last && count != 0)
            let sent = try await pool.query(
                "SELECT count(*) AS value FROM stripe_attempts WHERE answered_at IS NOT NULL")
            #expect(try sent.rows.first?.decode("value", as: Int.self) == count)

            // Added up once their days are over, and the same to whoever reads.
            let stack = server.submitted.stack
            try await pool.query(
                """
                CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
                    AS $$ SELECT clock_timestamp() + interval '5 days' $$
                """)
            try await stack.done("run", "purge", "--slot", "2026-11-01")
            #expect(
                try await stack.value("SELECT sum(requests)::bigint AS value FROM stripe_totals")
                    == count)
            let stripe = { (text: String) in
                text.split(separator: "\n").filter { $0.hasPrefix("meterflow_stripe_") }
            }
            #expect(try await stripe(server.get("/metrics").text) == stripe(text))
            #expect(stripe(text).contains { $0.hasPrefix("meterflow_stripe_wait_seconds_total ") })
            try await stack.done("run", "purge", "--slot", "2026-11-02")
            #expect(try await stripe(server.get("/metrics").text) == stripe(text))
        }
    }
}
