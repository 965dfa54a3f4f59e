import Foundation
import Glibc
import HTTP
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// The built program as a server, with the built simulator before it.
struct ServeTests {
    @Test func `Stripe's webhooks bring the ledger up to date`() async throws {
        try await withServer { server in
            let submitted = server.submitted
            try await server.stripe(
                "POST", "/_sim/webhooks",
                #"{"duplicates_percent": 30, "reorder": true, "delay_ms": 5}"#)
            try await server.stripe(
                "POST", "/_sim/customers/\(submitted.customers["bob"] ?? "")",
                #"{"card": "card_declined"}"#)
            #expect(try await submitted.bill().status == 0)
            let ann = submitted.customers["ann"] ?? ""
            try await server.stripe("POST", "/_sim/customers/\(ann)/pay_open", "{}")
            let stack = submitted.stack
            for (customer, status) in [("ann", "paid"), ("bob", "payment_failed")] {
                try await stack.until(
                    "SELECT status = $2 AS value FROM invoices WHERE customer_id = $1",
                    [customer, status])
            }
            try await stack.until(
                "SELECT count(*) = 0 AS value FROM webhook_events WHERE state = 'pending'")
            #expect(
                try await stack.value("SELECT string_agg(kind, ' ') AS value FROM alerts")
                    == "payment_failed")
            let events = try await stack.done("webhooks", "list", "--format", "json")
            #expect(events.contains(#""type":"invoice.paid","state":"processed""#))

            let metrics = try await server.get("/metrics").text
            #expect(metrics.contains("meterflow_webhook_requests_total{result=\"new\"}"))
            #expect(metrics.contains("meterflow_webhook_pending 0"))
            #expect(metrics.contains("meterflow_job_alert_after_seconds{job_name=\""))
            #expect(try await server.get("/healthz").text == "ok\n")
            #expect(try await server.get("/readyz").text == "ready\n")
            #expect(try await server.end() == 0)
        }
    }

    @Test func `what came while the server was away is found in Stripe's list`() async throws {
        try await withSubmittedStack { submitted in
            #expect(try await submitted.bill().status == 0)
            let ann = submitted.customers["ann"] ?? ""
            _ = try await submitted.stripe.send("POST", "/_sim/customers/\(ann)/pay_open", "{}")
            let result = try await submitted.stack.jobs(
                ["run", "process-webhooks", "--format", "json"], with: submitted.settings([:]))
            #expect(result.status == 0)
            #expect(result.output.contains(#""pending":0,"dead_letters":0"#))
            try await submitted.stack.until(
                "SELECT bool_and(status = 'paid') AS value FROM invoices")
        }
    }

    /// Killed wherever it is, again and again: what it had taken is taken again, and nothing twice.
    @Test func `a process that is killed loses no event`() async throws {
        try await withSubmittedStack { submitted in
            #expect(try await submitted.bill().status == 0)
            let ann = submitted.customers["ann"] ?? ""
            _ = try await submitted.stripe.send("POST", "/_sim/customers/\(ann)/fail_open", "{}")
            _ = try await submitted.stripe.send("POST", "/_sim/customers/\(ann)/pay_open", "{}")
            for milliseconds in stride(from: 30, through: 390, by: 20) {
                let process = try submitted.stack.start(
                    ["run", "process-webhooks"], with: submitted.settings([:]))
                await process.live(milliseconds: milliseconds)
                process.kill()
                _ = try await process.result()
            }
            try await submitted.letClaimsRunOut()
            let last = try await submitted.stack.jobs(
                ["run", "process-webhooks"], with: submitted.settings([:]))
            #expect(last.status == 0)
            let stack = submitted.stack
            #expect(
                try await stack.value(
                    "SELECT bool_and(state = 'processed') AS value FROM webhook_events"))
            #expect(
                try await stack.value("SELECT bool_and(status = 'paid') AS value FROM invoices"))
            let (events, entries): (Int, Int) = (
                try await stack.count("webhook_events"),
                try await stack.value(
                    "SELECT count(stripe_event_id) AS value FROM invoice_events")
            )
            #expect(events == entries)
        }
    }

    @Test func `a server that is killed again and again loses no event`() async throws {
        try await withSubmittedStack { submitted in
            let port = try freePort()
            let secret = try await submitted.registerEndpoint(port: port)
            _ = try await submitted.stripe.send(
                "POST", "/_sim/webhooks",
                #"{"duplicates_percent": 50, "reorder": true, "delay_ms": 20}"#)
            #expect(try await submitted.bill().status == 0)
            let ann = submitted.customers["ann"] ?? ""
            _ = try await submitted.stripe.send("POST", "/_sim/customers/\(ann)/fail_open", "{}")
            for milliseconds in stride(from: 200, through: 1400, by: 200) {
                let server = try submitted.serve(port: port, secret: secret)
                _ = try await submitted.stripe.send(
                    "POST", "/_sim/clock", #"{"advance_seconds": 90000}"#)
                await server.live(milliseconds: milliseconds)
                server.kill()
                _ = try await server.result()
            }
            _ = try await submitted.stripe.send("POST", "/_sim/customers/\(ann)/pay_open", "{}")
            try await submitted.letClaimsRunOut()
            let last = try submitted.serve(port: port, secret: secret)
            let stack = submitted.stack
            try await stack.until("SELECT bool_and(status = 'paid') AS value FROM invoices")
            try await stack.until(
                "SELECT bool_and(state <> 'pending') AS value FROM webhook_events")
            last.send(SIGTERM)
            #expect(try await last.result().status == 0)
            let effects = try await submitted.effects(of: "bob")
            #expect(effects["charges"] == 1, "\(effects)")
            // None, if the payment came before anybody was there to work on its failure.
            #expect(
                try await stack.value(
                    "SELECT count(*) <= 1 AS value FROM alerts WHERE kind = 'payment_failed'"))
            #expect(
                try await stack.value(
                    """
                    SELECT count(stripe_event_id) = count(DISTINCT stripe_event_id) AS value
                    FROM invoice_events
                    """))
        }
    }

    @Test func `callers who are not Stripe are refused, counted, and told nothing`() async throws {
        try await withServer { server in
            let body = Array(#"{"id":"evt_1","object":"event"}"#.utf8)
            let forged = try await server.post("/webhooks/stripe", body, signature: "t=1,v1=00")
            #expect(forged.status == 400)
            #expect(forged.text.isEmpty)
            let unsigned = try await server.post("/webhooks/stripe", body)
            #expect(unsigned.status == 400)
            let event = Array(ServeTests.event.utf8)
            let old = try await server.post(
                "/webhooks/stripe", event, signature: server.sign(event, age: 400))
            #expect(old.status == 400)
            let huge = [UInt8](repeating: 32, count: (1 << 20) + 1)
            #expect(
                try await server.post("/webhooks/stripe", huge, signature: server.sign(huge)).status
                    == 413)
            #expect(try await server.get("/webhooks/stripe").status == 405)
            #expect(try await server.post("/metrics", []).status == 405)
            #expect(try await server.get("/../etc/passwd").status == 404)
            #expect(try await server.get("/webhooks/stripe/").status == 404)
            // A second signature, by the secret that is being rolled out, is enough.
            let good = try await server.post(
                "/webhooks/stripe", event, signature: server.sign(event, secret: "whsec_old"))
            #expect(good.status == 200)
            let metrics = try await server.get("/metrics").text
            for cause in [
                "wrong_signature", "no_signature", "stale", "too_large", "wrong_method",
                "unknown_path", "new",
            ] {
                #expect(metrics.contains("result=\"\(cause)\""), "\(cause)")
            }
            #expect(try await server.submitted.stack.count("webhook_events") == 1)
        }
    }

    @Test func `who sends too much, or too slowly, is cut off`() async throws {
        try await withServer { server in
            let header =
                "GET /healthz HTTP/1.1\r\nHost: a\r\nX: " + String(repeating: "x", count: 20_000)
            #expect(await server.raw(header + "\r\n\r\n").hasPrefix("HTTP/1.1 400"))
            #expect(await server.raw("nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400"))
            // Never a whole request: the connection is closed, and nothing is answered.
            #expect(await server.raw(server.head(length: 5) + "ab") == "")
            // Nobody waits for the body of what is refused already; its rest keeps no connection open.
            for path in ["/webhooks/stripe", "/nope"] {
                let answer = await server.raw(
                    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n",
                    thenRest: "x")
                #expect(
                    answer.hasPrefix("HTTP/1.1 40") && !answer.hasSuffix("(still open)"),
                    "\(path): \(answer)")
            }
            // Nor does what was asked once.
            let asked = await server.raw("GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(asked.hasPrefix("HTTP/1.1 200") && asked.hasSuffix("ok\n"))
            let health = try await server.get("/healthz")
            #expect(health.status == 200)
        }
    }

    /// More than may be held in memory, if all of it came.
    @Test func `bodies that are only announced keep nobody out`() async throws {
        try await withServer { server in
            let event = Array(Self.event.utf8)
            let held = server.hold(80, server.head(length: 1_000_000) + "{")
            defer { for connection in held { close(connection) } }
            let taken = try await server.post(
                "/webhooks/stripe", event, signature: server.sign(event))
            #expect(taken.status == 200)
        }
    }

    @Test func `while Postgres hangs, Stripe is told to come again`() async throws {
        try await withServer { server in
            let event = Array(Self.event.utf8)
            try await server.submitted.stack.postgres.withConnection { connection in
                try await connection.query("BEGIN")
                try await connection.query("LOCK TABLE webhook_events, schema_migrations")
                async let refused = server.post(
                    "/webhooks/stripe", event, signature: server.sign(event))
                async let ready = server.get("/readyz")
                let statuses = try await [refused.status, ready.status]
                #expect(statuses == [503, 503])
                try await connection.query("ROLLBACK")
            }
            let taken = try await server.post(
                "/webhooks/stripe", event, signature: server.sign(event))
            #expect(taken.status == 200)
        }
    }

    @Test func `what Stripe never sends is found in its list while the server runs`() async throws {
        try await withServer(with: ["SERVE_BACKFILL_SECONDS": "1"]) { server in
            try await server.stripe("POST", "/_sim/webhooks", #"{"on": false}"#)
            #expect(try await server.submitted.bill().status == 0)
            let ann = server.submitted.customers["ann"] ?? ""
            try await server.stripe("POST", "/_sim/customers/\(ann)/pay_open", "{}")
            let stack = server.submitted.stack
            try await stack.until("SELECT bool_and(status = 'paid') AS value FROM invoices")
            #expect(
                try await stack.value(
                    "SELECT bool_and(source = 'backfill') AS value FROM webhook_events"))
            let metrics = try await server.get("/metrics").text
            #expect(metrics.contains("\nmeterflow_webhook_backfilled_total "))
        }
    }

    @Test func `what came is worked on also when Stripe's list cannot be read`() async throws {
        try await withSubmittedStack { submitted in
            #expect(try await submitted.bill().status == 0)
            let ann = submitted.customers["ann"] ?? ""
            _ = try await submitted.stripe.send("POST", "/_sim/customers/\(ann)/pay_open", "{}")
            let stack = submitted.stack
            try await stack.postgres.query(
                """
                INSERT INTO webhook_events (event_id, source, type, livemode, object_id, payload)
                SELECT 'evt_1', 'endpoint', 'invoice.paid', false, stripe_invoice_id, format(
                    '{"id":"evt_1","object":"event","type":"invoice.paid","livemode":false,'
                        || '"data":{"object":{"id":"%s"}}}', stripe_invoice_id)
                FROM invoices WHERE customer_id = 'ann'
                """)
            let fault = #"[{"match": {"path": "/v1/events"}, "fault": "error_500", "times": 100}]"#
            _ = try await submitted.stripe.send("POST", "/_sim/faults", fault)
            let result = try await stack.jobs(
                ["run", "process-webhooks"], with: submitted.settings([:]))
            #expect(result.status == 69, "\(result.errors)")
            #expect(result.output.contains("processed     1"))
            #expect(
                try await stack.value(
                    "SELECT status = 'paid' AS value FROM invoices WHERE customer_id = 'ann'"))
        }
    }

    @Test func `while Postgres is away, Stripe is told to come again`() async throws {
        try await withServer { server in
            let event = Array(Self.event.utf8)
            try await server.submitted.stack.postgres.query(
                "ALTER TABLE webhook_events RENAME TO away")
            let refused = try await server.post(
                "/webhooks/stripe", event, signature: server.sign(event))
            #expect(refused.status == 503)
            try await server.submitted.stack.postgres.query(
                "ALTER TABLE away RENAME TO webhook_events")
            let taken = try await server.post(
                "/webhooks/stripe", event, signature: server.sign(event))
            #expect(taken.status == 200)
        }
    }

    @Test func `settings that cannot be meant are refused`() async throws {
        try await withSubmittedStack { submitted in
            for (secrets, status) in [(nil, 78), ("sk_test_1", 78), ("whsec_", 78)]
                as [(String?, Int32)]
            {
                let result = try await submitted.stack.jobs(
                    ["serve"], with: submitted.settings(["STRIPE_WEBHOOK_SECRETS": secrets]))
                #expect(result.status == status)
                #expect(result.errors.contains("STRIPE_WEBHOOK_SECRETS"))
            }
        }
    }

    @Test func `a key of another account ends the server`() async throws {
        try await withSubmittedStack { submitted in
            try await submitted.stack.postgres.query(
                "INSERT INTO stripe_account (account_id, livemode) VALUES ('acct_other', false)")
            let result = try await submitted.stack.jobs(
                ["serve"],
                with: submitted.settings([
                    "STRIPE_WEBHOOK_SECRETS": "whsec_1", "SERVE_PORT": "0",
                ]))
            #expect(result.status == 77)
            #expect(result.errors.contains("acct_other"))
        }
    }

    @Test func `an endpoint is registered for what is read here`() async throws {
        try await withSubmittedStack { submitted in
            let result = try await submitted.stack.jobs(
                ["webhooks", "endpoint", "create", "https://billing.example.com/webhooks/stripe"],
                with: submitted.settings([:]))
            #expect(result.status == 0)
            #expect(result.output.contains("secret    whsec_"))
            let list = try await submitted.stripe.send("GET", "/v1/webhook_endpoints").json
            let endpoint = list["data"]?.elements?.first
            #expect(endpoint?["api_version"]?.text == "2026-10-28.endive")
            #expect(endpoint?["enabled_events"]?.elements?.count == 20)
        }
    }

    @Test func `dead letters of events need no live billing, and a list says how long it is`()
        async throws
    {
        try await withStack(catalog: nil) { stack in
            try await stack.postgres.query(
                """
                INSERT INTO webhook_events
                    (event_id, source, type, livemode, payload, state, settled_at)
                SELECT 'evt_' || number, 'endpoint', 'invoice.paid', false, '{}', 'dead', now()
                FROM generate_series(1, 120) AS number
                """)
            try await stack.postgres.query(
                """
                INSERT INTO dead_letters (kind, subject_id, reason)
                VALUES ('webhook', 'evt_1', 'test'), ('webhook', 'evt_2', 'test')
                """)
            let table = try await stack.jobs("webhooks", "list")
            #expect(table.output.split(separator: "\n").count == 101)
            #expect(table.errors.contains("100 of 120; --limit shows more\n"))
            let rows = try await stack.jobs("webhooks", "list", "--format", "json")
            #expect(rows.output.split(separator: "\n").count == 120)
            #expect(!rows.errors.contains("of 120"))

            let number: Int = try await stack.value(
                "SELECT dead_letter_id AS value FROM dead_letters WHERE subject_id = 'evt_2'")
            let discarded = try await stack.done(
                "dead-letters", "discard", "\(number)", "--reason", "test")
            #expect(discarded == "discarded; evt_2 is worked on no more\n")
            let retried = try await stack.done("dead-letters", "retry", "--all")
            #expect(retried == "1 events are pending again, for serve or process-webhooks\n")
            let pending = try await stack.done("webhooks", "list", "--state", "pending")
            #expect(pending.contains("evt_1 "))
        }
    }

    @Test func `an unknown event cannot be shown or replayed`() async throws {
        try await withStack { stack in
            for command in ["show", "replay"] {
                let result = try await stack.jobs("webhooks", command, "evt_none")
                #expect(result.status == 65)
                #expect(result.errors.contains("there is no event evt_none"))
            }
        }
    }

    private static let event =
        #"{"id":"evt_1","object":"event","type":"customer.created","livemode":false,"data":{"object":{"id":"cus_1"}}}"#
}
