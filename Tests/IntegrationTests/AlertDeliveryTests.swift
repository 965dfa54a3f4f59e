import Foundation
import Glibc
import HTTP
import Ledger
import Postgres
import StripeSimulation
import Testing

@testable import jobs

/// The built program tells real servers on loopback, and never a secret to anybody else.
struct AlertDeliveryTests {
    private static func raise(_ stack: Stack, _ key: String, severity: String = "warning")
        async throws
    {
        try await stack.postgres.query(
            """
            INSERT INTO alerts (key, kind, severity, subject, body)
            VALUES ($1, 'payment_failed', $2, 'inv_1',
                '{"customer_id":"ann","amount_minor":1250,"currency":"usd","next":"call <Ann>"}')
            """, [key, severity])
    }

    private static func secretFile(_ stack: Stack, _ text: String) throws -> String {
        try stack.file("secret", text + "\n")
    }

    /// Settings with a webhook.
    private static func hook(_ stack: Stack, _ service: RouteService) throws {
        try stack.file(
            "jobs.yaml",
            """
            alerts:
              routes:
                hook: {type: webhook, url: "\(service.url)/in",
                  secret_file: \(try secretFile(stack, Stack.planted))}
            """)
    }

    /// Settings with a mail server.
    private static func post(
        _ stack: Stack, _ mail: MailServer, to recipients: String, caFile: String? = nil,
        password: String = Stack.planted
    ) throws {
        try stack.file(
            "jobs.yaml",
            """
            alerts: {routes: {post: {type: email, host: localhost, port: \(mail.port),
              user: ops, password_file: \(try secretFile(stack, password)),
              ca_file: \(caFile ?? mail.certificate), from: meterflow@example.com,
              to: [\(recipients)]}}}
            """)
    }

    @Test func `PagerDuty is told of begin and end under one key`() async throws {
        try await withStack(catalog: nil) { stack in
            let service = try RouteService()
            defer { service.server.stop() }
            try stack.file(
                "jobs.yaml",
                """
                alerts: {routes: {pager: {type: pagerduty, base: "\(service.url)",
                  routing_key_file: \(try Self.secretFile(stack, Stack.planted)),
                  match: {severity: critical, customer: [ann, bob]}}}}
                """)
            try await Self.raise(stack, "a", severity: "critical")
            try await Self.raise(stack, "b")
            #expect(try await stack.done("run", "send-alerts").contains("delivered     1"))
            try await stack.postgres.query(
                "UPDATE alerts SET state = 'resolved', resolved_at = now(), needs_routing = true")
            try await stack.done("run", "send-alerts")
            let heard = service.heard
            try #require(heard.count == 2)
            #expect(heard.allSatisfy { $0.hasPrefix("POST /v2/enqueue HTTP/1.1\r\n") })
            #expect(heard[0].contains(#""event_action":"trigger""#))
            #expect(heard[1].contains(#""event_action":"resolve""#))
            let keys = heard.compactMap { $0.firstMatch(of: #/"dedup_key":"([^"]+)"/#)?.1 }
            #expect(keys.count == 2 && keys[0] == keys[1] && keys[0].hasSuffix("/a"))
            let list = try await stack.done("alerts", "list", "--format", "csv")
            #expect(list.lineCount == 3)
            #expect(
                try await stack.done("alerts", "show", "a").contains("pager  resolve  delivered"))
            let last = try await stack.done("runs", "list", "--last-success")
            #expect(last.contains("send-alerts"))
        }
    }

    @Test func `a webhook is signed, retried, and given up when it is refused`() async throws {
        try await withStack(catalog: nil) { stack in
            let service = try RouteService()
            defer { service.server.stop() }
            try Self.hook(stack, service)
            try await Self.raise(stack, "a")
            service.answer("503 Busy")
            let failed = try await stack.jobs("run", "send-alerts", "--format", "json")
            #expect(failed.status == 0 && failed.output.contains(#""failed":1"#))
            service.answer("404 Gone")
            try await stack.postgres.query("UPDATE alert_messages SET next_attempt_at = now()")
            let dead = try await stack.jobs("run", "send-alerts", "--format", "json")
            #expect(dead.status == 1 && dead.output.contains(#""dead_letters":1"#))
            service.answer("200 OK")
            #expect(try await stack.done("alerts", "retry", "a").contains("1 sent again"))
            try await stack.done("run", "send-alerts")
            let heard = service.heard
            try #require(heard.count == 3)
            let ids = heard.compactMap { $0.firstMatch(of: #/(?i)idempotency-key: (\S+)/#)?.1 }
            #expect(ids.count == 3 && Set(ids).count == 1)
            let parts = heard[2].split(separator: "\r\n\r\n", maxSplits: 1)
            let header = try #require(
                heard[2].firstMatch(of: #/(?i)meterflow-signature: t=(\d+),v1=([0-9a-f]{64})/#))
            let body = try stack.file("body", "\(header.1).\(parts[1])")
            let digest = try await Tool.run(
                "openssl", "dgst", "-sha256", "-hmac", Stack.planted, body)
            #expect(digest.output.contains(header.2))
        }
    }

    @Test func `mail goes out over TLS, to who is asked for, once`() async throws {
        try await withStack(catalog: nil) { stack in
            let mail = try await MailServer(stack)
            try Self.post(
                stack, mail, to: "ops@example.com",
                caFile: "/etc/ssl/certs/ca-certificates.crt")
            let untrusted = try await stack.jobs("alerts", "test", "post")
            #expect(untrusted.status == 69, "\(untrusted.errors)")
            try Self.post(stack, mail, to: "ops@example.com")
            #expect(try await stack.done("alerts", "test", "post") == "post took it\n")
            try await Self.raise(stack, "a")
            try await Self.raise(stack, "b")
            try await stack.done("run", "send-alerts")
            let mails = try mail.mails()
            try #require(mails.count == 2)
            #expect(mails[1]["tls"] as? Bool == true)
            #expect(mails[1]["to"] as? [String] == ["ops@example.com"])
            #expect(
                (mails[1]["subject"] as? String)?.hasPrefix("2 alerts, first [warning]") == true)
            #expect((mails[1]["text"] as? String)?.contains("amount: 12.50 USD") == true)
            #expect((mails[1]["html"] as? String)?.contains("call &lt;Ann&gt;") == true)
            #expect(
                (mails[1]["message_id"] as? String)?.wholeMatch(
                    of: #/<alert-1\.meterflow-[a-z0-9-]+@example\.com>/#) != nil)
            #expect(mails.allSatisfy { ($0["defects"] as? [String])?.isEmpty == true })
            try Self.post(stack, mail, to: "nobody@example.com")
            try await Self.raise(stack, "c")
            let refused = try await stack.jobs("run", "send-alerts", "--format", "json")
            #expect(refused.status == 1 && refused.output.contains(#""dead_letters":1"#))
        }
    }

    @Test func `one mailbox that is gone keeps nobody else from hearing of an alert`()
        async throws
    {
        try await withStack(catalog: nil) { stack in
            let mail = try await MailServer(stack)
            try Self.post(
                stack, mail, to: "ops@example.com, nobody@example.com, eve@example.com")
            let test = try await stack.jobs("alerts", "test", "post")
            #expect(test.status == 1 && test.output.contains("refused: nobody@example.com (550)"))
            try await Self.raise(stack, "a")
            let run = try await stack.jobs("run", "send-alerts", "--format", "json")
            #expect(run.status == 0 && run.output.contains(#""delivered":1"#), "\(run.errors)")
            #expect(run.errors.contains("refused: nobody@example.com (550)"))
            let mails = try mail.mails()
            try #require(mails.count == 2)
            #expect(mails[1]["to"] as? [String] == ["ops@example.com", "eve@example.com"])
            #expect(
                try await stack.done("alerts", "show", "a")
                    .contains("refused: nobody@example.com (550)"))
        }
    }

    @Test func `who may not sign in, or only in the clear, sends nothing, and says so`()
        async throws
    {
        try await withStack(catalog: nil) { stack in
            let mail = try await MailServer(stack)
            try Self.post(stack, mail, to: "ops@example.com", password: "wrong")
            let denied = try await stack.jobs("alerts", "test", "post")
            #expect(denied.status == 69 && denied.errors.contains("535"), "\(denied.errors)")
            #expect(try mail.mails().isEmpty)
            let plain = try await MailServer(stack, isPlain: true)
            try Self.post(stack, plain, to: "ops@example.com")
            let clear = try await stack.jobs("alerts", "test", "post")
            #expect(clear.status == 69, "\(clear.errors)")
            // Not even the password.
            #expect(try plain.mails().isEmpty)
        }
    }

    @Test func `the server tells routes, and ends what it began when it is asked to end`()
        async throws
    {
        try await withSubmittedStack { submitted in
            let stack = submitted.stack
            let service = try RouteService()
            defer { service.server.stop() }
            try Self.hook(stack, service)
            try await Self.raise(stack, "a")
            service.hold()
            let port = try freePort()
            let server = try submitted.serve(port: port, secret: "whsec_1")
            try await stack.until(
                "SELECT count(*) = 1 AS value FROM alert_messages WHERE attempts = 1")
            server.send(SIGTERM)
            // Its listener ends first, then the rest is asked to.
            let client = try HTTPClient()
            let question = HTTPRequest(method: "GET", url: "http://127.0.0.1:\(port)/healthz")
            let deadline = ContinuousClock.now + patience
            while (try? await client.send(question)) != nil {
                try #require(ContinuousClock.now < deadline, "the server still listens")
            }
            service.release()
            let result = try await server.result()
            #expect(result.status == 0, "\(result.errors)")
            #expect(service.heard.count == 1)
            #expect(
                try await stack.value("SELECT string_agg(state, ' ') AS value FROM alert_messages")
                    == "delivered")
            #expect(
                try await stack.done("runs", "list", "--last-success").contains("send-alerts"))
        }
    }

    @Test func `a run that is asked to stop ends what it began, and nothing is told twice`()
        async throws
    {
        try await withStack(catalog: nil) { stack in
            let service = try RouteService()
            defer { service.server.stop() }
            try Self.hook(stack, service)
            for number in 0..<30 { try await Self.raise(stack, "a\(number)") }
            service.hold()
            let run = try stack.start(["run", "send-alerts"])
            try await stack.until(
                "SELECT count(*) = 1 AS value FROM alert_messages WHERE attempts = 1")
            run.send(SIGTERM)
            service.release()
            let stopped = try await run.result()
            #expect(stopped.status == 75, "\(stopped.errors)")
            #expect(
                try await stack.value(
                    "SELECT bool_and(state = 'delivered') AS value FROM alert_messages"))
            try await stack.done("run", "send-alerts")
            #expect(service.heard.count == 30)
        }
    }

    @Test func `a person ends an alert, and gives up what waits for a route that is gone`()
        async throws
    {
        try await withStack(catalog: nil) { stack in
            let service = try RouteService()
            defer { service.server.stop() }
            try Self.hook(stack, service)
            service.answer("503 Busy")
            try await Self.raise(stack, "a")
            try await stack.done("run", "send-alerts")
            try stack.file(
                "jobs.yaml",
                """
                alerts: {routes: {log: {type: file, path: \(stack.folder)/alerts.jsonl,
                  match: {severity: critical, job: process-webhooks}}}}
                """)
            let stranded = try await stack.jobs("run", "send-alerts")
            #expect(stranded.status == 1 && stranded.output.contains("jobs alerts discard ROUTE"))
            let word = ["--reason", "renamed", "--by", "eve"]
            let own = try await stack.jobs(["alerts", "discard", "log"] + word)
            #expect(own.status == 64)
            let discarded = try await stack.jobs(["alerts", "discard", "hook"] + word)
            #expect(discarded.output == "1 given up\n")
            #expect(
                try await stack.done("alerts", "show", "a").contains("discarded by eve: renamed"))
            try await Self.raise(stack, "b")
            try await Self.raise(stack, "c", severity: "critical")
            try await stack.done("run", "send-alerts")
            let list = try await stack.done("alerts", "list", "--format", "csv")
            #expect(list.split(separator: "\n").count { $0.contains(",no route,") } == 1)
            let resolved = try await stack.jobs(["alerts", "resolve", "c"] + word)
            #expect(resolved.status == 0)
            #expect(try await stack.jobs(["alerts", "resolve", "c"] + word).status == 65)
            #expect(try await stack.jobs(["alerts", "resolve", "nothing"] + word).status == 65)
            try await stack.done("run", "send-alerts")
            let shown = try await stack.done("alerts", "show", "c")
            #expect(shown.contains("ended     by eve at ") && shown.contains(": renamed\n"))
            #expect(shown.contains("log  resolve  delivered"))
        }
    }

    @Test func `a table of alerts says what it leaves out, and programs get all of them`()
        async throws
    {
        try await withStack(catalog: nil) { stack in
            try await stack.postgres.query(
                """
                INSERT INTO alerts (key, kind, severity, subject, body)
                SELECT 'a' || number, 'drift', 'info', 's', '{}' FROM generate_series(1, 101) AS number
                """)
            let table = try await stack.jobs("alerts", "list")
            #expect(table.output.lineCount == 101 && table.errors.contains("100 of 101"))
            let csv = try await stack.jobs("alerts", "list", "--format", "csv")
            #expect(csv.output.lineCount == 102 && csv.errors.isEmpty)
            #expect(try await stack.done("alerts", "list", "--limit", "7").lineCount == 8)
        }
    }

    @Test func `routes can choose by every job that raises alerts, and by no other`() {
        let names = Set(JobRegistry.descriptions.map(\.name))
        #expect(Set(Alert.jobs.values.joined()).isSubset(of: names))
    }

    @Test func `a file gets a line for each alert`() async throws {
        try await withStack(catalog: nil) { stack in
            try stack.file(
                "jobs.yaml",
                "alerts: {routes: {log: {type: file, path: \(stack.folder)/alerts.jsonl}}}")
            for key in ["a", "b\nc"] { try await Self.raise(stack, key) }
            try await stack.done("run", "send-alerts")
            let lines = try String(contentsOfFile: stack.folder + "/alerts.jsonl", encoding: .utf8)
                .split(separator: "\n").map { try JSONValue(Array($0.utf8)) }
            #expect(lines.count == 2)
        }
    }

    @Test(arguments: [
        ("{type: slack}", "url_file is missing"),
        ("{type: fax}", "must be one of slack"),
        ("{type: file, path: x}", "absolute path"),
        ("{type: file, path: /x, colour: red}", "keys that nothing reads: colour"),
        ("{type: file, path: /x, match: {severity: [loud]}}", "must be of info, warning, critical"),
        ("{type: file, path: /x, match: {who: [x]}}", "keys that nothing reads: who"),
        ("{type: file, path: /x, match: {kind: [drift, late]}}", "must be of anomalies, anomaly"),
        ("{type: file, path: /x, match: {job: bill}}", "must be of check-patterns, detect"),
        ("{type: file, path: /x, quiet_hours: '25:00-07:00'}", "as 22:00-07:00"),
        ("{type: file, path: /x, quiet_hours: '22:00-07:00', timezone: Mars}", "Europe/Berlin"),
        ("{type: file, path: /x, messages_per_hour: 0}", "from 1 to 10000"),
        ("{type: webhook, url: 'http://example.com/', secret_file: /x}", "https://"),
        ("{type: email, host: example.com, security: none, from: a@b, to: [c@d]}", "this machine"),
        ("{type: email, host: h, from: 'a', to: [c@d]}", "addresses such as"),
        ("[]", "type is missing"),
    ])
    func `a route that cannot be read is refused`(route: String, error: String) async throws {
        try await withStack(isMigrated: false) { stack in
            try stack.file("jobs.yaml", "alerts:\n  routes:\n    ops: \(route)\n")
            let result = try await stack.jobs("alerts", "list")
            #expect(result.status == 78)
            #expect(result.errors.contains(error), "\(result.errors)")
        }
    }
}
