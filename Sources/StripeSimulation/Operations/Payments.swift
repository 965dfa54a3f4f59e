/// Money: what is charged, what fails, what is paid elsewhere.
extension StripeAccount {
    func payInvoice(_ id: String, _ form: Form) throws(StripeError) -> Answer {
        let invoice = try invoice(id)
        switch invoice.status {
        case .open, .uncollectible: break
        case .paid: throw StripeError("Invoice is already paid")
        case .draft:
            throw StripeError("You can't pay a draft invoice. Finalize it first.")
        case .void:
            throw StripeError("You can't pay an invoice that has been voided.")
        }
        if form.bool("paid_out_of_band") == true {
            effects.count(.paidOutOfBand, customer: invoice.customer, invoice: id)
            return .object(.invoice(settle(invoice)))
        }
        switch charge(invoice) {
        case .success(let paid): return .object(.invoice(paid))
        case .failure(let error): throw error
        }
    }

    /// Tries the customer's card once.
    func charge(_ open: Invoice) -> Result<Invoice, StripeError> {
        var invoice = open
        guard let customer = customers[invoice.customer], !customer.isDeleted else {
            return .failure(.missing("customer", invoice.customer, parameter: "customer"))
        }
        effects.count(.chargeAttempted, customer: customer.id, invoice: invoice.id)
        invoice.attemptCount += 1
        invoice.attempted = true
        invoice.nextPaymentAttempt = nil
        guard let error = customer.card.refusal else {
            effects.count(.charged, customer: customer.id, invoice: invoice.id)
            return .success(settle(invoice))
        }
        if invoice.autoAdvance { invoice.nextPaymentAttempt = retry(after: invoice.attemptCount) }
        invoices[invoice.id] = invoice
        if customer.card == .requiresAction {
            emit("invoice.payment_action_required", .invoice(invoice))
        }
        emit("invoice.payment_failed", .invoice(invoice))
        if invoice.nextPaymentAttempt != nil { schedule(invoice) }
        return .failure(error)
    }

    /// Stripe tries again by rules of its own; here after 3, 5 and 7 days, then no more.
    private func retry(after attempts: Int) -> Int? {
        let days = [3, 5, 7]
        return attempts <= days.count ? time + days[attempts - 1] * 86_400 : nil
    }

    /// Makes an invoice paid, whoever paid it.
    func settle(_ open: Invoice) -> Invoice {
        var invoice = open
        invoice.amountPaid += invoice.amountRemaining
        invoice.status = .paid
        invoice.paidAt = time
        invoice.attempted = true
        invoice.nextPaymentAttempt = nil
        invoices[invoice.id] = invoice
        for var payment in payments.all(of: invoice.id) where payment.status == .open {
            payment.status = .paid
            payment.paidAt = time
            payment.amountPaid = payment.amountRequested
            payments[payment.id] = payment
            emit("invoice_payment.paid", .payment(payment))
        }
        effects.count(.paid, customer: invoice.customer, invoice: invoice.id)
        emit("invoice.paid", .invoice(invoice))
        emit("invoice.payment_succeeded", .invoice(invoice))
        return invoice
    }

    func cancelPayments(of invoice: String) {
        for var payment in payments.all(of: invoice) where payment.status == .open {
            payment.status = .canceled
            payment.canceledAt = time
            payments[payment.id] = payment
        }
    }

    func listPayments(_ form: Form) throws(StripeError) -> Answer {
        let status = form.text("status")
        let paymentIntent = form["payment"]?.text("payment_intent")
        let page = try payments.page(
            owner: form.text("invoice"), form, kind: "invoice_payment"
        ) {
            (status == nil || $0.status.rawValue == status)
                && (paymentIntent == nil || $0.paymentIntent == paymentIntent)
        }
        return .list(
            url: "/v1/invoice_payments", page.items.map(Snapshot.payment), hasMore: page.hasMore)
    }

    func retrievePayment(_ id: String) throws(StripeError) -> Answer {
        guard let payment = payments[id] else {
            throw .missing("invoice_payment", id, parameter: "id")
        }
        return .object(.payment(payment))
    }
}

extension CardBehavior {
    /// What Stripe says when the card is charged; nothing if the charge succeeds.
    fileprivate var refusal: StripeError? {
        switch self {
        case .succeeds: nil
        case .cardDeclined:
            StripeError(
                status: 402, kind: .card, code: "card_declined", "Your card was declined.",
                declineCode: "generic_decline")
        case .insufficientFunds:
            StripeError(
                status: 402, kind: .card, code: "card_declined",
                "Your card has insufficient funds.", declineCode: "insufficient_funds")
        case .expiredCard:
            StripeError(
                status: 402, kind: .card, code: "expired_card", "Your card has expired.",
                declineCode: "expired_card")
        case .requiresAction:
            StripeError(
                status: 402, kind: .card, code: "invoice_payment_intent_requires_action",
                "This payment requires additional user action before it can be completed "
                    + "successfully. Payment can be completed using the PaymentIntent "
                    + "associated with the invoice.")
        case .missing:
            StripeError(
                "There is no `default_payment_method` set on this Customer or Invoice. Please "
                    + "provide a payment method.")
        }
    }
}
