import Foundation
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// A line of `jobs doctor --format json`.
struct DoctorLine: Decodable {
    let level: String
    let area: String
    let check: String
    let message: String
    let advice: String?
}

/// The doctor finds what is broken, looks at everything else all the same, and changes nothing.
struct DoctorTests {
    private static func lines(_ output: String) throws -> [DoctorLine] {
        try output.objects()
    }

    private static func levels(
        _ lines: [DoctorLine], _ area: String, _ check: String
    ) -> [String] {
        lines.filter { $0.area == area && $0.check == check }.map(\.level)
    }

    @Test func `a new installation needs a person, and lacks nothing else`() async throws {
        try await withStack { stack in
            let result = try await stack.jobs("doctor", "--format", "json")
            #expect(result.status == 1, "\(result.output)\(result.errors)")
            let lines = try Self.lines(result.output)
            #expect(!lines.contains { $0.level == "failure" })
            #expect(Self.levels(lines, "postgres", "server") == ["ok"])
            #expect(Self.levels(lines, "postgres", "durability") == ["ok"])
            #expect(Self.levels(lines, "clickhouse", "server") == ["ok"])
            #expect(Self.levels(lines, "clickhouse", "events") == ["ok"])
            #expect(Self.levels(lines, "usage", "sealing") == ["warning"])
            #expect(Self.levels(lines, "alerts", "routes") == ["warning"])
            #expect(lines.allSatisfy { ($0.level == "ok") == ($0.advice == nil) })
            try await stack.done("run", "seal-usage")
            let later = try Self.lines(
                try await stack.jobs("doctor", "--format", "json").output)
            #expect(
                later.contains { $0.check == "success" && $0.message.hasPrefix("seal-usage succ") })
        }
    }

    @Test func `each dependency that is away is a failure of its own`() async throws {
        try await withStack { stack in
            let noClickHouse = try await stack.jobs(
                "doctor", "--format", "json",
                with: ["CLICKHOUSE_URL": "http://u:p@127.0.0.1:1/none"])
            #expect(noClickHouse.status == 69)
            var lines = try Self.lines(noClickHouse.output)
            #expect(Self.levels(lines, "clickhouse", "server") == ["failure"])
            #expect(Self.levels(lines, "postgres", "schema") == ["ok"])
            let noPostgres = try await stack.jobs(
                "doctor", "--format", "json",
                with: ["DATABASE_URL": "postgresql://u@127.0.0.1:1/none"])
            #expect(noPostgres.status == 69)
            lines = try Self.lines(noPostgres.output)
            #expect(Self.levels(lines, "postgres", "server") == ["failure"])
            #expect(Self.levels(lines, "clickhouse", "server") == ["ok"])
            #expect(!Self.levels(lines, "host", "disk").isEmpty)
        }
    }

    @Test func `tables that are missing, and no catalog, are told with the command`() async throws {
        try await withStack(isMigrated: false) { stack in
            let result = try await stack.jobs("doctor", "--format", "json")
            #expect(result.status == 78)
            let lines = try Self.lines(result.output)
            for area in ["postgres", "clickhouse"] {
                #expect(lines.contains { $0.area == area && $0.advice == "run: jobs migrate" })
            }
            try await stack.done("migrate")
            let migrated = try await stack.jobs("doctor")
            #expect(migrated.status == 78)
            #expect(migrated.output.contains("jobs catalog apply FILE"))
        }
    }

    @Test func `the key, the account and the endpoint at Stripe are looked at`() async throws {
        let simulator = try ServerProcess()
        try await withStack { stack in
            let settings: [String: String?] = [
                "STRIPE_API_KEY": "sk_test_simulator", "STRIPE_API_BASE": simulator.url,
            ]
            var lines = try Self.lines(
                try await stack.jobs("doctor", "--format", "json", with: settings).output)
            #expect(Self.levels(lines, "stripe", "key") == ["ok"])
            #expect(Self.levels(lines, "stripe", "account") == ["ok"])
            #expect(Self.levels(lines, "stripe", "webhooks") == ["warning"])
            #expect(Self.levels(lines, "stripe", "clock") == ["ok"])
            let bound = try await stack.postgres.query("SELECT FROM stripe_account")
            #expect(bound.rows.isEmpty, "the doctor binds nothing")
            try await stack.postgres.query(
                "INSERT INTO stripe_account (account_id, livemode) VALUES ('acct_other', false)")
            let other = try await stack.jobs("doctor", "--format", "json", with: settings)
            #expect(other.status == 77)
            lines = try Self.lines(other.output)
            #expect(Self.levels(lines, "stripe", "account") == ["failure"])
        }
    }

    @Test func `an endpoint of another version than is read here is told`() async throws {
        let simulator = try ServerProcess()
        try await withStack { stack in
            let settings: [String: String?] = [
                "STRIPE_API_KEY": "sk_test_simulator", "STRIPE_API_BASE": simulator.url,
            ]
            let path = "webhooks/stripe"
            try await stack.done(
                "webhooks", "endpoint", "create", "https://new.example.com/\(path)",
                with: settings)
            let old = try await simulator.send(
                "POST", "/v1/webhook_endpoints",
                "url=https://old.example.com/\(path)&enabled_events[0]=*&api_version=2020-08-27")
            #expect(old.status == 200)
            let lines = try Self.lines(
                try await stack.jobs("doctor", "--format", "json", with: settings).output)
            let told = lines.filter { $0.area == "stripe" && $0.check == "webhooks" }
            let (new, outdated) = (
                told.filter { $0.level == "ok" }, told.filter { $0.level == "warning" }
            )
            #expect(new.count == 1 && new[0].message.contains("new.example.com"))
            #expect(outdated.count == 1 && outdated[0].message.contains("2020-08-27"))
        }
    }

    @Test func `a clock that is wrong is told`() async throws {
        let server = try LoopbackServer()
        defer { server.stop() }
        server.serve { client, _ in
            _ = LoopbackServer.receive(client)
            let answer = """
                HTTP/1.1 404 Not Found\r
                Date: Thu, 01 Jan 2015 00:00:00 GMT\r
                Content-Length: 0\r
                Connection: close\r
                \r

                """
            LoopbackServer.send(Array(answer.utf8), to: client)
            shutdown(client, Int32(SHUT_RDWR))
        }
        try await withStack { stack in
            let result = try await stack.jobs(
                "doctor", "--format", "json",
                with: [
                    "STRIPE_API_KEY": "sk_test_simulator",
                    "STRIPE_API_BASE": "http://127.0.0.1:\(server.port)",
                ])
            let lines = try Self.lines(result.output)
            #expect(Self.levels(lines, "stripe", "clock") == ["warning"])
        }
    }

    @Test func `what waits, and what waits for a person, is told`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers("customer_id,plan,currency\nann,basic,usd\n")
            try await stack.importEvents([stored("10", of: "ann")])
            _ = try await stack.bill("2015-05")
            func levels() async throws -> [[String]] {
                let result = try await stack.jobs("doctor", "--format", "json")
                #expect(result.status == 1)
                let lines = try Self.lines(result.output)
                return [
                    ("billing", "pause"), ("billing", "held"), ("billing", "dead letters"),
                    ("usage", "sealing"), ("alerts", "backlog"), ("alerts", "routes"),
                ].map { Self.levels(lines, $0, $1) }
            }
            try stack.file(
                "jobs.yaml",
                "alerts: {routes: {log: {type: file, path: \(stack.folder)/alerts}}}\n")
            #expect(try await levels() == [[], ["ok"], ["ok"], ["ok"], ["ok"], ["ok"]])

            let invoice = try await stack.invoice(of: "ann", "2015-05").invoiceID
            try await stack.done("invoices", "hold", invoice, "--reason", "they asked")
            try await stack.done("billing", "pause", "--reason", "a test")
            for statement in [
                "INSERT INTO dead_letters (kind, subject_id, reason) VALUES ('invoice', 'i', 'r')",
                """
                INSERT INTO alerts (key, kind, severity, subject, body, raised_at)
                VALUES ('a', 'a', 'critical', 's', '{}', now() - interval '2 days')
                """,
                "ALTER TABLE usage_batches DISABLE TRIGGER USER",
                "UPDATE usage_batches SET sealed_at = sealed_at - interval '2 hours'",
                "ALTER TABLE usage_batches ENABLE TRIGGER USER",
            ] { try await stack.postgres.query(statement) }
            try await stack.clickHouse(
                """
                INSERT INTO events SELECT 'late', 'ann', 'storage', now64(3, 'UTC'), '{}',
                    now64(3, 'UTC') - INTERVAL 1 HOUR
                """)
            let warned = [["warning"], ["warning"], ["warning"], ["warning"], ["warning"], ["ok"]]
            #expect(try await levels() == warned)
        }
    }

    @Test func `a deployment is verified by the doctor and a dry run, and the gravest counts`()
        async throws
    {
        let script = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../dev/verify-deployment").standardizedFileURL.path
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            func verify(_ database: String?) async throws -> Tool.Result {
                try await Tool.run(
                    "env",
                    [
                        "-i", "-C", stack.folder, "PATH=/usr/bin:/bin", "RUN_ATTEMPTS=1",
                        "JOBS=\(JobsProcess.executable)", "DATABASE_URL=\(database ?? "")",
                        "CLICKHOUSE_URL=\(stack.environment["CLICKHOUSE_URL"] ?? "")", script,
                        "2015-05",
                    ])
            }
            let verified = try await verify(stack.environment["DATABASE_URL"])
            // Nothing launches the jobs here: a person should look.
            #expect(verified.status == 1, "\(verified.errors)")
            #expect(verified.output.hasPrefix("== jobs doctor\n"))
            #expect(verified.output.contains("\n== jobs run bill --slot 2015-05 --dry-run\n"))
            #expect(try await stack.slots("bill-dry-run") == ["2015-05 succeeded"])
            #expect(try await verify("postgresql://u@127.0.0.1:1/none").status == 69)
        }
    }

    @Test func `asking changes nothing`() async throws {
        try await withStack { stack in
            func counts() async throws -> [String] {
                try await stack.postgres.query(
                    """
                    SELECT table_name || ' ' || (xpath('/row/n/text()', query_to_xml(
                        format('SELECT count(*) AS n FROM %I.%I', table_schema, table_name),
                        false, true, '')))[1]::text AS value
                    FROM information_schema.tables WHERE table_schema = current_schema()
                        AND table_type = 'BASE TABLE'
                    ORDER BY 1
                    """
                ).rows.map { try $0.decode("value") }
            }
            let before = try await counts()
            _ = try await stack.jobs("doctor")
            #expect(try await counts() == before)
            #expect(!before.isEmpty)
        }
    }
}
