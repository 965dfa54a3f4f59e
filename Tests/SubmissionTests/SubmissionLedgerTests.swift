import Billing
import Ledger
import Postgres
import StripeSimulation
import Testing

/// What the ledger knows, forgets and is told, and who collects.
struct SubmissionLedgerTests {
    /// A backup from before the run: the ledger knows nothing of what Stripe has.
    @Test(arguments: [nil] + FaultScenarioTests.paths.map { Optional($0.1) })
    func `a ledger that was restored from a backup takes up what Stripe has`(stuckAt: String?)
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            if let stuckAt {
                scene.simulator.add([
                    FaultRule(method: "POST", path: stuckAt, times: 4, Fault(.resetBefore))
                ])
            }
            try await scene.run([ann])
            try await ledger.clear()
            try await ledger.add(ann)
            #expect(try await scene.run([ann]).collected == 1)
            try await scene.expectExactlyOnce(ann)
        }
    }

    @Test func `another account is refused`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            try await ledger.pool.query(
                "INSERT INTO stripe_account (account_id, livemode) VALUES ('acct_other', false)")
            let ann = try await scene.add("ann")
            await #expect(throws: AccountCheck.Refusal.self) { try await scene.run([ann]) }
            #expect(scene.simulator.effects.total[.invoiceCreated] == 0)
        }
    }

    @Test func `a pause stops new requests, and the next run goes on`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            _ = try await BillingPause.begin(by: "ann", reason: "freeze", pool: ledger.pool)
            await #expect(throws: SubmissionInterruption.self) { try await scene.run([ann]) }
            #expect(scene.simulator.effects.total[.invoiceCreated] == 0)
            #expect(try await BillingPause.end(by: "ann", pool: ledger.pool))
            #expect(try await scene.run([ann]).collected == 1)
        }
    }

    @Test func `what a held invoice charges is not sent before it is released`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            let holds = InvoiceHold(pool: ledger.pool, person: "finance")
            try await holds.hold(ann.invoiceID, reason: "asked for")
            #expect(try await scene.run([ann]).count == 0)
            await #expect(throws: LedgerError.self) {
                try await holds.hold(ann.invoiceID, reason: "again")
            }
            try await holds.release(ann.invoiceID, reason: "fine")
            #expect(try await scene.run([ann]).collected == 1)
            await #expect(throws: LedgerError.self) {
                try await holds.hold(ann.invoiceID, reason: "too late")
            }
        }
    }

    // MARK: Collection

    @Test(arguments: StripeRequests.Collection.allCases)
    func `who is charged automatically is charged once`(
        collection: StripeRequests.Collection
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann", isMailed: false)
            try await scene.run([ann], collection: collection)
            try await scene.run([ann], collection: collection)
            try await scene.expectExactlyOnce(ann)
        }
    }

    @Test func `a card that is declined is tried once, and its invoice says so`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann", isMailed: false)
            scene.stripe(
                "POST", "/_sim/customers/\(ann.stripeCustomerID ?? "")",
                #"{"card": "card_declined"}"#)
            try await scene.run([ann], collection: .ours)
            try await scene.run([ann], collection: .ours)
            #expect(scene.simulator.effects.total[.chargeAttempted] == 1)
            let status: String = try await ledger.value("SELECT status AS value FROM invoices")
            #expect(status == "payment_failed")
        }
    }

    @Test func `a customer without an address for mail is a dead letter once the invoice is final`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann", email: "")
            let customer = "/v1/customers/\(ann.stripeCustomerID ?? "")"
            let summary = try await scene.run([ann])
            #expect(summary.deadLetters.first?.reason.contains("email") == true, "\(summary)")
            scene.stripe("POST", customer, "email=ann%40example.com")
            try await ledger.retryDeadLetters()
            #expect(try await scene.run([ann]).collected == 1)
            try await scene.expectExactlyOnce(ann)
        }
    }

    // MARK: Balances

    /// Sixty cents of September are charged by October, or owed again if October is void.
    @Test func `what is carried is taken once, and owed again when the invoice is void`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            var ann = try await scene.add("ann", amounts: [1_000])
            ann.carried = 60
            ann.amounts = [1_000, 60]
            try await ledger.clear()
            try await ledger.add(ann)
            // Nothing is owed yet: what was computed is out of date.
            #expect(try await scene.run([ann]).changed == 1)
            try await ledger.pool.query(
                """
                INSERT INTO balance_entries (customer_id, currency, slot, invoice_id, kind, amount_minor)
                VALUES ('ann', 'usd', '2026-09', $1, 'carried', 60)
                """, [ann.invoiceID])
            #expect(try await scene.run([ann]).collected == 1)
            let balance = "SELECT sum(amount_minor)::bigint AS value FROM balance_entries"
            #expect(try await ledger.value(balance, as: Int.self) == 0)
            try await ledger.pool.query("UPDATE invoices SET status = 'void'")
            #expect(try await ledger.value(balance, as: Int.self) == 60)
        }
    }
}

struct InvoiceStatusTests {
    @Test func `the legal moves of the code are those of the schema`() async throws {
        try await withLedger { ledger in
            let schema: [String] = try await ledger.values(
                "SELECT from_status || ' ' || to_status AS value FROM invoice_moves")
            let code = Set(
                InvoiceStatus.allCases.flatMap { old in
                    old.next.map { "\(old.rawValue) \($0.rawValue)" }
                })
            #expect(Set(schema) == code)
        }
    }
}
