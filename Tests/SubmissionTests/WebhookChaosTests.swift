import Billing
import Glibc
import Ledger
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// All events of several invoices, shuffled and doubled, worked on by processes that die, beside billing runs
/// that die too: each invoice ends where it would have ended in order, and nothing happens twice.
///
/// `CHAOS_SEEDS` says how many seeds are run, `CHAOS_INVOICES` how many invoices each has.
struct WebhookChaosTests {
    private static let seeds = variable("CHAOS_SEEDS") ?? 30
    fileprivate static let invoices = variable("CHAOS_INVOICES") ?? WebhookTests.Fate.allCases.count
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
    private var customers: [(planned: TestLedger.Planned, fate: WebhookTests.Fate)] = []
    private var happened: Set<Int> = []

    private var scene: Scene { inbox.scene }
    private var planned: [TestLedger.Planned] { customers.map(\.planned) }

    init(_ ledger: TestLedger, seed: UInt64) throws {
        inbox = Inbox(try Scene(ledger))
        self.seed = seed
        numbers = SeededNumbers(seed: seed &* 104_729)
    }

    mutating func run() async throws {
        let fates = WebhookTests.Fate.allCases
        for index in 0..<WebhookChaosTests.invoices {
            let fate = fates[index % fates.count]
            customers.append(
                (try await scene.add("w\(seed)_\(index)", amounts: [700, 50]), fate))
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
        let types = try inbox.events().map { try ReceivedEvent(payload: $0) }
            .filter { WebhookTypes.all.contains($0.type) }
        var alerts: [String] = []
        for (planned, fate) in customers {
            let context = Comment(rawValue: "seed \(seed), \(fate)")
            #expect(try await inbox.status(planned) == fate.status, context)
            let invoices = scene.invoices(of: planned)
            #expect(invoices.count == 1, context)
            let own = types.filter { $0.objectID == invoices.first?["id"] as? String }
            let journal = try await inbox.journal(planned)
            // Drafts that were left behind have events, too.
            #expect(journal.count >= own.count, context)
            for type in Set(own.map(\.type)) {
                #expect(
                    journal.count { $0 == type } >= own.count { $0.type == type }, context)
            }
            let twice: Int = try await scene.ledger.value(
                """
                SELECT count(*) - count(DISTINCT stripe_event_id) AS value FROM invoice_events
                WHERE invoice_id = $1 AND stripe_event_id IS NOT NULL
                """, [planned.invoiceID])
            #expect(twice == 0, context)
            if fate == .failed { alerts.append("payment_failed:\(planned.invoiceID):1") }
        }
        let failed = try await inbox.alerts().filter { $0.hasPrefix("payment_failed") }
        #expect(Set(alerts).isSubset(of: failed), "seed \(seed)")
        #expect(Set(failed).count == failed.count)
    }
}
