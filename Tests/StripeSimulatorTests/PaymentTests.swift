import StripeSimulation
import Testing

/// Charges, and what the clock does.
struct PaymentTests {
    @Test(arguments: CardBehavior.allCases)
    func `a card that fails leaves the invoice open, and one that does not pays it`(
        card: CardBehavior
    ) throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        sandbox.control("POST", "/_sim/customers/\(customer)", #"{"card": "\#(card.rawValue)"}"#)
        let id = sandbox.open(customer)
        let answer = sandbox.post("/v1/invoices/\(id)/pay")
        let isPaid = card == .succeeds
        #expect(sandbox.status(id) == (isPaid ? "paid" : "open"))
        #expect(sandbox.count(.charged) == (isPaid ? 1 : 0))
        #expect(sandbox.count(.chargeAttempted) == 1)
        #expect(answer.status == (isPaid ? 200 : card == .missing ? 400 : 402))
        #expect(sandbox.events().contains("invoice.payment_failed") == !isPaid)
        #expect(
            sandbox.events().contains("invoice.payment_action_required")
                == (card == .requiresAction))
        #expect(sandbox.get("/v1/invoices/\(id)")["attempt_count"]?.integer == 1)
    }

    @Test func `an invoice is paid once`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.open()
        #expect(sandbox.post("/v1/invoices/\(id)/pay")["amount_paid"]?.integer == 2_000)
        let again = sandbox.post("/v1/invoices/\(id)/pay")
        #expect(again.status == 400)
        #expect(again.message == "Invoice is already paid")
        #expect(sandbox.count(.charged) == 1)
        let payments = sandbox.get("/v1/invoice_payments", "invoice=\(id)")
        #expect(payments["data"]?.elements?.compactMap { $0["status"]?.text } == ["paid"])
    }

    @Test func `money from elsewhere is no charge`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.open()
        sandbox.post("/v1/invoices/\(id)/pay", "paid_out_of_band=true")
        #expect(sandbox.status(id) == "paid")
        #expect(sandbox.count(.charged) == 0)
        #expect(sandbox.count(.paidOutOfBand) == 1)
    }

    @Test func `an open invoice is charged as soon as it advances, and once`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.open()
        sandbox.simulator.advance(seconds: 86_400)
        #expect(sandbox.status(id) == "open")
        let answer = sandbox.post("/v1/invoices/\(id)", "auto_advance=true")
        #expect(answer["status"]?.text == "open")
        #expect(sandbox.status(id) == "paid")
        sandbox.simulator.advance(seconds: 30 * 86_400)
        #expect(sandbox.count(.charged) == 1)
    }

    @Test func `a draft that advances is finalized after an hour and charged`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.draft(nil, "&auto_advance=true")
        sandbox.simulator.advance(seconds: 3_599)
        #expect(sandbox.status(id) == "draft")
        sandbox.simulator.advance(seconds: 1)
        #expect(sandbox.status(id) == "paid")
        let invoice = sandbox.get("/v1/invoices/\(id)")
        let finalized = invoice["status_transitions"]?["finalized_at"]?.integer
        #expect(finalized == Sandbox.start / 1_000 + 3_600)
    }

    @Test func `a draft is finalized when it was said to be`() throws {
        let sandbox = try Sandbox()
        let time = Sandbox.start / 1_000 + 500
        let id = sandbox.draft(nil, "&auto_advance=true&automatically_finalizes_at=\(time)")
        sandbox.simulator.advance(seconds: 499)
        #expect(sandbox.status(id) == "draft")
        sandbox.simulator.advance(seconds: 1)
        #expect(sandbox.status(id) != "draft")
    }

    @Test func `a refused card is tried after 3, 5 and 7 days, then no more`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        sandbox.control("POST", "/_sim/customers/\(customer)", #"{"card": "card_declined"}"#)
        let id = sandbox.open(customer)
        sandbox.post("/v1/invoices/\(id)", "auto_advance=true")
        var attempts: [Int] = []
        for _ in 0...30 {
            attempts.append(sandbox.get("/v1/invoices/\(id)")["attempt_count"]?.integer ?? -1)
            sandbox.simulator.advance(seconds: 86_400)
        }
        #expect(attempts[0...2] == [1, 1, 1])
        #expect(attempts[3] == 2)
        #expect(attempts[8] == 3)
        #expect(attempts[15] == 4)
        #expect(attempts[30] == 4)
    }

    @Test func `an open invoice becomes overdue once`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.open(nil, "&collection_method=send_invoice&days_until_due=10")
        sandbox.simulator.advance(seconds: 10 * 86_400 - 1)
        #expect(!sandbox.events().contains("invoice.overdue"))
        sandbox.simulator.advance(seconds: 86_400)
        #expect(sandbox.events().count { $0 == "invoice.overdue" } == 1)
        #expect(sandbox.status(id) == "open")
    }

    @Test func `open invoices of a customer are paid or fail by control`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        let ids = [sandbox.open(customer), sandbox.open(customer)]
        sandbox.control("POST", "/_sim/customers/\(customer)/fail_open")
        #expect(ids.map { sandbox.status($0) } == ["open", "open"])
        #expect(sandbox.events().count { $0 == "invoice.payment_failed" } == 2)
        sandbox.control("POST", "/_sim/customers/\(customer)/pay_open")
        #expect(ids.map { sandbox.status($0) } == ["paid", "paid"])
        #expect(sandbox.count(.charged) == 2)
    }

    @Test(arguments: [
        ("failed", ["refund.updated", "refund.failed"]), ("canceled", ["refund.updated"]),
    ])
    func `a refund that is undone says so, and can be made again`(
        status: String, events: [String]
    ) throws {
        let sandbox = try Sandbox()
        let id = sandbox.open()
        sandbox.post("/v1/invoices/\(id)/pay")
        let payments = sandbox.get("/v1/invoice_payments", "invoice=\(id)")
        let payment = payments["data"]?.elements?.first?["payment"]
        let intent = try #require(payment?["payment_intent"]?.text)
        let whole = "payment_intent=\(intent)"
        let refund = sandbox.post("/v1/refunds", whole).id
        #expect(sandbox.post("/v1/refunds", whole).status == 400)
        let path = "/_sim/refunds/\(refund)"
        #expect(sandbox.control("POST", path, #"{"status": "succeeded"}"#).status == 400)
        #expect(sandbox.control("POST", path, #"{"status": "\#(status)"}"#).status == 200)
        #expect(Array(sandbox.events().suffix(events.count)) == events)
        #expect(sandbox.get("/v1/refunds/\(refund)")["status"]?.text == status)
        #expect(sandbox.control("POST", path, #"{"status": "failed"}"#).status == 400)
        #expect(sandbox.post("/v1/refunds", whole)["amount"]?.integer == 2_000)
    }

    @Test func `effects are counted per customer and per invoice, deleted ones too`() throws {
        let sandbox = try Sandbox()
        let (one, other) = (sandbox.customer(), sandbox.customer())
        let id = sandbox.open(one)
        let gone = sandbox.draft(one)
        sandbox.send("DELETE", "/v1/invoices/\(gone)")
        _ = sandbox.open(other)
        let counts = sandbox.control("GET", "/_sim/effects")
        #expect(counts["customers"]?[one]?["invoices_created"]?.integer == 2)
        #expect(counts["customers"]?[one]?["invoices_deleted"]?.integer == 1)
        #expect(counts["invoices"]?[id]?["finalized"]?.integer == 1)
        #expect(counts["invoices"]?[gone]?["customer"]?.text == one)
        #expect(counts["total"]?["invoices_created"]?.integer == 3)
        let path = "/_sim/effects"
        let part = sandbox.simulator.respond(
            to: SimulatedRequest(method: "GET", path: path, query: "customer=\(other)"))
        #expect(Answer(part)["customers"]?.fields?.keys.sorted() == [other])
    }
}
