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
            let text = try await server.get("/metrics").text
            let file = try server.submitted.stack.file("metrics", text)
            let checked = try await Tool.run("sh", "-c", "promtool check metrics < \(file)")
            #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
            for line in [
                "meterflow_postgres_up 1", "meterflow_dead_letters{kind=\"alert\"} 0",
                "meterflow_alerts{severity=\"critical\",state=\"open\"} 1",
                "meterflow_alert_messages{route=\"a\",state=\"pending\"} 1",
            ] { #expect(text.contains(line + "\n"), "\(line)") }
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
