import Foundation
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// A Postgres that goes down in the middle of the work, for a moment or for longer, and one that is full.
@Suite(.timeLimit(.minutes(5))) struct PostgresOutageTests {
    private static let bill = ["run", "bill", "--slot", "2015-01"]

    @Test func `a month goes on when Postgres was started again`() async throws {
        try await OwnPostgres.with { server in
            try await withStack(catalog: Sample.simpleCatalog, on: server) { stack in
                try await stack.fillMonths(1, customers: 10)
                var run: JobsProcess?
                // The holder's session ends with the server, too.
                try? await stack.waiting(at: "invoice_events", Self.bill) { process in
                    run = process
                    try await server.stop()
                    try await server.start()
                }
                let result = try await #require(run).result()
                #expect(result.status == 0, "\(result.errors)")
                #expect(result.errors.contains("trying again"), "\(result.errors)")
                let statuses = try await stack.attempts("bill-dry-run", "2015-01").map(\.status)
                #expect(statuses.last == "succeeded" && statuses.count == 2, "\(statuses)")
                #expect(try await stack.count("invoice_events") == 10)
            }
        }
    }

    @Test(arguments: [
        "/v1/invoices", "/v1/invoices/{invoice}/add_lines", "/v1/invoices/{invoice}/finalize",
        "/v1/invoices/{invoice}/send",
    ])
    func `nobody is invoiced twice when Postgres went down while Stripe was at it`(path: String)
        async throws
    {
        try await OwnPostgres.with { server in
            try await withSubmittedStack(on: server) { scene in
                try await scene.setFault(path, #"{"kind": "latency", "milliseconds": 5000}"#)
                let process = try scene.start(with: [
                    "BILLING_CONCURRENCY": "1", "RUN_ATTEMPTS": "1",
                ])
                try await scene.untilFaultIsMet()
                try await server.stop()
                let result = try await process.result()
                #expect(result.status == 69, "\(result.output)\(result.errors)")
                #expect(result.errors.contains("DATABASE_URL"))
                try await server.start()
                #expect(try await scene.stripe.send("DELETE", "/_sim/faults").status == 200)
                try await scene.letClaimsRunOut()
                let resumed = try await scene.bill()
                #expect(resumed.status == 0, "\(resumed.output)\(resumed.errors)")
                try await scene.expectExactlyOnce()
            }
        }
    }

    @Test func `while Postgres is down Stripe is told to come again, and then all is kept`()
        async throws
    {
        try await OwnPostgres.with { postgres in
            try await withServer(on: postgres) { server in
                #expect(try await server.submitted.bill().status == 0)
                try await postgres.stop()
                let event = Array(
                    #"{"id":"evt_1","object":"event","type":"customer.created","livemode":false,"data":{"object":{"id":"cus_1"}}}"#
                        .utf8)
                let refused = try await server.post(
                    "/webhooks/stripe", event, signature: server.sign(event))
                #expect(refused.status == 503)
                #expect(try await server.get("/readyz").status == 503)
                #expect(try await server.get("/healthz").status == 200)
                #expect(try await server.get("/metrics").text.contains("meterflow_postgres_up 0"))
                // Meanwhile Stripe collects.
                let ann = server.submitted.customers["ann"] ?? ""
                try await server.stripe("POST", "/_sim/customers/\(ann)/pay_open", "{}")
                try await postgres.start()
                let taken = try await server.post(
                    "/webhooks/stripe", event, signature: server.sign(event))
                #expect(taken.status == 200)
                #expect(try await server.get("/readyz").status == 200)
                // What was at work when Postgres went down is due again, and Stripe comes again.
                try await server.submitted.letClaimsRunOut()
                try await server.stripe("POST", "/_sim/clock", #"{"advance_seconds": 4000}"#)
                try await server.submitted.stack.until(
                    "SELECT bool_and(status = 'paid') AS value FROM invoices")
                #expect(try await server.end() == 0)
            }
        }
    }

    @Test func `a Postgres without a free connection is 69, and the month stays due`() async throws
    {
        try await OwnPostgres.with(connections: 20) { server in
            try await withStack(catalog: Sample.simpleCatalog, on: server) { stack in
                try await stack.fillMonths(1, customers: 10)
                let crowd = PostgresPool(
                    configuration: PostgresConfiguration(url: server.url), maximumConnections: 20)
                let sleepers = (0..<20).map { _ in
                    Task { try await crowd.query("SELECT pg_sleep(600)") }
                }
                try await stack.until(
                    """
                    SELECT count(*) = 20 AS value FROM pg_stat_activity
                    WHERE backend_type = 'client backend'
                    """)
                let result = try await stack.jobs(Self.bill, with: ["RUN_ATTEMPTS": "1"])
                #expect(result.status == 69)
                #expect(result.errors.contains("too many clients"), "\(result.errors)")
                #expect(result.errors.contains("DATABASE_URL"))
                for sleeper in sleepers { sleeper.cancel() }
                for sleeper in sleepers { _ = await sleeper.result }
                await crowd.shutdown()
                let next = try await stack.jobs(Self.bill)
                #expect(next.status == 0, "\(next.errors)")
                #expect(try await stack.count("invoice_events") == 10)
            }
        }
    }
}
