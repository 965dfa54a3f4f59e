import Billing
import Ledger
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// One event at a time, or all of one invoice in order.
struct WebhookTests {
    /// A ledger in which Ann's invoice was sent.
    private func withAnn(
        _ body: (Inbox, TestLedger.Planned, _ stripeID: String) async throws -> Void
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let inbox = Inbox(scene)
            let ann = try await scene.add("ann")
            try await scene.run([ann])
            try await body(inbox, ann, try inbox.stripeID(ann))
        }
    }

    @Test(arguments: WebhookFate.allCases)
    func `the ledger follows Stripe`(fate: WebhookFate) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let inbox = Inbox(scene)
            let ann = try await fate.customer("ann", scene)
            try await scene.run([ann])
            fate.happen(to: ann, try inbox.stripeID(ann), scene)
            try await inbox.receiveAll()
            try await inbox.drain()
            #expect(try await inbox.status(ann) == fate.status)
            #expect(try await inbox.standing(ann) == fate.standing)
            #expect(try await inbox.openAlerts() == fate.alerts(of: ann.invoiceID))
            #expect(
                try await !inbox.states().contains {
                    $0.hasPrefix("pending") || $0.hasPrefix("dead")
                })
            let handled = try inbox.events().compactMap { try? ReceivedEvent(payload: $0).type }
                .filter(WebhookTypes.all.contains)
            #expect(try await inbox.journal(ann).sorted() == handled.sorted())
        }
    }

    @Test func `an event counts once, however often it comes`() async throws {
        try await withAnn { inbox, ann, id in
            inbox.scene.customer(ann, "fail_open")
            try await inbox.receiveAll()
            try await inbox.drain()
            let journal = try await inbox.journal(ann)
            for event in try inbox.events() { #expect(try await !inbox.receive(event)) }
            #expect(try await inbox.drain().counts.isEmpty)
            // Another event about the same thing, and the first one by hand.
            try await inbox.receive(
                Inbox.event(
                    "evt_twin", "invoice.payment_failed", #"{"id":"\#(id)","attempt_count":1}"#))
            for event in try inbox.events() {
                try await WebhookRecords(pool: inbox.scene.ledger.pool).replay(
                    ReceivedEvent(payload: event).id, by: "test")
            }
            try await inbox.drain()
            #expect(try await inbox.journal(ann) == journal + ["invoice.payment_failed"])
            #expect(try await inbox.alerts() == ["payment_failed:inv_ann:1"])
        }
    }

    @Test
    func `of many that come at once each is kept once, and one that cannot be kept harms no other`()
        async throws
    {
        try await withLedger { ledger in
            let inbox = Inbox(try Scene(ledger))
            func event(_ id: String) -> ReceivedEvent {
                ReceivedEvent(
                    id: id, type: "customer.created", apiVersion: nil, isLive: false, account: nil,
                    objectID: nil, payload: "{}")
            }
            let kept = await withTaskGroup(of: (String, Bool?).self) { group in
                for id in (0..<300).map({ "evt_\($0 % 100)" }) + ["evt_\0"] {
                    group.addTask { (id, try? await inbox.arrivals.insert(event(id))) }
                }
                return await group.reduce(into: [(String, Bool?)]()) { $0.append($1) }
            }
            #expect(kept.count { $0.1 == true } == 100)
            #expect(Set(kept.filter { $0.1 == true }.map(\.0)).count == 100)
            #expect(kept.count { $0.1 == false } == 200)
            #expect(kept.filter { $0.1 == nil }.map(\.0) == ["evt_\0"])
            #expect(try await ledger.value("SELECT count(*) AS value FROM webhook_events") == 100)
        }
    }

    @Test func `an alert says who, how much, how often, and what happens next`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let bob = try await scene.add("bob", isMailed: false)
            scene.control(
                "/_sim/customers/\(bob.stripeCustomerID ?? "")", #"{"card":"card_declined"}"#)
            try await scene.run([bob])
            let inbox = Inbox(scene)
            try await inbox.receiveAll()
            try await inbox.drain()
            #expect(try await inbox.status(bob) == "payment_failed")
            let body: String = try await ledger.value(
                """
                SELECT concat_ws(' ', severity, body->>'customer_id', body->>'amount_minor',
                    body->>'currency', body->>'attempt_count', left(body->>'next', 22)) AS value
                FROM alerts
                """)
            #expect(body == "warning bob 1250 usd 1 Stripe tries again at ")
        }
    }

    @Test(arguments: [
        (Inbox.event("evt_x", "customer.created", #"{"id":"cus_1"}"#), "ignored"),
        (Inbox.event("evt_x", "customer.created", "{}", livemode: true), "foreign"),
        (Inbox.event("evt_x", "customer.created", "{}", account: "acct_2"), "foreign"),
        (Inbox.event("evt_x", "invoice.paid", #"{"id":"in_other"}"#), "foreign"),
        (
            Inbox.event(
                "evt_x", "invoice.paid",
                #"{"id":"in_other","metadata":{"meterflow_ledger_id":"another"}}"#), "foreign"
        ),
        (Inbox.event("evt_x", "invoice.paid", #"{"id":"STRIPE"}"#, livemode: true), "foreign"),
        (Inbox.event("evt_x", "invoice.paid", #"{"id":"STRIPE"}"#, account: "acct_2"), "foreign"),
        (Inbox.event("evt_x", "invoice.paid", "{}"), "foreign"),
        (
            Inbox.event("evt_x", "charge.refunded", #"{"id":"ch_1","payment_intent":"pi_none"}"#),
            "foreign"
        ),
        (
            Inbox.event(
                "evt_x", "invoice.paid", #"{"id":"STRIPE"}"#, account: "acct_1SimulatorMeterFlow"),
            "processed"
        ),
        // What an event says is not believed.
        (Inbox.event("evt_x", "invoice.paid", #"{"id":"STRIPE","status":"paid"}"#), "processed"),
    ])
    func `each event ends in a state`(event: String, state: String) async throws {
        try await withAnn { inbox, ann, id in
            try await inbox.receive(event.replacing("STRIPE", with: id))
            try await inbox.drain()
            #expect(try await inbox.states() == ["\(state) 1"])
            #expect(try await inbox.status(ann) == "open")
        }
    }

    @Test func `thin events are followed to their object`() async throws {
        try await withAnn { inbox, ann, id in
            inbox.scene.customer(ann, "pay_open")
            let note = inbox.scene.stripe(
                "POST", "/v1/credit_notes", "invoice=\(id)&amount=100&credit_amount=100")
            for (number, (type, object)) in [
                ("invoice.paid", id), ("credit_note.created", note["id"] as? String ?? ""),
            ].enumerated() {
                try await inbox.receive(Inbox.thinEvent("evt_\(number)", type, object))
            }
            try await inbox.drain()
            let notes: [String] = try await inbox.scene.ledger.values(
                "SELECT concat_ws(' ', state, note) AS value FROM webhook_events")
            #expect(notes == ["processed", "processed"])
            #expect(try await inbox.status(ann) == "paid")
            #expect(try await inbox.standing(ann) == "0 100")
        }
    }

    @Test func `refunds and disputes are flags, joined through the payment`() async throws {
        try await withAnn { inbox, ann, id in
            inbox.scene.customer(ann, "pay_open")
            let intent = inbox.scene.paymentIntent(of: id)
            inbox.scene.stripe("POST", "/v1/refunds", "payment_intent=\(intent)&amount=200")
            inbox.scene.stripe("POST", "/v1/refunds", "payment_intent=\(intent)&amount=50")
            inbox.scene.control("/_sim/invoices/\(id)", #"{"dispute":"needs_response"}"#)
            for event in try inbox.events().reversed() { try await inbox.receive(event) }
            try await inbox.drain()
            #expect(try await inbox.status(ann) == "paid")
            #expect(try await inbox.standing(ann) == "open 250 0")
            #expect(
                try await inbox.alerts().map { $0.prefix(27) } == ["invoice_disputed:inv_ann:dp"])
            inbox.scene.control("/_sim/invoices/\(id)", #"{"dispute":"lost"}"#)
            try await inbox.receiveAll()
            try await inbox.drain()
            #expect(try await inbox.standing(ann) == "lost 250 0")
        }
    }

    @Test func `an invoice is overdue until it is paid`() async throws {
        try await withAnn { inbox, ann, _ in
            try await inbox.scene.advance(seconds: 31 * 86_400)
            inbox.scene.simulator.tick()
            let early = try inbox.events()
            try await inbox.receiveAll()
            try await inbox.drain()
            #expect(try await inbox.standing(ann) == "overdue 0 0")
            #expect(try await inbox.alerts() == ["invoice_overdue:inv_ann"])
            inbox.scene.customer(ann, "pay_open")
            try await inbox.receiveAll()
            try await inbox.drain()
            #expect(try await inbox.standing(ann) == "0 0")
            #expect(!early.isEmpty)
        }
    }

    @Test func `what fails for good is a dead letter, and comes back when it is retried`()
        async throws
    {
        try await withAnn { inbox, ann, id in
            inbox.scene.customer(ann, "pay_open")
            try await inbox.scene.ledger.pool.query(
                "ALTER TABLE invoices ADD CONSTRAINT broken CHECK (status <> 'paid')")
            try await inbox.receive(Inbox.event("evt_x", "invoice.paid", #"{"id":"\#(id)"}"#))
            for attempt in 1...8 {
                let summary = try await inbox.drain()
                #expect(summary[attempt < 8 ? .failed : .dead] == 1)
                try await inbox.scene.ledger.advance(seconds: 3600)
            }
            #expect(try await inbox.states() == ["dead 1"])
            #expect(try await inbox.openAlerts() == ["webhook_dead_letter:evt_x"])
            let about: String = try await inbox.scene.ledger.value(
                "SELECT concat_ws(' ', body->>'invoice_id', customer_id) AS value FROM alerts")
            #expect(about == "inv_ann ann")
            try await inbox.scene.ledger.pool.query("ALTER TABLE invoices DROP CONSTRAINT broken")
            try await inbox.scene.ledger.retryDeadLetters()
            #expect(try await inbox.drain()[.processed] == 1)
            #expect(try await inbox.status(ann) == "paid")
            #expect(try await inbox.openAlerts().isEmpty)
        }
    }

    @Test(arguments: [true, false])
    func `a dead letter that is discarded, or comes to nothing, alarms nobody any more`(
        isReplayed: Bool
    ) async throws {
        try await withAnn { inbox, _, _ in
            let pool = inbox.scene.ledger.pool
            try await inbox.receive(Inbox.event("evt_x", "invoice.paid", #"{"id":"in_other"}"#))
            let taken = try #require(try await inbox.store.take(limit: 1).first)
            let alert = Alert(
                key: Alert.deadWebhookKey("evt_x"), kind: "webhook_dead_letter",
                severity: .critical, subject: "evt_x", body: "{}")
            try await inbox.store.bury(taken, reason: "test", alert: alert)
            #expect(try await inbox.openAlerts() == [alert.key])
            if isReplayed {
                try await WebhookRecords(pool: pool).replay("evt_x", by: "test")
                #expect(try await inbox.openAlerts() == [alert.key])
                try await inbox.drain()
                #expect(try await inbox.states() == ["foreign 1"])
            } else {
                let letters = DeadLetterStore(pool: pool)
                let letter = try #require(try await letters.list(includesResolved: false).first)
                #expect(try await letters.discard(letter.id, by: "test", reason: "test"))
            }
            #expect(try await inbox.openAlerts().isEmpty)
        }
    }

    @Test func `an event that was erased is not replayed`() async throws {
        try await withAnn { inbox, _, id in
            try await inbox.receive(Inbox.event("evt_x", "invoice.paid", #"{"id":"\#(id)"}"#))
            try await inbox.drain()
            let pool = inbox.scene.ledger.pool
            try await pool.query("UPDATE webhook_events SET payload = '{\"erased\":true}'")
            let error = await #expect(throws: LedgerError.self) {
                try await WebhookRecords(pool: pool).replay("evt_x", by: "test")
            }
            #expect(error?.description.contains("was erased") == true)
            #expect(try await inbox.states() == ["processed 1"])
        }
    }

    @Test func `who took an event and died loses it, and writes nothing any more`() async throws {
        try await withAnn { inbox, ann, id in
            inbox.scene.customer(ann, "pay_open")
            try await inbox.receive(Inbox.event("evt_x", "invoice.paid", #"{"id":"\#(id)"}"#))
            let taken = try #require(try await inbox.store.take(limit: 1).first)
            #expect(try await inbox.drain().counts.isEmpty)
            try await inbox.scene.ledger.advance(seconds: 121)
            #expect(try await inbox.drain()[.processed] == 1)
            try await inbox.store.settle(taken, as: .foreign, note: "late")
            #expect(try await inbox.states() == ["processed 1"])
        }
    }

    // MARK: Interrupted submissions

    /// The process dies after Stripe finalized the invoice; an event comes before anybody goes on.
    @Test(arguments: [(true, false), (false, false), (false, true)])
    func `an event takes up an interrupted submission`(
        isIDKnown: Bool, isThin: Bool
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let inbox = Inbox(scene)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(
                    method: "POST", path: "/v1/invoices/{invoice}/finalize", times: 4,
                    Fault(.answerLost))
            ])
            try await scene.run([ann])
            try await ledger.retryDeadLetters()
            if !isIDKnown {
                try await ledger.pool.query(
                    "UPDATE invoices SET stripe_invoice_id = NULL, recovery_point = NULL")
            }
            if isThin {
                // It is found by the metadata that Stripe has.
                let id = try inbox.stripeID(ann)
                try await inbox.receive(Inbox.thinEvent("evt_x", "invoice.finalized", id))
            } else {
                try await inbox.receiveAll()
            }
            try await inbox.drain(heals: false)
            #expect(try await inbox.status(ann) == "submitting")
            try await scene.advance(seconds: 61)
            let summary = try await inbox.drain()
            #expect(summary[.failed] == 0)
            #expect(try await inbox.status(ann) == "open")
            try await scene.run([ann])
            try await scene.expectExactlyOnce(ann)
        }
    }

    /// What is open at Stripe may be known to have failed here.
    @Test(arguments: [("pay_open", "paid"), ("fail_open", "payment_failed")])
    func `a submission that goes on does not take a later status back`(
        what: String, status: String
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let inbox = Inbox(scene)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(
                    method: "POST", path: "/v1/invoices/{invoice}/send", times: 4,
                    Fault(.resetBefore))
            ])
            try await scene.run([ann])
            try await ledger.retryDeadLetters()
            scene.customer(ann, what)
            try await inbox.receiveAll()
            try await inbox.drain()
            #expect(try await inbox.status(ann) == status)
            try await scene.run([ann])
            #expect(try await inbox.status(ann) == status)
            let point: String = try await ledger.value(
                "SELECT recovery_point AS value FROM invoices")
            #expect(point == "collected")
        }
    }
}
