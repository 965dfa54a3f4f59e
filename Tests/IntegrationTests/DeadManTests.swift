import Exact
import Foundation
import Postgres
import Synchronization
import Testing

/// Whoever watches the jobs learns that they run, and that they do not.
struct DeadManTests {
    /// A dead man's switch that writes down what it is told.
    private final class Switch: Sendable {
        let server: LoopbackServer
        private let heard = Mutex<[String]>([])

        init(answer: String = "200 OK") throws {
            server = try LoopbackServer()
            server.serve { [self] client, _ in
                if let bytes = LoopbackServer.receive(client) {
                    let line = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\r\n" }
                    heard.withLock { $0.append(String(line.replacing(" HTTP/1.1", with: ""))) }
                }
                let text = "HTTP/1.1 \(answer)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                LoopbackServer.send(Array(text.utf8), to: client)
                shutdown(client, Int32(SHUT_RDWR))
            }
        }

        var pings: [String] { heard.withLock { $0 } }
        var setting: [String: String?] {
            ["PING_URL": "http://127.0.0.1:\(server.port)/\(Stack.planted)/{job}"]
        }
    }

    private static func lines(_ job: String, _ ends: String...) -> [String] {
        ends.map { "POST /\(Stack.planted)/\(job)\($0)" }
    }

    @Test func `a switch hears of start, success and failure`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let heard = try Switch()
            defer { heard.server.stop() }
            let done = try await stack.jobs("run", "bill", "--slot", "2015-01", with: heard.setting)
            #expect(done.status == 0)
            #expect(heard.pings == Self.lines("bill-dry-run", "/start", ""))
            let failed = try await stack.jobs(
                "run", "bill", "--slot", "2014-01", with: heard.setting)
            #expect(failed.status == 78)
            #expect(heard.pings.suffix(2) == Self.lines("bill-dry-run", "/start", "/fail")[...])
            try await stack.jobs("run", "seal-usage", with: heard.setting)
            #expect(heard.pings.suffix(2) == Self.lines("seal-usage", "/start", "")[...])
            #expect(heard.pings.count == 6)
        }
    }

    /// Settings with which a launch does not come to its job, and how it ends.
    private static let early: [([String: String?], Int32)] = [
        (["DATABASE_URL": "postgresql://nobody:none@127.0.0.1:1/none"], 69),
        (["DATABASE_URL": nil], 78),
        // Without a first slot.
        (["BILLING_MODE": "live", "STRIPE_API_KEY": "sk_test_simulator"], 78),
    ]

    @Test func `a launch that fails before its job begins is told, too`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            for (changes, status) in Self.early {
                let heard = try Switch()
                defer { heard.server.stop() }
                var settings = changes.merging(heard.setting) { $1 }
                settings["RUN_RETRY_SECONDS"] = "0"
                let failed = try await stack.jobs("run", "bill", with: settings)
                #expect(failed.status == status, "\(failed.errors)")
                let name = changes["BILLING_MODE"] == nil ? "bill-dry-run" : "bill"
                #expect(heard.pings == Self.lines(name, "/fail"))
            }
        }
    }

    @Test func `who finds a job taken says nothing to the switch`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let heard = try Switch()
            defer { heard.server.stop() }
            try await stack.postgres.query(
                """
                INSERT INTO leases (name, token, holder, expires_at)
                VALUES ('job bill-dry-run', 7, 'another host', now() + interval '1 minute')
                """)
            let held = try await stack.jobs("run", "bill", "--slot", "2015-01", with: heard.setting)
            #expect(held.status == 75 && held.errors.contains("another host"))
            #expect(heard.pings.isEmpty)
        }
    }

    @Test(arguments: ["refuses", "is away"])
    func `a switch that does not listen keeps no job from running`(what: String) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let heard = try Switch(answer: "500 Broken")
            if what == "is away" { heard.server.stop() }
            defer { if what == "refuses" { heard.server.stop() } }
            let done = try await stack.jobs("run", "bill", "--slot", "2015-01", with: heard.setting)
            #expect(done.status == 0)
            #expect(done.errors.contains("the ping was"))
        }
    }

    @Test func `metrics say when each job last succeeded, and when to worry`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let file = stack.folder + "/jobs.prom"
            try await stack.done("run", "seal-usage", "--metrics-file", file)
            let failed = try await stack.jobs(
                "run", "bill", "--slot", "2014-01", "--metrics-file", file)
            #expect(failed.status == 78)
            func metrics() throws -> [String: Int] {
                let lines = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
                return Dictionary(
                    uniqueKeysWithValues: lines.filter { !$0.hasPrefix("#") }.compactMap { line in
                        let parts = line.split(separator: " ")
                        return Int(parts[1]).map { (String(parts[0]), $0) }
                    })
            }
            let stamp = "meterflow_job_last_success_timestamp_seconds"
            let before = try metrics()
            #expect(before["\(stamp){job_name=\"bill-dry-run\"}"] == nil)
            #expect(
                before["meterflow_job_alert_after_seconds{job_name=\"bill-dry-run\"}"] == 2_787_000)
            #expect(before["meterflow_job_alert_after_seconds{job_name=\"seal-usage\"}"] == 3930)
            try await stack.done("run", "bill", "--slot", "2015-01", "--metrics-file", file)
            let after = try metrics()
            let bill = try #require(after["\(stamp){job_name=\"bill-dry-run\"}"])
            #expect(abs(bill - Int(Date().timeIntervalSince1970)) < 60)
            #expect(
                after["meterflow_job_last_success_age_seconds{job_name=\"bill-dry-run\"}"] != nil)
            // Prometheus' own parser reads it; another user may.
            let checked = try await Tool.run("sh", "-c", "promtool check metrics < \(file)")
            #expect(checked.status == 0, "\(checked.output)\(checked.errors)")
            let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions]
            #expect(mode as? Int == 0o644)
            #expect(try stack.files() == ["catalog.yaml", "jobs.prom"])
        }
    }

    @Test func `who tells people, or reads Stripe's events, is missed once there is a need`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let file = stack.folder + "/jobs.prom"
            func expected(_ changes: [String: String?] = [:]) async throws -> Set<Substring> {
                try await stack.done("run", "seal-usage", "--metrics-file", file, with: changes)
                let text = try String(contentsOfFile: file, encoding: .utf8)
                let names = text.matches(of: #/alert_after_seconds\{job_name="([a-z-]+)"\}/#)
                return Set(names.map { $0.1 })
            }
            let served: Set<Substring> = ["process-webhooks", "send-alerts"]
            #expect(try await expected().isDisjoint(with: served))
            try stack.file(
                "jobs.yaml",
                "alerts: {routes: {log: {type: file, path: \(stack.folder)/alerts}}}\n")
            let live: [String: String?] = [
                "BILLING_MODE": "live", "BILLING_FIRST_SLOT": "2026-10",
            ]
            #expect(try await expected(live).isSuperset(of: served))
            let doctor = try await stack.jobs("doctor")
            #expect(doctor.output.contains("send-alerts has never succeeded"))
            try await stack.done("run", "send-alerts")
            #expect(try await stack.jobs("doctor").output.contains("send-alerts succeeded"))
        }
    }

    @Test func `metrics that cannot be written are said so, and keep no job from being done`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let done = try await stack.jobs(
                "run", "bill", "--slot", "2015-01", "--metrics-file", "/nowhere/jobs.prom")
            #expect(done.status == 0)
            #expect(done.errors.contains("/nowhere/jobs.prom cannot be written"))
        }
    }

    @Test func `the last success of every job can be listed`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            #expect(
                try await stack.done("runs", "list", "--last-success")
                    == "JOB  SLOT  SUCCEEDED_AT  AGE_SECONDS\n")
            try await stack.done("run", "bill", "--slot", "2015-01..2015-02")
            try await stack.done("run", "seal-usage")
            let csv = try await stack.done("runs", "list", "--last-success", "--format", "csv")
            let lines = csv.split(separator: "\n").map { $0.split(separator: ",") }
            #expect(lines.map(\.first) == ["job", "bill-dry-run", "seal-usage"])
            #expect(lines[1][1] == "2015-02")
            let one = try await stack.done(
                "runs", "list", "--last-success", "--job", "seal-usage", "--format", "json")
            #expect(one.lineCount == 1 && one.contains("\"slot\":null"))
            let show = try await stack.done("runs", "show", "bill-dry-run", "2015-01")
            #expect(
                show.hasPrefix("bill-dry-run 2015-01  succeeded\ndue at    2015-02-02T00:00:00Z"))
            #expect(show.contains("succeeded, exit 0 after "))
            let none = try await stack.jobs("runs", "show", "bill", "2015-01")
            #expect(none.status == 65 && none.errors.contains("jobs runs list"))
        }
    }
}
