import Alerts
import Ledger
import Postgres
import Testing

/// What becomes of an alert reaches whoever heard of it, and whatever reaches nobody can be seen.
struct AlertLifeTests {
    @Test func `a message keeps its contents, whatever became of its alert meanwhile`()
        async throws
    {
        struct Death: Error {}
        try await withAlerts { scene in
            try await scene.raise("a", body: #"{"n":1}"#)
            await #expect(throws: Death.self) {
                try await scene.run([.people()]) { if $0 == .sent { throw Death() } }
            }
            try await scene.resolve("a")
            try await scene.raise("a", severity: .critical, body: #"{"n":2}"#)
            try await scene.advance(seconds: 121)
            try await scene.run([.people()])
            let taken = scene.services.taken
            #expect(taken.map(\.bodies) == [[#"{"n": 1}"#], [#"{"n": 1}"#], [#"{"n": 2}"#]])
            try #require(taken.count == 3)
            #expect(taken[0].message == taken[1].message && taken[1].message != taken[2].message)
        }
    }

    @Test func `who heard of an alert hears what becomes of it, whatever they would choose now`()
        async throws
    {
        try await withAlerts { scene in
            var pager = AlertRoute.machine("pager")
            pager.match.severities = [.critical]
            let log = AlertRoute.machine("log")
            try await scene.raise("a", severity: .critical)
            try await scene.run([pager, log])
            // Raised anew, as less, before anybody was told that it was over.
            try await scene.resolve("a")
            try await scene.raise("a", severity: .warning)
            try await scene.run([pager, log])
            pager.match.kinds = ["other"]
            try await scene.acknowledge("a")
            try await scene.run([pager, log])
            try await scene.resolve("a")
            try await scene.run([pager, log, .machine("new")])
            let heard = Dictionary(grouping: scene.services.taken, by: \.route)
                .mapValues { $0.flatMap(\.notes) }
            #expect(
                heard == [
                    "pager": ["trigger a", "acknowledge a", "resolve a"],
                    "log": ["trigger a", "trigger a", "acknowledge a", "resolve a"],
                ])
        }
    }

    @Test func `what waits for a route that is gone can be given up, and nothing follows`()
        async throws
    {
        try await withAlerts { scene in
            var old = AlertRoute.machine("old")
            try await scene.raise("a")
            scene.services.fail(with: .refused("answered 404"))
            #expect(try await scene.run([old]).dead == 1)
            try await scene.raise("b")
            scene.services.fail(with: .later("away", afterSeconds: nil))
            #expect(try await scene.run([old]).failed == 1)
            scene.services.fail(with: nil)
            old.digestSeconds = 600
            try await scene.raise("c")
            #expect(try await scene.run([old]).delivered == 0)
            let waiting = try await scene.outbox.backlog(routes: ["new"])
            #expect(waiting.stranded == 2 && waiting.strandedRoutes == "old")
            #expect(waiting.deadLetters == 1)
            let records = AlertRecords(pool: scene.pool)
            #expect(try await records.discard(route: "old", by: "ann", reason: "renamed") == 3)
            for key in ["a", "b", "c"] { try await scene.resolve(key) }
            #expect(try await scene.run([.machine("new")]).delivered == 0)
            let left = try await scene.outbox.backlog(routes: ["new"])
            #expect(left.waiting == 0 && left.deadLetters == 0 && left.strandedRoutes == nil)
            let delivery = try #require(try await records.show("c").deliveries.first)
            #expect(delivery.state == "discarded")
            #expect(delivery.note == "discarded by ann: renamed")
        }
    }

    @Test func `an alert that no route matches is seen to have none`() async throws {
        try await withAlerts { scene in
            var strict = AlertRoute.machine("strict")
            strict.match.severities = [.critical]
            let records = AlertRecords(pool: scene.pool)
            try await scene.raise("a")
            let new = try await records.show("a").record
            #expect(new.isUnrouted && !new.hasNoRoute)
            try await scene.run([strict])
            let unheard = try await records.show("a").record
            #expect(!unheard.isUnrouted && unheard.hasNoRoute)
            try await scene.raise("b", severity: .critical)
            try await scene.run([strict])
            #expect(try await !records.show("b").record.hasNoRoute)
            #expect(try await records.list(limit: nil).count == 2)
            #expect(try await records.list(limit: 1).count == 1)
            #expect(try await records.count(state: "open", kind: nil) == 2)
        }
    }

    @Test func `a person ends what nothing ends by itself, and that stays on record`()
        async throws
    {
        try await withAlerts { scene in
            try await scene.raise("a")
            try await scene.run([.machine()])
            let records = AlertRecords(pool: scene.pool)
            let id = try await records.show("a").record.id
            #expect(try await records.resolve(id, by: "ann", reason: "won at the bank"))
            #expect(try await !records.resolve(id, by: "bob", reason: "again"))
            try await scene.run([.machine()])
            #expect(scene.services.takeAll() == [["trigger a"], ["resolve a"]])
            try await scene.raise("a")
            let shown = try await records.show("a")
            #expect(shown.record.state == "open")
            #expect(shown.resolutions.map { "\($0.by): \($0.reason)" } == ["ann: won at the bank"])
            await #expect(throws: PostgresError.self) {
                try await scene.pool.query("DELETE FROM alert_resolutions")
            }
        }
    }

    @Test func `of a month's drifts the newest is open, and none of a month that nobody looks at`()
        async throws
    {
        try await withAlerts { scene in
            let alerts = AlertStore(pool: scene.pool)
            func find(_ key: String, in month: String) async throws {
                try await alerts.raise(
                    Alert(
                        key: key, kind: "drift", severity: .warning, subject: month, body: "{}"),
                    isOnly: true)
            }
            func open() async throws -> [String] {
                try await scene.values(
                    "SELECT key AS value FROM alerts WHERE state = 'open' ORDER BY key")
            }
            try await scene.raise("other", subject: "2026-08")
            try await find("x1", in: "2026-08")
            try await find("y1", in: "2026-09")
            try await find("x2", in: "2026-08")
            #expect(try await open() == ["other", "x2", "y1"])
            try await find("x1", in: "2026-08")
            #expect(try await open() == ["other", "x1", "y1"])
            try await alerts.resolve("drift", before: "2026-09")
            #expect(try await open() == ["other", "y1"])
        }
    }

    @Test func `an alert for which nobody chooses routes waits, for monitoring too`() async throws {
        try await withAlerts { scene in
            func waitingSeconds() async throws -> Int? {
                try await LedgerMetrics(pool: scene.pool).samples()
                    .first { $0.name == "meterflow_alert_oldest_waiting_seconds" }
                    .flatMap { Int($0.value) }
            }
            #expect(try await waitingSeconds() == 0)
            try await scene.raise("a")
            try await scene.advance(seconds: 100_000)
            let seconds = try #require(try await waitingSeconds())
            #expect(seconds >= 100_000)
            #expect(try await scene.outbox.backlog(routes: []).oldestSeconds >= 100_000)
            try await scene.run([.machine()])
            #expect(try await waitingSeconds() == 0)
            // That it is over is news of now.
            try await scene.resolve("a")
            let since = try #require(try await waitingSeconds())
            #expect(since < 100_000)
        }
    }
}
