import Billing
import Ledger
import Postgres
import StripeSimulation
import Testing

/// What happens to an invoice at Stripe, step by step, and where the ledger and its alerts stand after each.
struct WebhookCaseTests {
    struct Step: Sendable {
        let action: @Sendable (Place) async throws -> Void
        /// The status; what is overdue, disputed, refunded and credited; the kinds of the alerts that are open.
        let expected: String

        init(_ expected: String, _ action: @escaping @Sendable (Place) async throws -> Void) {
            self.expected = expected
            self.action = action
        }
    }

    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// How the customer's card behaves; nothing: the invoice is mailed.
        var card: String?
        var hasTax = false
        let steps: [Step]

        init(_ name: String, card: String? = nil, hasTax: Bool = false, _ steps: Step...) {
            testDescription = name
            self.card = card
            self.hasTax = hasTax
            self.steps = steps
        }
    }

    /// An invoice that was sent.
    struct Place: Sendable {
        let inbox: Inbox
        let ann: TestLedger.Planned
        let id: String

        var scene: Scene { inbox.scene }

        func pay() { scene.customer(ann, "pay_open") }

        /// Does something to the invoice.
        func act(_ what: String, _ form: String = "") {
            scene.stripe("POST", "/v1/invoices/\(id)/\(what)", form)
        }

        func dispute(_ status: String) {
            scene.control("/_sim/invoices/\(id)", #"{"dispute":"\#(status)"}"#)
        }

        func refund(_ amount: Int) {
            let intent = scene.paymentIntent(of: id)
            scene.stripe("POST", "/v1/refunds", "payment_intent=\(intent)&amount=\(amount)")
        }

        func undoRefund(_ status: String) throws {
            let intent = scene.paymentIntent(of: id)
            let refund = try only("/v1/refunds", "payment_intent=\(intent)")["id"] as? String
            scene.control("/_sim/refunds/\(refund ?? "")", #"{"status":"\#(status)"}"#)
        }

        func voidCreditNote() throws {
            let note = try only("/v1/credit_notes", "invoice=\(id)")["id"] as? String
            scene.stripe("POST", "/v1/credit_notes/\(note ?? "")/void")
        }

        /// Somebody makes a second invoice out of the same.
        func doubleInvoice() throws {
            let made = scene.stripe(
                "POST", "/v1/invoices",
                """
                customer=\(ann.stripeCustomerID ?? "")&currency=usd&auto_advance=false\
                &metadata[meterflow_invoice_id]=\(ann.invoiceID)\
                &metadata[meterflow_ledger_id]=\(scene.ledger.ledgerID)
                """)
            let second = try #require(made["id"] as? String, "\(made)")
            scene.stripe("POST", "/v1/invoices/\(second)/add_lines", "lines[0][amount]=990")
            scene.stripe("POST", "/v1/invoices/\(second)/finalize", "auto_advance=false")
        }

        func voidSecond() throws {
            let second = scene.invoices(of: ann).first { $0["id"] as? String != id }
            let secondID = try #require(second?["id"] as? String)
            scene.stripe("POST", "/v1/invoices/\(secondID)/void")
        }

        func becomeOverdue() async throws {
            try await scene.advance(seconds: 31 * 86_400)
            scene.simulator.tick()
        }

        private func only(_ path: String, _ query: String) throws -> [String: Any] {
            let list = scene.stripe("GET", path, query)["data"] as? [[String: Any]]
            return try #require(list?.first, "\(path)")
        }
    }

    private static let cases: [Case] = [
        Case(
            "a credit note that is voided",
            Step("open 0 100") {
                $0.scene.stripe("POST", "/v1/credit_notes", "invoice=\($0.id)&amount=100")
            },
            Step("open 0 0") { try $0.voidCreditNote() }),
        Case(
            "a refund that fails",
            Step("paid 200 0") {
                $0.pay()
                $0.refund(200)
            },
            Step("paid 0 0") { try $0.undoRefund("failed") }),
        Case(
            "a refund that is canceled",
            Step("paid 200 0") {
                $0.pay()
                $0.refund(200)
            },
            Step("paid 0 0") { try $0.undoRefund("canceled") }),
        Case(
            "a dispute that is won",
            Step("paid open 0 0 invoice_disputed") {
                $0.pay()
                $0.dispute("needs_response")
            },
            Step("paid open 0 0 invoice_disputed") { $0.dispute("under_review") },
            Step("paid won 0 0") { $0.dispute("won") }),
        Case(
            "a dispute that is lost",
            Step("paid open 0 0 invoice_disputed") {
                $0.pay()
                $0.dispute("needs_response")
            },
            Step("paid lost 0 0") { $0.dispute("lost") }),
        Case(
            "written off, and paid after all",
            Step("uncollectible 0 0 invoice_uncollectible") { $0.act("mark_uncollectible") },
            Step("paid 0 0") { $0.act("pay", "paid_out_of_band=true") }),
        Case(
            "written off, and voided",
            Step("uncollectible 0 0 invoice_uncollectible") { $0.act("mark_uncollectible") },
            Step("void 0 0 invoice_voided") { $0.act("void") }),
        Case(
            "overdue, then written off",
            Step("open overdue 0 0 invoice_overdue") { try await $0.becomeOverdue() },
            Step("uncollectible 0 0 invoice_uncollectible") { $0.act("mark_uncollectible") }),
        Case(
            "overdue and written off before anybody looks",
            Step("uncollectible 0 0 invoice_uncollectible") {
                try await $0.becomeOverdue()
                $0.act("mark_uncollectible")
            }),
        Case(
            "a card whose bank wants to hear of its owner", card: "requires_action",
            Step("payment_failed 0 0 payment_action_required payment_failed") { _ in },
            Step("paid 0 0") { $0.pay() }),
        Case(
            "a second invoice, until it is voided",
            Step("open 0 0 second_invoice") { try $0.doubleInvoice() },
            Step("open 0 0") { try $0.voidSecond() }),
        Case(
            "taxes that cannot be computed, until they can", hasTax: true,
            Step("submitting 0 0 finalization_failed") { _ in },
            Step("open 0 0") {
                $0.scene.stripe(
                    "POST", "/v1/customers/\($0.ann.stripeCustomerID ?? "")",
                    "address[country]=US")
                try await $0.scene.ledger.retryDeadLetters()
                try await $0.scene.run([$0.ann], automaticTax: true)
            }),
    ]

    @Test(arguments: cases)
    func `the ledger and its alerts follow`(what: Case) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann", isMailed: what.card == nil)
            if let card = what.card {
                scene.control(
                    "/_sim/customers/\(ann.stripeCustomerID ?? "")", #"{"card":"\#(card)"}"#)
            }
            try await scene.run([ann], automaticTax: what.hasTax)
            let inbox = Inbox(scene)
            let place = Place(inbox: inbox, ann: ann, id: try inbox.stripeID(ann))
            for (number, step) in what.steps.enumerated() {
                try await step.action(place)
                try await inbox.receiveAll()
                try await inbox.drain()
                var found = [try await inbox.status(ann), try await inbox.standing(ann)]
                for key in try await inbox.openAlerts() {
                    found.append(String(key.prefix(while: { $0 != ":" })))
                }
                #expect(found.joined(separator: " ") == step.expected, "step \(number + 1)")
            }
            #expect(
                try await !inbox.states().contains {
                    $0.hasPrefix("pending") || $0.hasPrefix("dead")
                })
        }
    }

    @Test func `an alert has the amount that it is about, and the day until which there is time`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            try await scene.run([ann])
            let inbox = Inbox(scene)
            let place = Place(inbox: inbox, ann: ann, id: try inbox.stripeID(ann))
            place.pay()
            place.dispute("needs_response")
            try place.doubleInvoice()
            try await inbox.receiveAll()
            try await inbox.drain()
            let bodies: [String] = try await ledger.values(
                """
                SELECT concat_ws(' ', kind, customer_id, body->>'amount_minor', body->>'currency',
                    (body->>'due_by')::timestamptz - ledger_clock()
                        BETWEEN interval '6 days' AND interval '7 days') AS value
                FROM alerts ORDER BY kind
                """)
            #expect(bodies == ["invoice_disputed ann 1250 usd t", "second_invoice ann 990 usd"])
        }
    }
}
