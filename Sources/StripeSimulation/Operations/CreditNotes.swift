extension StripeAccount {
    /// A credit note lowers what is due first; what it comes to beyond that was paid, and the request must say that the
    /// customer's balance gets it.
    func createCreditNote(_ form: Form) throws(StripeError) -> Answer {
        var invoice = try invoice(form.text("invoice") ?? "", parameter: "invoice")
        guard invoice.status == .open || invoice.status == .paid else {
            throw StripeError(
                "You can only create credit notes for open or paid invoices; this one is "
                    + "\(invoice.status).", parameter: "invoice")
        }
        guard let amount = form.integer("amount") else {
            throw StripeError(
                code: "parameter_missing",
                "The simulator serves credit notes with an amount only.", parameter: "amount")
        }
        let limit = invoice.total - invoice.prePaymentCredit - invoice.postPaymentCredit
        guard amount >= 1, amount <= limit else {
            throw StripeError(
                "The sum of credit notes for this invoice must be between 1 and \(limit) more.",
                parameter: "amount")
        }
        let paid = max(0, amount - invoice.amountRemaining)
        guard (form.integer("credit_amount") ?? 0) == paid else {
            throw StripeError(
                "The sum of credit amount, refund amount and out of band amount must equal the post payment "
                    + "amount (\(paid)).", parameter: "credit_amount")
        }
        var metadata = Metadata()
        try metadata.merge(form["metadata"])
        let note = CreditNote(
            id: newID("cn_"), created: time, livemode: livemode, customer: invoice.customer,
            invoice: invoice.id, currency: invoice.currency, number: newCreditNoteNumber(),
            amount: amount, postPaymentAmount: paid, memo: form.text("memo"),
            reason: form.text("reason"), metadata: metadata)
        creditNotes[note.id] = note
        effects.count(.creditNoteCreated, customer: invoice.customer, invoice: invoice.id)
        emit("credit_note.created", .creditNote(note))
        invoice.postPaymentCredit += paid
        customers[invoice.customer]?.balance -= paid
        invoice.prePaymentCredit += amount - paid
        save(invoice, "invoice.updated")
        if invoice.status == .open, invoice.amountRemaining == 0 { _ = settle(invoice) }
        return .object(.creditNote(note))
    }

    func voidCreditNote(_ id: String) throws(StripeError) -> Answer {
        var note = try creditNote(id)
        guard note.voidedAt == nil else {
            throw StripeError("This credit note has already been voided.")
        }
        guard var invoice = invoices[note.invoice], invoice.status == .open else {
            throw StripeError("You can only void credit notes of open invoices.")
        }
        note.voidedAt = time
        creditNotes[id] = note
        effects.count(.creditNoteVoided, customer: note.customer, invoice: note.invoice)
        emit("credit_note.voided", .creditNote(note))
        invoice.prePaymentCredit -= note.amount
        save(invoice, "invoice.updated")
        return .object(.creditNote(note))
    }

    func creditNote(_ id: String) throws(StripeError) -> CreditNote {
        guard let note = creditNotes[id] else {
            throw .missing("credit note", id, parameter: "id")
        }
        return note
    }

    func listCreditNotes(_ form: Form) throws(StripeError) -> Answer {
        let customer = form.text("customer")
        let page = try creditNotes.page(owner: form.text("invoice"), form, kind: "credit note") {
            customer == nil || $0.customer == customer
        }
        return .list(
            url: "/v1/credit_notes", page.items.map(Snapshot.creditNote), hasMore: page.hasMore)
    }
}
