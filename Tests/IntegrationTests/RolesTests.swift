import Foundation
import Glibc
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// The roles of `sql/roles`: each may do its work, and nothing more.
@Suite(.timeLimit(.minutes(5))) struct RolesTests {
    private static let script = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../sql/roles/postgres.sql").standardizedFileURL.path

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
                let events = try stack.file("events.jsonl", stored("10", of: "ann") + "\n")
                try await stack.done("import", "events", events, with: jobs)
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
                let reader = role("meterflow_reader", stack)
                let list = try await stack.done(
                    "invoices", "list", "--slot", "2015-05", with: reader)
                #expect(list.contains("ann"))
                await expectDenied("INSERT INTO dead_letters DEFAULT VALUES", reader)
                await expectDenied("UPDATE invoices SET total_minor = 0", reader)
                stripe.end(SIGTERM)
            }
        }
    }

    private func role(_ name: String, _ stack: Stack) -> [String: String?] {
        ["DATABASE_URL": stack.environment["DATABASE_URL"]?.replacing("tests@", with: "\(name)@")]
    }

    private func grant(_ stack: Stack, _ server: OwnPostgres) async throws {
        let result = try await Tool.run(
            "env", "PGOPTIONS=-csearch_path=\(stack.name)", "/usr/lib/postgresql/15/bin/psql",
            "-qX",
            "-v", "ON_ERROR_STOP=1", "-f", Self.script, server.url)
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
