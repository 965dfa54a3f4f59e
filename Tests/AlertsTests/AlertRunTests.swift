import Alerts
import Ledger
import Postgres
import Testing

/// Each route hears of each alert that it should, at the time that it should, in order.
struct AlertRunTests {
    @Test func `each route hears once what it accepts, and what is new later`() async throws {
        try await withAlerts { scene in
            var strict = AlertRoute.machine("strict")
            strict.match.severities = [.critical]
            let routes = [AlertRoute.machine(), strict]
            try await scene.raise("a")
            try await scene.raise("b", severity: .critical)
            #expect(try await scene.run(routes).delivered == 3)
            let heard = scene.services.taken.map { "\($0.route) \($0.notes[0])" }.sorted()
            #expect(heard == ["machine trigger a", "machine trigger b", "strict trigger b"])
            #expect(try await scene.run(routes) == AlertSummary())
            try await scene.raise("a", "c")
            #expect(try await scene.run(routes).delivered == 1)
        }
    }

    @Test func `without routes alerts wait for one`() async throws {
        try await withAlerts { scene in
            try await scene.raise("a")
            #expect(try await scene.run([]) == AlertSummary())
            #expect(try await scene.outbox.backlog(routes: []).unrouted == 1)
            #expect(try await scene.run([.machine()]).delivered == 1)
        }
    }

    @Test func `nobody hears that something is over before hearing of it`() async throws {
        try await withAlerts { scene in
            try await scene.raise("a")
            try await scene.resolve("a")
            scene.services.fail(with: .later("away", afterSeconds: nil))
            #expect(try await scene.run([.people()]).failed == 1)
            scene.services.fail(with: nil)
            // The trigger waits for its next attempt, and the other one for the trigger.
            #expect(try await scene.run([.people()]) == AlertSummary())
            try await scene.advance(seconds: 10)
            try await scene.run([.people()])
            #expect(scene.services.takeAll() == [["trigger a"], ["resolve a"]])
            try await scene.raise("a")
            try await scene.run([.people()])
            #expect(scene.services.takeAll() == [["trigger a"]])
        }
    }

    @Test func `what a person has seen is told, too`() async throws {
        try await withAlerts { scene in
            try await scene.raise("a")
            try await scene.run([.machine()])
            try await scene.acknowledge("a")
            try await scene.run([.machine()])
            #expect(scene.services.takeAll() == [["trigger a"], ["acknowledge a"]])
        }
    }

    @Test func `what is ready at once goes to people in one message`() async throws {
        try await withAlerts { scene in
            for number in 0..<45 { try await scene.raise("a\(number)") }
            try await scene.run([.people(), .machine()])
            let sizes = Dictionary(grouping: scene.services.taken, by: \.route)
                .mapValues { $0.map(\.notes.count) }
            #expect(sizes["people"] == [20, 20, 5])
            #expect(sizes["machine"] == Array(repeating: 1, count: 45))
        }
    }

    @Test func `a digest gathers for its time, unless something is critical`() async throws {
        try await withAlerts { scene in
            var route = AlertRoute.people()
            route.digestSeconds = 600
            try await scene.raise("a", "b")
            try await scene.run([route])
            #expect(scene.services.taken.isEmpty)
            try await scene.advance(seconds: 599)
            try await scene.raise("c")
            try await scene.run([route])
            #expect(scene.services.taken.isEmpty)
            try await scene.advance(seconds: 2)
            try await scene.run([route])
            #expect(scene.services.takeAll() == [["trigger a", "trigger b", "trigger c"]])
            try await scene.raise("d")
            try await scene.raise("e", severity: .critical)
            try await scene.run([route])
            #expect(scene.services.takeAll().map { $0.sorted() } == [["trigger d", "trigger e"]])
        }
    }

    @Test func `in quiet hours only what is critical is told, and the rest afterwards`()
        async throws
    {
        try await withAlerts { scene in
            var route = AlertRoute.machine()
            route.quietHours = QuietHours("22:00-07:00", zone: "UTC")
            try await scene.setClock(hour: 23)
            try await scene.raise("a")
            try await scene.raise("b", severity: .critical)
            try await scene.run([route])
            #expect(scene.services.takeAll() == [["trigger b"]])
            try await scene.setClock(hour: 6)
            try await scene.run([route])
            #expect(scene.services.takeAll().isEmpty)
            try await scene.setClock(hour: 8)
            try await scene.run([route])
            #expect(scene.services.takeAll() == [["trigger a"]])
        }
    }

    @Test func `a route cools down between alerts of a kind about one subject`() async throws {
        try await withAlerts { scene in
            var route = AlertRoute.machine()
            route.cooldownSeconds = 3600
            try await scene.raise("a", "b", subject: "x")
            try await scene.raise("c", subject: "y")
            try await scene.raise("d", kind: "other", subject: "x")
            try await scene.run([route])
            #expect(
                scene.services.takeAll() == [["trigger a"], ["trigger c"], ["trigger d"]])
            try await scene.resolve("a")
            try await scene.run([route])
            #expect(scene.services.takeAll() == [["resolve a"]])
            try await scene.advance(seconds: 3601)
            try await scene.run([route])
            #expect(scene.services.takeAll() == [["trigger b"]])
        }
    }

    @Test func `a route gets no more messages an hour than it may, but for what is critical`()
        async throws
    {
        try await withAlerts { scene in
            var route = AlertRoute.machine()
            route.messagesPerHour = 3
            for number in 0..<7 { try await scene.raise("a\(number)") }
            for expected in [3, 0] { #expect(try await scene.run([route]).delivered == expected) }
            try await scene.raise("dispute", severity: .critical)
            #expect(try await scene.run([route]).delivered == 1)
            #expect(scene.services.taken.last?.notes == ["trigger dispute"])
            try await scene.advance(seconds: 3601)
            #expect(try await scene.run([route]).delivered == 3)
            try await scene.advance(seconds: 3601)
            #expect(try await scene.run([route]).delivered == 1)
        }
    }

    @Test func `a service that asks for time gets it`() async throws {
        try await withAlerts { scene in
            try await scene.raise("a")
            scene.services.fail(with: .later("answered 429", afterSeconds: 120))
            try await scene.run([.machine()])
            scene.services.fail(with: nil)
            try await scene.advance(seconds: 119)
            #expect(try await scene.run([.machine()]) == AlertSummary())
            try await scene.advance(seconds: 2)
            #expect(try await scene.run([.machine()]).delivered == 1)
        }
    }

    @Test func `what a service refuses is a dead letter, and others hear of it all the same`()
        async throws
    {
        try await withAlerts { scene in
            try await scene.raise("a")
            scene.services.fail(with: .refused("answered 404"))
            #expect(try await scene.run([.machine()]).dead == 1)
            #expect(
                try await scene.values("SELECT kind || ' ' || reason AS value FROM dead_letters")
                    == ["alert machine: answered 404"])
            #expect(try await scene.outbox.backlog(routes: ["machine"]).deadLetters == 1)
            scene.services.fail(with: nil)
            #expect(try await scene.run([.machine()]) == AlertSummary())
            let records = AlertRecords(pool: scene.pool)
            let id = try await records.show("a").record.id
            #expect(try await records.retry(alert: id + 1, by: "ann") == 0)
            #expect(try await records.retry(alert: id, by: "ann") == 1)
            #expect(try await scene.run([.machine()]).delivered == 1)
            #expect(try await records.show("a").deliveries.map(\.state) == ["delivered"])
        }
    }

    @Test func `a service that stays away is given up after many attempts`() async throws {
        try await withAlerts { scene in
            try await scene.raise("a")
            scene.services.fail(with: .later("away", afterSeconds: nil))
            var attempts = 0
            while try await scene.outbox.backlog(routes: ["machine"]).deadLetters == 0 {
                try await scene.run([.machine()])
                try await scene.advance(seconds: 3601)
                attempts += 1
                try #require(attempts < 100)
            }
            #expect(attempts == 30)
        }
    }

    @Test func `who was paused for long settles nothing any more`() async throws {
        try await withAlerts { scene in
            try await scene.raise("a")
            _ = try await scene.outbox.route(among: ["machine"]) { _ in ["machine"] }
            #expect(try await scene.outbox.compose("machine", .init()))
            let taken = try #require(try await scene.outbox.take("machine"))
            #expect(try await scene.outbox.take("machine") == nil)
            try await scene.advance(seconds: 121)
            #expect(try await scene.run([.machine()]).delivered == 1)
            try await scene.outbox.bury(taken, reason: "late")
            #expect(try await scene.outbox.backlog(routes: ["machine"]).deadLetters == 0)
        }
    }
}
