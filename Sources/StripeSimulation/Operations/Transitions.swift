/// From a draft to its end. Source: docs.stripe.com/invoicing/integration/workflow-transitions.
extension StripeAccount {
    func finalizeInvoice(_ id: String, _ form: Form) throws(StripeError) -> Answer {
        var invoice = try invoice(id)
        guard invoice.status == .draft else {
            throw .notEditable(
                "This invoice is already finalized, you can't re-finalize a non-draft invoice.")
        }
        invoice.autoAdvance = form.bool("auto_advance") ?? invoice.autoAdvance
        return .object(.invoice(try finalize(invoice)))
    }

    /// Makes a draft an invoice: open, or paid if there is nothing to collect.
    func finalize(_ draft: Invoice) throws(StripeError) -> Invoice {
        var invoice = draft
        guard !invoice.lines.isEmpty else {
            throw StripeError(
                code: "invoice_no_customer_line_items",
                "There are no invoice line items for this invoice.")
        }
        let customer = try customer(invoice.customer, parameter: "customer")
        invoice.show(customer)
        if let error = invoice.obstacle {
            invoice.finalizationError = error
            invoice.autoAdvance = false
            effects.count(.finalizationFailed, customer: customer.id, invoice: invoice.id)
            save(invoice, "invoice.finalization_failed")
            throw error
        }
        invoice.finalizationError = nil
        invoice.status = .open
        invoice.finalizedAt = time
        invoice.number = invoice.number ?? newInvoiceNumber()
        if let days = invoice.daysUntilDue { invoice.dueDate = time + days * 86_400 }
        settleBalance(&invoice, customer)
        effects.count(.finalized, customer: customer.id, invoice: invoice.id)
        save(invoice, "invoice.finalized")
        if invoice.amountDue == 0 {
            return settle(invoice)
        }
        let payment = InvoicePayment(
            id: newID("inpay_"), created: time, livemode: livemode, invoice: invoice.id,
            currency: invoice.currency, amountRequested: invoice.amountDue,
            paymentIntent: newID("pi_"))
        payments[payment.id] = payment
        schedule(invoice)
        return invoice
    }

    /// Applies the customer's balance, and moves to it what is too small to be charged.
    private func settleBalance(_ invoice: inout Invoice, _ customer: Customer) {
        invoice.startingBalance = customer.balance
        let due = invoice.total + customer.balance
        let isCharged = due >= max(1, Currencies.minimum(invoice.currency))
        invoice.endingBalance = isCharged ? 0 : due
        customers[customer.id]?.balance = invoice.endingBalance ?? 0
    }

    func sendInvoice(_ id: String) throws(StripeError) -> Answer {
        var invoice = try invoice(id)
        guard invoice.collectionMethod == .sendInvoice else {
            throw StripeError(
                "You can only manually send an invoice if its collection method is "
                    + "'send_invoice'.")
        }
        let customer = try customer(invoice.customer, parameter: "customer")
        try invoice.checkEmail(of: customer)
        if invoice.status == .draft { invoice = try finalize(invoice) }
        guard invoice.status == .open else {
            throw StripeError("You can only send an open invoice; this one is \(invoice.status).")
        }
        effects.count(.sent, customer: customer.id, invoice: id)
        emit("invoice.sent", .invoice(invoice))
        return .object(.invoice(invoice))
    }

    func voidInvoice(_ id: String) throws(StripeError) -> Answer {
        var invoice = try invoice(id)
        guard invoice.status == .open || invoice.status == .uncollectible else {
            throw StripeError(
                "You can only pass in open or uncollectible invoices. This invoice isn't: it is "
                    + "\(invoice.status).")
        }
        if let ending = invoice.endingBalance {
            customers[invoice.customer]?.balance += invoice.startingBalance - ending
        }
        invoice.status = .void
        invoice.voidedAt = time
        invoice.autoAdvance = false
        invoice.nextPaymentAttempt = nil
        cancelPayments(of: id)
        effects.count(.voided, customer: invoice.customer, invoice: id)
        save(invoice, "invoice.voided")
        return .object(.invoice(invoice))
    }

    func markUncollectible(_ id: String) throws(StripeError) -> Answer {
        var invoice = try invoice(id)
        guard invoice.status == .open else {
            throw StripeError(
                "You can only mark open invoices as uncollectible; this one is "
                    + "\(invoice.status).")
        }
        invoice.status = .uncollectible
        invoice.markedUncollectibleAt = time
        invoice.autoAdvance = false
        invoice.nextPaymentAttempt = nil
        effects.count(.markedUncollectible, customer: invoice.customer, invoice: id)
        save(invoice, "invoice.marked_uncollectible")
        return .object(.invoice(invoice))
    }

    /// Puts down what the clock will do to an invoice as it is now.
    func schedule(_ invoice: Invoice) {
        switch invoice.status {
        case .draft:
            guard invoice.autoAdvance else { return }
            let due = invoice.automaticallyFinalizesAt ?? (invoice.created + 3_600)
            agenda.add(.finalize(invoice: invoice.id), at: max(now, due * 1_000))
        case .open:
            if let due = invoice.dueDate {
                agenda.add(.becomeOverdue(invoice: invoice.id), at: max(now, due * 1_000))
            }
            if invoice.autoAdvance, invoice.collectionMethod == .chargeAutomatically {
                let due = (invoice.nextPaymentAttempt ?? time) * 1_000
                agenda.add(.charge(invoice: invoice.id), at: max(now, due))
            }
        case .paid, .uncollectible, .void: return
        }
    }
}

extension Invoice {
    /// Why Stripe would not finalize it.
    fileprivate var obstacle: StripeError? {
        if automaticTax, customerAddress?.values["country"] == nil {
            return StripeError(
                code: "customer_tax_location_invalid",
                "The customer's location isn't recognized. Set a valid customer address in order "
                    + "to automatically calculate tax.")
        }
        if total > Currencies.maximum {
            return StripeError(
                code: "amount_too_large",
                "Amount must be no more than \(Currencies.maximum) in the smallest unit.")
        }
        return nil
    }
}
