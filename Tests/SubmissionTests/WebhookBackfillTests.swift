import Billing
import Foundation
import Ledger
import Postgres
import StripeSimulation
import Testing

/// Stripe's list of events is read where nobody was there to take them.
struct WebhookBackfillTests {
    private func withScene(
        _ body: (Inbox, [TestLedger.Planned]) async throws -> Void
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            var customers: [TestLedger.Planned] = []
            for number in 0..<40 {
                customers.append(try await scene.add("c\(number)", amounts: [500]))
            }
            try await scene.run(customers)
            try await body(Inbox(scene), customers)
        }
    }

    private var now: Int64 { Int64(Date().timeIntervalSince1970) }

    private func backfill(
        _ inbox: Inbox, _ transport: SimulatedTransport? = nil, lag: Int64 = -3600
    ) -> WebhookBackfill {
        WebhookBackfill(store: inbox.store, client: inbox.client(transport), lagSeconds: lag)
    }

    private func handled(_ inbox: Inbox) throws -> Set<String> {
        Set(try listed(inbox).map(\.id))
    }

    /// What Stripe lists of that, the oldest first.
    private func listed(_ inbox: Inbox) throws -> [ReceivedEvent] {
        try inbox.events().map { try ReceivedEvent(payload: $0) }
            .filter { WebhookTypes.all.contains($0.type) }
    }

    @Test func `nothing is missing after the endpoint was down`() async throws {
        try await withScene { inbox, customers in
            for customer in customers { inbox.scene.customer(customer, "pay_open") }
            let first = try await backfill(inbox).follow(now: now)
            let expected = try handled(inbox)
            #expect(expected.count > 100, "several pages")
            #expect(first.new == expected.count)
            let kept: [String] = try await inbox.scene.ledger.values(
                "SELECT event_id AS value FROM webhook_events")
            #expect(Set(kept) == expected)
            try await inbox.drain()
            for customer in customers { #expect(try await inbox.status(customer) == "paid") }

            // From then on only what is new is read.
            let stray = try await inbox.scene.add("later", amounts: [500])
            try await inbox.scene.run([stray])
            let second = try await backfill(inbox).follow(now: now)
            #expect(second.read == second.new)
            #expect(try handled(inbox).count == expected.count + second.new)
            #expect(try await backfill(inbox).follow(now: now).read == 0)
        }
    }

    @Test func `a sweep that is cut off is done again`() async throws {
        try await withScene { inbox, customers in
            for customer in customers { inbox.scene.customer(customer, "pay_open") }
            inbox.scene.simulator.add([
                FaultRule(method: "GET", path: "/v1/events", nth: 2, Fault(.truncated))
            ])
            var patience = StripeClient.Patience()
            patience.attempts = 1
            let client = StripeClient(
                transport: SimulatedTransport(inbox.scene.simulator), patience: patience)
            await #expect(throws: Billing.StripeError.self) {
                _ = try await WebhookBackfill(store: inbox.store, client: client, lagSeconds: -3600)
                    .follow(now: now)
            }
            #expect(try await inbox.store.cursor() == nil)
            _ = try await backfill(inbox).follow(now: now)
            let kept: [String] = try await inbox.scene.ledger.values(
                "SELECT event_id AS value FROM webhook_events")
            #expect(try Set(kept) == handled(inbox))
        }
    }

    @Test func `the cursor stays behind what Stripe may still list out of order`() async throws {
        try await withScene { inbox, _ in
            let first = try await backfill(inbox, lag: 300).follow(now: now)
            #expect(first.new > 0)
            #expect(try await inbox.store.cursor() == nil)
            let second = try await backfill(inbox, lag: 300).follow(now: now)
            #expect(second.read == first.read)
            #expect(second.new == 0)
        }
    }

    @Test func `from a cursor all is read that came since, and what is young is read again`()
        async throws
    {
        try await withScene { inbox, customers in
            let scene = inbox.scene
            // The cursor stands at the end of what there is.
            try await scene.advance(seconds: 7200)
            _ = try await backfill(inbox, lag: 300).follow(now: now + 7200)
            let start = try #require(try await inbox.store.cursor())
            #expect(try start == listed(inbox).last?.id)
            // Several pages that are old by then, and something younger.
            for customer in customers {
                for _ in 0..<5 { scene.customer(customer, "fail_open") }
                scene.customer(customer, "pay_open")
            }
            let old = try listed(inbox)
            try await scene.advance(seconds: 2000)
            let later = try await scene.add("later", amounts: [500])
            try await scene.run([later])
            let all = try listed(inbox)
            let first = try await backfill(inbox, lag: 300).follow(now: now + 9200 - 700)
            let fresh = all.drop { $0.id != start }.count - 1
            #expect(fresh > 200, "several pages")
            #expect(first.read == fresh && first.new == fresh)
            #expect(try await inbox.store.cursor() == old.last?.id)
            let second = try await backfill(inbox, lag: 300).follow(now: now + 9200 - 700)
            #expect(second.read == all.count - old.count && second.new == 0)
            #expect(try await inbox.store.cursor() == old.last?.id)
            let kept: [String] = try await scene.ledger.values(
                "SELECT event_id AS value FROM webhook_events")
            #expect(Set(kept) == Set(all.map(\.id)))
        }
    }

    private static let somebodyWaits = """
        SELECT count(*) > 0 AS value FROM pg_stat_activity
        WHERE application_name = current_setting('application_name') AND wait_event_type = 'Lock'
        """

    @Test(.timeLimit(.minutes(1)))
    func `a page and what comes to the endpoint do not wait for each other in a circle`()
        async throws
    {
        try await withLedger { ledger in
            let inbox = Inbox(try Scene(ledger))
            // As Stripe lists them: the newest first.
            let page = ["evt_b", "evt_a"].map {
                ReceivedEvent(
                    id: $0, type: "customer.created", apiVersion: nil, isLive: false, account: nil,
                    objectID: nil, payload: "{}")
            }
            let insertion = """
                INSERT INTO webhook_events (event_id, source, type, livemode, payload)
                VALUES ($1, 'endpoint', 'customer.created', false, '{}')
                """
            try await ledger.pool.withConnection { connection in
                try await connection.query("BEGIN")
                try await connection.query(insertion, ["evt_a"])
                async let new = inbox.store.insert(page, cursor: nil)
                while try await !ledger.value(Self.somebodyWaits, as: Bool.self) {
                    await Task.yield()
                }
                try await connection.query(insertion, ["evt_b"])
                try await connection.query("COMMIT")
                let count = try await new
                #expect(count == 0)
            }
        }
    }

    @Test func `a cursor that Stripe has forgotten is found anew`() async throws {
        try await withScene { inbox, _ in
            _ = try await inbox.store.insert([], cursor: "evt_forgotten")
            let summary = try await backfill(inbox).follow(now: now)
            #expect(try summary.new == handled(inbox).count)
            #expect(try await inbox.store.cursor() != "evt_forgotten")
        }
    }

    @Test func `a sweep since a day reads what is younger`() async throws {
        try await withScene { inbox, _ in
            let all = try await backfill(inbox).sweep(since: now - 86_400, now: now)
            #expect(try all.new == handled(inbox).count)
            #expect(try await backfill(inbox).sweep(since: now + 86_400, now: now).read == 0)
            #expect(try await inbox.store.cursor() == nil)
        }
    }
}
