import Billing
import Ledger
import Postgres
import StripeSimulation
import Synchronization
import Testing

/// What Stripe or a person does in the middle, one thing at a time.
struct ScenarioTests {
    private static let paths: [(SubmissionStep, String)] = [
        (.create, "/v1/invoices"), (.addLines, "/v1/invoices/{invoice}/add_lines"),
        (.finalize, "/v1/invoices/{invoice}/finalize"), (.send, "/v1/invoices/{invoice}/send"),
    ]

    /// Every way to fail, at every request of an invoice: one run is enough, or the next one.
    @Test(arguments: Fault.Kind.allCases)
    func `a fault at any request leaves one right invoice`(kind: Fault.Kind) async throws {
        try await withLedger { ledger in
            for (number, (_, path)) in Self.paths.enumerated() {
                let scene = try Scene(ledger)
                let ann = try await scene.add("ann")
                scene.simulator.add([FaultRule(method: "POST", path: path, Fault(kind))])
                try await scene.run([ann])
                scene.simulator.release(scene.simulator.heldNumbers)
                try await scene.run([ann])
                try await scene.expectExactlyOnce(ann, "\(kind) at request \(number)")
                try await ledger.clear()
            }
        }
    }

    /// The same, with the process gone when the answer comes, and nobody there for more than a day.
    /// (A mail that went out is found at once.)
    @Test(arguments: paths.map(\.1).dropLast())
    func `an answer that nobody heard is looked up once the key is forgotten`(
        path: String
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(method: "POST", path: path, times: 4, Fault(.answerLost))
            ])
            let first = try await scene.run([ann])
            #expect(first.deadLetters.count == 1)
            try await ledger.retryDeadLetters()
            try await scene.advance(seconds: 25 * 3600)
            let second = SimulatedTransport(scene.simulator)
            #expect(try await scene.run([ann], through: second).collected == 1)
            try await scene.expectExactlyOnce(ann)
            // Nothing is asked for again, but an empty draft is made anew.
            let again = second.sent.withLock { $0.filter { $0.endpoint == "POST \(path)" } }
            #expect(again.map(\.idempotencyKey?.last) == (path == "/v1/invoices" ? ["1"] : []))
        }
    }

    @Test func `a request that nobody got is sent again under another key after a day`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(method: "POST", path: "/v1/invoices", times: 4, Fault(.resetBefore))
            ])
            #expect(try await scene.run([ann]).deadLetters.count == 1)
            try await ledger.retryDeadLetters()
            try await scene.advance(seconds: 25 * 3600)
            try await scene.run([ann])
            try await scene.expectExactlyOnce(ann)
            let keys: [String] = try await ledger.values(
                "SELECT idempotency_key AS value FROM stripe_requests WHERE step = 'create' ORDER BY epoch"
            )
            #expect(keys.map { $0.suffix(9) } == ["_create_0", "_create_1"])
        }
    }

    @Test func `an error that is stored under a key is not asked for again`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(
                    method: "POST", path: "/v1/invoices/{invoice}/finalize",
                    Fault(.lockTimeoutStored))
            ])
            #expect(try await scene.run([ann]).collected == 1)
            try await scene.expectExactlyOnce(ann)
            let outcomes: [String] = try await ledger.values(
                "SELECT outcome AS value FROM stripe_requests WHERE step = 'finalize' ORDER BY epoch"
            )
            #expect(outcomes == ["burned", "done"])
        }
    }

    /// The key is in use while Stripe is still at the first request: it is not used up.
    @Test func `a conflict with a request that is at work is waited for under the same key`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(
                    method: "POST", path: "/v1/invoices/{invoice}/send", times: 2, Fault(.conflict))
            ])
            let transport = SimulatedTransport(scene.simulator)
            #expect(try await scene.run([ann], through: transport).collected == 1)
            try await scene.expectExactlyOnce(ann)
            let sends = transport.sent.withLock { $0.filter { $0.path.hasSuffix("/send") } }
            #expect(sends.count == 3 && Set(sends.map(\.idempotencyKey)).count == 1)
        }
    }

    /// Another version of the program, which would ask for something else, finds a request without answer.
    @Test func `what was stored is sent again to the byte, whatever this version would send`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(method: "POST", path: "/v1/invoices", times: 4, Fault(.answerLost))
            ])
            let old = SimulatedTransport(scene.simulator)
            #expect(try await scene.run([ann], through: old).deadLetters.count == 1)
            try await ledger.retryDeadLetters()
            let new = SimulatedTransport(scene.simulator)
            #expect(try await scene.run([ann], through: new, automaticTax: true).collected == 1)
            try await scene.expectExactlyOnce(ann)
            let bodies = [old, new].map { transport in
                transport.sent.withLock { $0.first { $0.endpoint == "POST /v1/invoices" }?.body }
            }
            #expect(bodies[0] != nil && bodies[0] == bodies[1])
        }
    }

    @Test func `taxes that cannot be computed are a dead letter, and nothing is mailed`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            let summary = try await scene.run([ann], automaticTax: true)
            #expect(summary.deadLetters.first?.reason.contains("location") == true, "\(summary)")
            #expect(scene.simulator.effects.total[.sent] == 0)
            scene.stripe(
                "POST", "/v1/customers/\(ann.stripeCustomerID ?? "")", "address[country]=US")
            try await ledger.retryDeadLetters()
            #expect(try await scene.run([ann], automaticTax: true).collected == 1)
            try await scene.expectExactlyOnce(ann)
        }
    }

    @Test func `an invoice over nothing says so in a line of its own`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann", amounts: [])
            #expect(try await scene.run([ann]).collected == 1)
            let invoices = scene.invoices(of: ann)
            #expect(invoices.map { $0["status"] as? String } == ["paid"])
            #expect(invoices.map { $0["total"] as? Int } == [0])
        }
    }

    // MARK: Somebody else's doing

    /// Runs until the invoice is a verified draft.
    private static func withDraft(
        _ body: (Scene, TestLedger.Planned, String) async throws -> Void
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(
                    method: "POST", path: "/v1/invoices/{invoice}/finalize", times: 4,
                    Fault(.resetBefore))
            ])
            #expect(try await scene.run([ann]).deadLetters.count == 1)
            try await ledger.retryDeadLetters()
            let draft = try #require(scene.invoices(of: ann).first?["id"] as? String)
            try await body(scene, ann, draft)
        }
    }

    @Test func `a line that somebody adds to a draft is noticed before anything is mailed`()
        async throws
    {
        try await Self.withDraft { scene, ann, draft in
            scene.stripe(
                "POST", "/v1/invoices/\(draft)/add_lines",
                "lines[0][amount]=99&lines[0][description]=extra")
            let summary = try await scene.run([ann])
            #expect(summary.held.first?.reason.hasPrefix("voided: it was finalized, but") == true)
            #expect(scene.invoices(of: ann).map { $0["status"] as? String } == ["void"])
            #expect(scene.simulator.effects.total[.sent] == 0)
            // Held means held.
            #expect(try await scene.run([ann]).count == 0)
        }
    }

    @Test func `a draft that somebody deletes is made anew`() async throws {
        try await Self.withDraft { scene, ann, draft in
            scene.stripe("DELETE", "/v1/invoices/\(draft)")
            #expect(try await scene.run([ann]).collected == 1)
            try await scene.expectExactlyOnce(ann)
        }
    }

    @Test func `a draft that somebody finalizes is taken as it is`() async throws {
        try await Self.withDraft { scene, ann, draft in
            scene.stripe("POST", "/v1/invoices/\(draft)/finalize")
            #expect(try await scene.run([ann]).collected == 1)
            try await scene.expectExactlyOnce(ann)
        }
    }

    @Test func `an invoice that somebody voids is held, and not made again`() async throws {
        try await Self.withDraft { scene, ann, draft in
            scene.stripe("POST", "/v1/invoices/\(draft)/finalize")
            scene.stripe("POST", "/v1/invoices/\(draft)/void")
            let summary = try await scene.run([ann])
            #expect(summary.held.first?.reason.hasPrefix("void_at_stripe") == true)
            #expect(scene.invoices(of: ann).count == 1)
        }
    }

    @Test
    func `a deleted customer is a dead letter that says so, and goes on when the cause is mended`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.stripe("DELETE", "/v1/customers/\(ann.stripeCustomerID ?? "")")
            let summary = try await scene.run([ann])
            #expect(summary.deadLetters.first?.reason.contains("No such customer") == true)
            #expect(try await scene.run([ann]).count == 0)

            let other = scene.stripe("POST", "/v1/customers", "email=ann%40example.com")
            try await ledger.pool.query(
                "INSERT INTO customers (customer_id, stripe_customer_id) VALUES ('ann', $1)",
                [other["id"] as? String])
            let letters = DeadLetterStore(pool: ledger.pool)
            #expect(try await letters.retry(nil, by: "finance").map(\.subjectID) == ["inv_ann"])
            #expect(try await scene.run([ann]).collected == 1)
            var renamed = ann
            renamed.stripeCustomerID = other["id"] as? String
            try await scene.expectExactlyOnce(renamed)
        }
    }

    // MARK: The ledger

    /// A backup from before the run: the ledger knows nothing of what Stripe has.
    @Test(arguments: [nil] + paths.map { Optional($0.1) })
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
