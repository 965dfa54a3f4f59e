/// What may become of an invoice at Stripe, and where the ledger's ends.
enum WebhookFate: String, CaseIterable {
    case stays, paid, failed, failedThenPaid, voided, uncollectible, writtenOffThenPaid, refunded,
        disputed
    /// Of customers who pay by card.
    case charged, declined

    /// A customer who may meet it.
    func customer(
        _ id: String, amounts: [Int64] = [1_000, 250], _ scene: Scene
    ) async throws -> TestLedger.Planned {
        let isMailed = self != .charged && self != .declined
        let customer = try await scene.add(id, isMailed: isMailed, amounts: amounts)
        if self == .declined {
            scene.control(
                "/_sim/customers/\(customer.stripeCustomerID ?? "")", #"{"card":"card_declined"}"#)
        }
        return customer
    }

    func happen(to planned: TestLedger.Planned, _ id: String, _ scene: Scene) {
        switch self {
        case .stays, .charged, .declined: break
        case .paid: scene.customer(planned, "pay_open")
        case .failed: scene.customer(planned, "fail_open")
        case .failedThenPaid:
            scene.customer(planned, "fail_open")
            scene.customer(planned, "pay_open")
        case .voided: scene.stripe("POST", "/v1/invoices/\(id)/void")
        case .uncollectible: scene.stripe("POST", "/v1/invoices/\(id)/mark_uncollectible")
        case .writtenOffThenPaid:
            scene.stripe("POST", "/v1/invoices/\(id)/mark_uncollectible")
            scene.stripe("POST", "/v1/invoices/\(id)/pay", "paid_out_of_band=true")
        case .refunded:
            scene.customer(planned, "pay_open")
            let intent = scene.paymentIntent(of: id)
            scene.stripe("POST", "/v1/refunds", "payment_intent=\(intent)&amount=200")
        case .disputed:
            scene.customer(planned, "pay_open")
            scene.control("/_sim/invoices/\(id)", #"{"dispute":"needs_response"}"#)
        }
    }

    var status: String {
        switch self {
        case .stays: "open"
        case .paid, .failedThenPaid, .writtenOffThenPaid, .refunded, .disputed, .charged: "paid"
        case .failed, .declined: "payment_failed"
        case .voided: "void"
        case .uncollectible: "uncollectible"
        }
    }

    /// What stands beside the status.
    var standing: String {
        switch self {
        case .refunded: "200 0"
        case .disputed: "open 0 0"
        default: "0 0"
        }
    }

    /// The alerts that are open in the end, if the events are worked on as they come.
    func alerts(of invoiceID: String) -> [String] {
        switch self {
        case .failed, .declined: ["payment_failed:\(invoiceID):1"]
        case .voided: ["invoice_voided:\(invoiceID)"]
        case .uncollectible: ["invoice_uncollectible:\(invoiceID)"]
        case .disputed: ["invoice_disputed:\(invoiceID):dispute"]
        default: []
        }
    }
}
