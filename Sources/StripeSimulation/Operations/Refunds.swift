/// Money that goes back after it was paid.
extension StripeAccount {
    func createRefund(_ form: Form) throws(StripeError) -> Answer {
        let payment = try paid(form.text("payment_intent") ?? "")
        let refunded = refunds.all(of: payment.paymentIntent)
            .filter { $0.status == .succeeded }.reduce(0) { $0 + $1.amount }
        let amount = form.integer("amount") ?? (payment.amountPaid ?? 0) - refunded
        guard amount >= 1, refunded + amount <= (payment.amountPaid ?? 0) else {
            throw StripeError(
                "Refund amount is greater than unrefunded amount on charge.", parameter: "amount")
        }
        let refund = Refund(
            id: newID("re_"), created: time, livemode: livemode,
            paymentIntent: payment.paymentIntent, charge: charge(of: payment),
            currency: payment.currency, amount: amount)
        refunds[refund.id] = refund
        emit("refund.created", .refund(refund))
        emit(
            "charge.refunded",
            .charge(
                RefundedCharge(
                    id: refund.charge, created: payment.created, livemode: livemode,
                    paymentIntent: payment.paymentIntent, currency: payment.currency,
                    amount: (payment.amountPaid ?? 0), amountRefunded: refunded + amount)))
        return .object(.refund(refund))
    }

    /// The bank sends a refund back, or it is withdrawn.
    func undo(_ refund: Refund, as status: Refund.Status) {
        var refund = refund
        refund.status = status
        refunds[refund.id] = refund
        emit("refund.updated", .refund(refund))
        if status == .failed { emit("refund.failed", .refund(refund)) }
    }

    func listRefunds(_ form: Form) throws(StripeError) -> Answer {
        let page = try refunds.page(owner: form.text("payment_intent"), form, kind: "refund") { _ in
            true
        }
        return .list(url: "/v1/refunds", page.items.map(Snapshot.refund), hasMore: page.hasMore)
    }

    func retrieveRefund(_ id: String) throws(StripeError) -> Answer {
        guard let refund = refunds[id] else { throw .missing("refund", id, parameter: "id") }
        return .object(.refund(refund))
    }

    func listDisputes(_ form: Form) throws(StripeError) -> Answer {
        let page = try disputes.page(owner: form.text("payment_intent"), form, kind: "dispute") {
            _ in true
        }
        return .list(url: "/v1/disputes", page.items.map(Snapshot.dispute), hasMore: page.hasMore)
    }

    func retrieveDispute(_ id: String) throws(StripeError) -> Answer {
        guard let dispute = disputes[id] else { throw .missing("dispute", id, parameter: "id") }
        return .object(.dispute(dispute))
    }

    /// The bank opens a dispute about what an invoice was paid with, or decides the one that is open.
    func dispute(_ payment: InvoicePayment, _ status: Dispute.Status) {
        let isClosed = status == .won || status == .lost
        let open = disputes.all(of: payment.paymentIntent).last {
            $0.status != .won && $0.status != .lost
        }
        var dispute =
            open
            ?? Dispute(
                id: newID("dp_"), created: time, livemode: livemode,
                paymentIntent: payment.paymentIntent, charge: charge(of: payment),
                currency: payment.currency, amount: (payment.amountPaid ?? 0), status: status)
        dispute.status = status
        disputes[dispute.id] = dispute
        if open == nil { emit("charge.dispute.created", .dispute(dispute)) }
        if open != nil, !isClosed { emit("charge.dispute.updated", .dispute(dispute)) }
        if isClosed { emit("charge.dispute.closed", .dispute(dispute)) }
    }

    private func paid(_ paymentIntent: String) throws(StripeError) -> InvoicePayment {
        guard let payment = payments.all.first(where: { $0.paymentIntent == paymentIntent }) else {
            throw .missing("payment_intent", paymentIntent, parameter: "payment_intent")
        }
        guard payment.status == .paid else {
            throw StripeError(
                "This PaymentIntent does not have a successful charge to refund.",
                parameter: "payment_intent")
        }
        return payment
    }

    private func charge(of payment: InvoicePayment) -> String {
        "ch_" + payment.paymentIntent.dropFirst("pi_".count)
    }
}
