import Foundation
import Glibc
import Ledger
import Postgres
import StripeSimulation
import Synchronization
import Testing

/// The built program tells real servers on loopback, and never a secret to anybody else.
struct AlertDeliveryTests {
    /// A service that writes down what it gets, and answers what it is told to.
    private final class HTTPService: Sendable {
        let server: LoopbackServer
        private let state = Mutex((heard: [String](), answer: "202 Accepted"))

        init() throws {
            server = try LoopbackServer()
            server.serve { [self] client, _ in
                var bytes = LoopbackServer.receive(client) ?? []
                while !Self.isWhole(bytes), let more = LoopbackServer.receive(client) {
                    bytes += more
                }
                let answer = state.withLock { state in
                    state.heard.append(String(decoding: bytes, as: UTF8.self))
                    return state.answer
                }
                let text = "HTTP/1.1 \(answer)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                LoopbackServer.send(Array(text.utf8), to: client)
                shutdown(client, Int32(SHUT_RDWR))
            }
        }

        private static func isWhole(_ bytes: [UInt8]) -> Bool {
            let parts = String(decoding: bytes, as: UTF8.self)
                .split(separator: "\r\n\r\n", maxSplits: 1)
            let length = parts.first?.firstMatch(of: #/(?i)content-length: (\d+)/#)
                .flatMap { Int($0.1) }
            return parts.count == 2 && parts[1].utf8.count >= length ?? 0
        }

        var heard: [String] { state.withLock { $0.heard } }
        func answer(_ text: String) { state.withLock { $0.answer = text } }
        var url: String { "http://127.0.0.1:\(server.port)" }
    }

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

    @Test func `PagerDuty is told of begin and end under one key`() async throws {
        try await withStack(catalog: nil) { stack in
            let service = try HTTPService()
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
            let service = try HTTPService()
            defer { service.server.stop() }
            try stack.file(
                "jobs.yaml",
                """
                alerts:
                  routes:
                    hook: {type: webhook, url: "\(service.url)/in",
                      secret_file: \(try Self.secretFile(stack, Stack.planted))}
                """)
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
            func routes(_ recipient: String, caFile: String) throws {
                try stack.file(
                    "jobs.yaml",
                    """
                    alerts: {routes: {post: {type: email, host: localhost, port: \(mail.port),
                      user: ops, password_file: \(try Self.secretFile(stack, Stack.planted)),
                      ca_file: \(caFile), from: meterflow@example.com, to: [\(recipient)]}}}
                    """)
            }
            try routes("ops@example.com", caFile: "/etc/ssl/certs/ca-certificates.crt")
            let untrusted = try await stack.jobs("alerts", "test", "post")
            #expect(untrusted.status == 69, "\(untrusted.errors)")
            try routes("ops@example.com", caFile: mail.certificate)
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
            try routes("nobody@example.com", caFile: mail.certificate)
            try await Self.raise(stack, "c")
            let refused = try await stack.jobs("run", "send-alerts", "--format", "json")
            #expect(refused.status == 1 && refused.output.contains(#""dead_letters":1"#))
        }
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
        ("{type: file, path: /x, quiet_hours: '25:00-07:00'}", "as 22:00-07:00"),
        ("{type: file, path: /x, quiet_hours: '22:00-07:00', timezone: Mars}", "Europe/Berlin"),
        ("{type: file, path: /x, messages_per_hour: 0}", "from 1 to 10000"),
        ("{type: webhook, url: 'http://example.com/', secret_file: /x}", "https://"),
        ("{type: webhook, url: 'https://example.com/', secret_file: /nowhere}", "cannot be read"),
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

/// aiosmtpd with a certificate of its own.
private final class MailServer: Sendable {
    let port: Int
    let certificate: String
    private let server: PythonServer

    init(_ stack: Stack) async throws {
        certificate = stack.folder + "/mail.pem"
        let key = stack.folder + "/mail.key"
        let made = try await Tool.run(
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
            "subjectAltName=DNS:localhost", "-keyout", key, "-out", certificate)
        try #require(made.status == 0, "\(made.errors)")
        server = try await PythonServer(
            "Tests/IntegrationTests/mail_server.py", [certificate, key],
            output: stack.folder + "/.mails")
        port = try #require(Int(server.firstLine))
    }

    func mails() throws -> [[String: Any]] {
        try server.lines().map {
            try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
    }
}
