import Billing
import Foundation
import Glibc
import Ledger
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// All events of several invoices, shuffled and doubled, worked on by processes that die, beside billing runs
/// that die too: each invoice ends where it would have ended in order, with the same alerts and one entry in its
/// journal for each event, and nothing happens twice.
///
/// `CHAOS_SEEDS` says how many seeds are run, `CHAOS_INVOICES` how many invoices each has.
struct WebhookChaosTests {
    private static let seeds = variable("CHAOS_SEEDS") ?? 30
    fileprivate static let invoices = variable("CHAOS_INVOICES") ?? WebhookFate.allCases.count
    private static let workers = 2

    @Test(arguments: 0..<workers)
    func `each invoice ends where Stripe has it`(worker: Int) async throws {
        try await withLedger { ledger in
            for seed in stride(from: worker, to: Self.seeds, by: Self.workers) {
                var chaos = try Chaos(ledger, seed: UInt64(seed))
                try await chaos.run()
                try await ledger.clear()
                try await ledger.pool.query("TRUNCATE alerts, alert_deliveries, webhook_events")
            }
        }
    }
}

private func variable(_ name: String) -> Int? {
    getenv(name).flatMap { Int(String(cString: $0)) }
}

private struct Chaos {
    private let inbox: Inbox
    private let seed: UInt64
    private var numbers: SeededNumbers
    private var customers: [(planned: TestLedger.Planned, fate: WebhookFate)] = []
    private var happened: Set<Int> = []

    private var scene: Scene { inbox.scene }
    private var planned: [TestLedger.Planned] { customers.map(\.planned) }

    init(_ ledger: TestLedger, seed: UInt64) throws {
        inbox = Inbox(try Scene(ledger))
        self.seed = seed
        numbers = SeededNumbers(seed: seed &* 104_729)
    }

    mutating func run() async throws {
        let fates = WebhookFate.allCases
        for index in 0..<WebhookChaosTests.invoices {
            let fate = fates[index % fates.count]
            let id = "w\(seed)_\(index)"
            customers.append((try await fate.customer(id, amounts: [700, 50], scene), fate))
        }
        for _ in 0..<Int.random(in: 2...4, using: &numbers) {
            try await trouble()
            letSomethingHappen(chance: 0.4)
            try await deliver(chance: 0.5)
            if Bool.random(using: &numbers) { try await scene.advance(seconds: 130) }
        }
        for _ in 0..<3 { try await calm() }
        letSomethingHappen(chance: 1)
        for _ in 0..<3 { try await calm() }
        try await check()
    }

    /// Billing and webhooks side by side; each may die at any request.
    private mutating func trouble() async throws {
        let crash = Mishaps(crash: Double.random(in: 0...0.05, using: &numbers))
        var transports: [SimulatedTransport] = []
        for _ in 0..<3 {
            transports.append(
                SimulatedTransport(scene.simulator, seed: numbers.next(), mishaps: crash))
        }
        let (inbox, planned) = (inbox, planned)
        let billing = Task { [transports] in
            _ = try? await inbox.scene.run(planned, through: transports[0], name: "billing")
        }
        let workers = (1...2).map { number in
            Task { [transports] in
                _ = try? await inbox.drain(through: transports[number], name: "webhooks \(number)")
            }
        }
        // Somebody takes events, and is never heard of again.
        if Int.random(in: 0..<3, using: &numbers) == 0 { _ = try await inbox.store.take(limit: 2) }
        await billing.value
        for worker in workers { await worker.value }
    }

    private mutating func letSomethingHappen(chance: Double) {
        for (index, customer) in customers.enumerated() where !happened.contains(index) {
            let found = scene.invoices(of: customer.planned).first {
                $0["status"] as? String == "open"
            }
            guard let id = found?["id"] as? String,
                Double.random(in: 0..<1, using: &numbers) < chance
            else { continue }
            customer.fate.happen(to: customer.planned, id, scene)
            happened.insert(index)
        }
    }

    private mutating func deliver(chance: Double) async throws {
        let events = try inbox.events()
        for event in (events + events).shuffled(using: &numbers)
        where Double.random(in: 0..<1, using: &numbers) < chance {
            try await inbox.receive(event)
        }
    }

    private mutating func calm() async throws {
        try await scene.advance(seconds: 130)
        try await scene.ledger.retryDeadLetters()
        try await scene.run(planned, name: "calm")
        try await deliver(chance: 2)
        try await inbox.drain(name: "calm")
    }

    private func check() async throws {
        let states = try await inbox.states()
        #expect(
            !states.contains { $0.hasPrefix("pending") || $0.hasPrefix("dead") },
            "seed \(seed): \(states)")
        let events = try inbox.events().map(StripesEvent.init)
            .filter { WebhookTypes.all.contains($0.type) }
        let effects = scene.simulator.effects.byCustomer
        var alerts: [String] = []
        for (planned, fate) in customers {
            let context = Comment(rawValue: "seed \(seed), \(fate)")
            #expect(try await inbox.status(planned) == fate.status, context)
            #expect(try await inbox.standing(planned) == fate.standing, context)
            let invoices = scene.invoices(of: planned)
            #expect(invoices.count == 1, context)
            let intent = scene.paymentIntent(of: invoices.first?["id"] as? String ?? "")
            let journal: [String] = try await scene.ledger.values(
                """
                SELECT stripe_event_id AS value FROM invoice_events
                WHERE invoice_id = $1 AND stripe_event_id IS NOT NULL
                """, [planned.invoiceID])
            // Drafts that were left behind have events, too.
            let own = events.filter {
                $0.invoiceID == planned.invoiceID || $0.paymentIntent == intent
            }
            #expect(Set(journal) == Set(own.map(\.id)), context)
            #expect(Set(journal).count == journal.count, context)
            let done = effects[planned.stripeCustomerID ?? ""]
            #expect(done?[.finalized] == 1, context)
            #expect(done?[.sent] ?? 0 <= 1 && done?[.charged] ?? 0 <= 1, context)
            // Where a run came upon the end first, it is held instead.
            let hold = try await scene.ledger.value(
                "SELECT standing_hold AS value FROM invoices WHERE invoice_id = $1",
                [planned.invoiceID], as: String?.self)
            if hold == nil { alerts += fate.alerts(of: planned.invoiceID) }
        }
        #expect(try await Set(inbox.openAlerts()) == Set(alerts), "seed \(seed)")
    }
}

/// What an event of the simulator is about.
private struct StripesEvent {
    let id: String
    let type: String
    /// Ours.
    let invoiceID: String?
    let paymentIntent: String?

    init(_ json: [UInt8]) throws {
        let event = try JSONSerialization.jsonObject(with: Data(json)) as? [String: Any]
        let object = (event?["data"] as? [String: Any])?["object"] as? [String: Any]
        id = try #require(event?["id"] as? String)
        type = try #require(event?["type"] as? String)
        let metadata = object?["metadata"] as? [String: String]
        invoiceID = metadata?[StripeMetadata.invoice]
        paymentIntent = object?["payment_intent"] as? String
    }
}
