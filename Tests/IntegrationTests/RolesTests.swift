import Foundation
import Glibc
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// The roles of `sql/roles`: each may do its work, and nothing more.
@Suite(.timeLimit(.minutes(5))) struct RolesTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../sql/roles").standardizedFileURL.path

    @Test func `the owner migrates, jobs do everything else, and neither can rewrite a journal`()
        async throws
    {
        try await OwnPostgres.with { server in
            try await withStack(isMigrated: false, on: server) { stack in
                try await grant(stack, server)
                try await stack.done("migrate", with: role("meterflow_owner", stack))
                try await grant(stack, server)
                let jobs = role("meterflow_jobs", stack)

                let stripe = try ServerProcess()
                let made = try await stripe.send("POST", "/v1/customers", "email=a%40example.com")
                let customer = try #require(made.json["id"]?.text)
                try await stack.done(
                    "catalog", "apply", stack.file("catalog.yaml", Sample.simpleCatalog), with: jobs
                )
                let customers = try stack.file(
                    "customers.csv",
                    """
                    customer_id,stripe_customer_id,plan,currency,timezone,collection_method,days_until_due
                    ann,\(customer),basic,usd,UTC,send_invoice,30

                    """)
                try await stack.done(
                    "import", "customers", customers, "--effective-from", "2015-01-01", with: jobs)
                let events = try stack.file("events.jsonl", stored("10", of: "ann"))
                try await stack.done("import", "events", "--allow-backfill", events, with: jobs)
                let settings = jobs.merging([
                    "STRIPE_API_KEY": "sk_test_simulator", "STRIPE_API_BASE": stripe.url,
                    "STRIPE_REQUESTS_PER_SECOND": "10000",
                    "STRIPE_ENDPOINT_REQUESTS_PER_SECOND": "10000",
                    "BILLING_MODE": "live", "BILLING_FIRST_SLOT": "2015-05",
                ]) { $1 }
                for command in [
                    ["run", "bill", "--slot", "2015-05"], ["run", "process-webhooks"],
                    ["run", "reconcile", "--slot", "2015-06-20", "--month", "2015-05"],
                    ["run", "purge", "--slot", "2015-06-20"],
                    ["run", "refresh-state", "--slot", "2015-06-19"],
                    ["run", "detect-anomalies", "--slot", "2015-06-20T00"],
                    ["invoices", "verify", "--slot", "2015-05"], ["runs", "list"],
                    ["migrate", "--check"],
                ] {
                    let result = try await stack.jobs(command, with: settings)
                    #expect(result.status == 0, "\(command): \(result.output)\(result.errors)")
                }
                for statement in [
                    "UPDATE invoice_events SET total_minor = 0", "DELETE FROM invoice_events",
                    "DELETE FROM invoices", "UPDATE customer_terms SET plan = 'free'",
                    "DELETE FROM stripe_requests", "DELETE FROM balance_entries",
                    "TRUNCATE webhook_events", "ALTER TABLE invoices DISABLE TRIGGER USER",
                    "UPDATE ledger SET ledger_id = gen_random_uuid()",
                ] {
                    await expectDenied(statement, role("meterflow_jobs", stack))
                }
                let ours = try await doctor("postgres", stack, settings)
                #expect(!ours.isEmpty && ours.allSatisfy { $0.level == "ok" }, "\(ours)")
                let reader = role("meterflow_reader", stack)
                let list = try await stack.done(
                    "invoices", "list", "--slot", "2015-05", with: reader)
                #expect(list.contains("ann"))
                await expectDenied("INSERT INTO dead_letters DEFAULT VALUES", reader)
                await expectDenied("UPDATE invoices SET total_minor = 0", reader)
                let theirs = try await doctor("postgres", stack, reader)
                let missing = theirs.filter { $0.level == "warning" }
                #expect(missing.map(\.check) == ["privileges"])
                #expect(missing.first?.message.contains("invoices") == true)

                // From here on nobody can commit.
                let standby = "ALTER SYSTEM SET synchronous_standby_names = 'elsewhere'"
                for statement in [standby, "SELECT pg_reload_conf()"] {
                    try await stack.postgres.query(statement)
                }
                try await stack.until(
                    "SELECT current_setting('synchronous_standby_names') = 'elsewhere' AS value")
                let alone = try await doctor("postgres", stack, settings)
                #expect(alone.filter { $0.level == "failure" }.map(\.check) == ["durability"])
                stripe.end(SIGTERM)
            }
        }
    }

    @Test func `in ClickHouse, jobs read the log of somebody else, and change only what is theirs`()
        async throws
    {
        let script = try String(contentsOfFile: Self.folder + "/clickhouse.sql", encoding: .utf8)
        try await withStack(isMigrated: false) { stack in
            let log = """
                (transaction_id String, customer_id String, event_type String, \
                timestamp DateTime64(3, 'UTC'), properties String, ingested_at DateTime64(3, 'UTC')) \
                ENGINE = MergeTree ORDER BY (customer_id, event_type, timestamp)
                """
            let row = #"'t', 'bob', 'storage', '2015-05-10 00:00:00', '{"gb":7}', '2015-05-10'"#
            let before = [
                "CREATE DATABASE analytics", "CREATE TABLE analytics.events \(log)",
                "INSERT INTO analytics.events VALUES (\(row))",
            ]
            try await OwnClickHouse.with(
                before, rightsOf: "meterflow_jobs", in: script, folder: stack.folder
            ) { engine in
                let ours = ["CLICKHOUSE_URL": engine.url]
                try await stack.done("migrate", with: ours)
                let catalog = try stack.file("catalog.yaml", Sample.simpleCatalog)
                try await stack.done("catalog", "apply", catalog, with: ours)
                let customers = try stack.file(
                    "customers.csv", "customer_id,plan,currency\nann,basic,usd\nbob,basic,usd\n")
                try await stack.done("import", "customers", customers, with: ours)
                let events = try stack.file("events.jsonl", stored("10", of: "ann"))
                try await stack.done("import", "events", "--allow-backfill", events, with: ours)
                for command in [
                    ["run", "seal-usage"], ["run", "bill", "--slot", "2015-05", "--dry-run"],
                    ["run", "refresh-state", "--slot", "2015-06-19"],
                    ["run", "detect-anomalies", "--slot", "2015-06-20T00"],
                    ["run", "seal-usage", "--rebuild"],
                    ["invoices", "verify", "--slot", "2015-05"],
                    ["run", "purge", "--slot", "2015-06-20"], ["migrate", "--check"],
                ] {
                    let result = try await stack.jobs(command, with: ours)
                    #expect(result.status == 0, "\(command): \(result.output)\(result.errors)")
                }
                let total = "SELECT total_minor AS value FROM invoices WHERE customer_id = $1"
                #expect(try await stack.value(total, ["ann"]) == 1_000)
                let seen = try await doctor("clickhouse", stack, ours)
                #expect(seen.map(\.check).starts(with: ["server", "tables", "events", "disk"]))
                #expect(!seen.contains { $0.level == "failure" }, "\(seen)")
                let theirs = ours.merging(["USAGE_EVENTS_TABLE": "analytics.events"]) { $1 }
                try await stack.done("run", "seal-usage", with: theirs)
                try await stack.done("run", "bill", "--slot", "2015-05", "--dry-run", with: theirs)
                #expect(try await stack.value(total, ["bob"]) == 700)
                for statement in [
                    "INSERT INTO analytics.events VALUES (\(row))", "DROP TABLE analytics.events",
                    "ALTER TABLE analytics.events DELETE WHERE true", "DROP DATABASE meterflow",
                    "SELECT * FROM system.users", "CREATE USER other",
                ] {
                    let answer = try await engine.ask(statement)
                    #expect(answer.contains("ACCESS_DENIED"), "\(statement): \(answer)")
                }
            }
        }
    }

    /// What the doctor says of an area.
    private func doctor(
        _ area: String, _ stack: Stack, _ environment: [String: String?]
    ) async throws -> [DoctorLine] {
        let result = try await stack.jobs("doctor", "--format", "json", with: environment)
        return try result.output.objects(DoctorLine.self).filter { $0.area == area }
    }

    private func role(_ name: String, _ stack: Stack) -> [String: String?] {
        ["DATABASE_URL": stack.environment["DATABASE_URL"]?.replacing("tests@", with: "\(name)@")]
    }

    private func grant(_ stack: Stack, _ server: OwnPostgres) async throws {
        let result = try await Tool.run(
            "env", "PGOPTIONS=-csearch_path=\(stack.name)", "/usr/lib/postgresql/15/bin/psql",
            "-qX",
            "-v", "ON_ERROR_STOP=1", "-f", Self.folder + "/postgres.sql", server.url)
        try #require(result.status == 0, "\(result.errors)")
    }

    private func expectDenied(_ statement: String, _ environment: [String: String?]) async {
        let url = environment["DATABASE_URL"] ?? nil
        let pool = PostgresPool(
            configuration: PostgresConfiguration(url: url ?? ""), maximumConnections: 1)
        let error = await #expect(throws: PostgresError.self, "\(statement)") {
            try await pool.query(statement)
        }
        // Or the one that only the owner may.
        #expect(error?.sqlState == "42501", "\(statement): \(error?.message ?? "-")")
        await pool.shutdown()
    }
}
