import Billing
import Glibc
import Ledger
import StripeSimulation
import TestSupport
import Testing

/// Credit notes that were approved: each is made once, whatever is killed, paused, doubled or lost.
///
/// `CHAOS_SEEDS` says how many seeds are run; `make chaos` sets it.
struct CreditNoteTests {
    private static let seeds =
        getenv("CHAOS_SEEDS").flatMap { UInt64(String(cString: $0)) } ?? 50

    @Test func `a note lowers what is due, and the balance gets what was paid`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let (open, paid) = (
                try await scene.add("open"), try await scene.add("paid", isMailed: false)
            )
            try await scene.run([open, paid])
            try await ledger.approveCredit(of: open, 200)
            try await ledger.approveCredit(of: paid, 300)
            let summary = try await scene.run([open, paid])
            #expect(summary.credited == 2)
            let invoice = try #require(scene.invoices(of: open).first)
            #expect(invoice["amount_remaining"] as? Int == 1_050)
            #expect(scene.balance(of: paid) == -300)
            // Nothing is left, and another one is another one.
            #expect(try await scene.run([open, paid]).count == 0)
            try await ledger.approveCredit(of: open, 100)
            #expect(try await scene.run([open, paid]).credited == 1)
            #expect(scene.credits(of: open) == [100, 200])
        }
    }

    @Test func `a note that Stripe refuses is a dead letter, and is made once it is retried`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            try await scene.run([ann])
            let id = try #require(scene.invoices(of: ann).first?["id"] as? String)
            scene.stripe("POST", "/v1/credit_notes", "invoice=\(id)&amount=1200")
            try await ledger.approveCredit(of: ann, 200)
            let refused = try await scene.run([ann])
            #expect(refused.deadLetters.count == 1 && refused.needsAPerson)
            #expect(try await scene.run([ann]).count == 0)
            let note = try #require(scene.list("/v1/credit_notes", "invoice=\(id)").first)
            scene.stripe("POST", "/v1/credit_notes/\(note["id"] as? String ?? "")/void")
            try await ledger.retryDeadLetters()
            #expect(try await scene.run([ann]).credited == 1)
            #expect(scene.credits(of: ann) == [200])
        }
    }

    @Test(arguments: 0..<seeds)
    func `each note is made once`(seed: UInt64) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            var numbers = SeededNumbers(seed: seed &* 7_919)
            let customers = [
                try await scene.add("a"), try await scene.add("b", isMailed: false),
                try await scene.add("c", amounts: [500]),
            ]
            try await scene.run(customers)
            for customer in customers { try await ledger.approveCredit(of: customer, 120) }
            for round in 0..<Int.random(in: 2...5, using: &numbers) {
                let pauses = Pauses()
                scene.simulator.set(
                    FaultChance(
                        seed: numbers.next(), chance: Double.random(in: 0...0.7, using: &numbers),
                        faults: Fault.Kind.allCases.map { Fault($0) }))
                let runs = (0..<Int.random(in: 1...3, using: &numbers)).map { number in
                    let transport = SimulatedTransport(
                        scene.simulator, seed: numbers.next(),
                        mishaps: Mishaps(crash: 0.1, pause: 0.1), pauses: pauses)
                    return Task {
                        _ = try? await scene.run(
                            customers, through: transport, name: "\(round).\(number)")
                    }
                }
                if Bool.random(using: &numbers) { try await scene.advance(seconds: 100) }
                if Int.random(in: 0..<4, using: &numbers) == 0 {
                    // Nothing is on its way for a day.
                    scene.simulator.release(scene.simulator.heldNumbers)
                    pauses.end()
                    try await scene.advance(seconds: 25 * 3600)
                }
                scene.customer(customers[2], "pay_open")
                pauses.end()
                for run in runs { await run.value }
            }
            scene.simulator.set(nil)
            for _ in 0..<6 {
                try await scene.advance(seconds: 100)
                scene.simulator.release(scene.simulator.heldNumbers)
                try await ledger.retryDeadLetters()
                try await scene.run(customers, name: "calm")
            }
            for customer in customers {
                #expect(
                    scene.credits(of: customer) == [120], "seed \(seed), \(customer.customerID)")
                let known: [String?] = try await ledger.values(
                    "SELECT stripe_credit_note_id AS value FROM proposals WHERE invoice_id = $1",
                    [customer.invoiceID])
                #expect(known == scene.creditNotes(of: customer).map { $0["id"] as? String })
            }
            let pending: Int = try await ledger.value(
                "SELECT count(*) AS value FROM stripe_requests WHERE outcome IS NULL")
            #expect(pending == 0, "seed \(seed): every request has an outcome")
        }
    }
}

extension Scene {
    fileprivate func list(_ path: String, _ query: String) -> [[String: Any]] {
        stripe("GET", path, query + "&limit=100")["data"] as? [[String: Any]] ?? []
    }

    fileprivate func creditNotes(of planned: TestLedger.Planned) -> [[String: Any]] {
        list("/v1/credit_notes", "customer=\(planned.stripeCustomerID ?? "")")
            .filter { $0["status"] as? String == "issued" }
    }

    /// What was given back, note by note, the newest first.
    fileprivate func credits(of planned: TestLedger.Planned) -> [Int] {
        creditNotes(of: planned).compactMap { $0["amount"] as? Int }
    }

    fileprivate func balance(of planned: TestLedger.Planned) -> Int? {
        stripe("GET", "/v1/customers/\(planned.stripeCustomerID ?? "")")["balance"] as? Int
    }
}
