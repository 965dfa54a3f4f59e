extension StripeAccount {
    func createInvoice(_ form: Form) throws(StripeError) -> Answer {
        guard let customerID = form.text("customer") else {
            throw StripeError(
                code: "parameter_missing", "Missing required param: customer.",
                parameter: "customer")
        }
        let customer = try customer(customerID, parameter: "customer")
        let pending = (pendingItems[customerID] ?? []).compactMap { items[$0] }
        let currency =
            form.text("currency")?.lowercased() ?? pending.first?.currency ?? customer.currency
            ?? "usd"
        if let other = pending.first(where: { $0.currency != currency })?.currency {
            throw .currencies(of: customer, other)
        }
        var invoice = Invoice(
            id: newID("in_"), created: time, livemode: livemode, customer: customerID,
            currency: currency, collectionMethod: .chargeAutomatically)
        try invoice.take(form, now: time)
        if invoice.collectionMethod == .sendInvoice, invoice.dueDate == nil,
            invoice.daysUntilDue == nil
        {
            throw StripeError(
                "If invoice collection method is 'send_invoice', you must specify "
                    + "'days_until_due' or 'due_date'.", parameter: "days_until_due")
        }
        try invoice.checkEmail(of: customer)
        invoice.show(customer)
        if form.text("pending_invoice_items_behavior") == "include" {
            try invoice.checkCount(adding: pending.count)
            for item in pending { attach(item, to: &invoice) }
            pendingItems[customerID] = nil
        }
        invoices[invoice.id] = invoice
        if customer.currency == nil { customers[customerID]?.currency = currency }
        effects.count(.invoiceCreated, customer: customerID, invoice: invoice.id)
        emit("invoice.created", .invoice(invoice))
        schedule(invoice)
        return .object(.invoice(invoice))
    }

    func updateInvoice(_ id: String, _ form: Form) throws(StripeError) -> Answer {
        var invoice = try invoice(id)
        let frozen = form.children.map(\.name).filter {
            !["auto_advance", "metadata", "due_date", "days_until_due"].contains($0)
        }
        switch invoice.status {
        case .draft: break
        case .open, .uncollectible:
            if let name = frozen.first {
                throw .notEditable(
                    "Finalized invoices can't be updated in this way: \(name) is frozen.")
            }
        case .paid, .void:
            if let name = form.children.map(\.name).first(where: { $0 != "metadata" }) {
                throw .notEditable(
                    "You can't update the \(name) of an invoice that is \(invoice.status).")
            }
        }
        try invoice.take(form, now: time)
        if invoice.status == .draft, let customer = customers[invoice.customer] {
            try invoice.checkEmail(of: customer)
            invoice.show(customer)
        }
        save(invoice, "invoice.updated")
        schedule(invoice)
        return .object(.invoice(invoice))
    }

    /// Only drafts can be deleted; nothing of them remains.
    func deleteInvoice(_ id: String) throws(StripeError) -> Answer {
        let invoice = try invoice(id)
        guard invoice.status == .draft else {
            throw .notEditable("You can only delete draft invoices.")
        }
        for line in invoice.lines { items[line.item.id] = nil }
        invoices[id] = nil
        effects.count(.invoiceDeleted, customer: invoice.customer, invoice: id)
        emit("invoice.deleted", .invoice(invoice))
        return .object(.deletedInvoice(id: id))
    }

    func listInvoices(_ form: Form) throws(StripeError) -> Answer {
        let status = form.text("status")
        let method = form.text("collection_method")
        let due = form["due_date"].map(TimeRange.init)
        let page = try invoices.page(owner: form.text("customer"), form, kind: "invoice") {
            (status == nil || $0.status.rawValue == status)
                && (method == nil || $0.collectionMethod.rawValue == method)
                && (due?.contains($0.dueDate ?? 0) ?? true)
        }
        return .list(
            url: "/v1/invoices", page.items.map(Snapshot.invoice), hasMore: page.hasMore)
    }

    func listLines(_ id: String, _ form: Form) throws(StripeError) -> Answer {
        let invoice = try invoice(id)
        let limit = try form.limit()
        func position(_ name: String) throws(StripeError) -> Int? {
            guard let cursor = form.text(name) else { return nil }
            guard let index = invoice.lines.firstIndex(where: { $0.id == cursor }) else {
                throw .missing("line item", cursor, parameter: name)
            }
            return index
        }
        var range = 0..<invoice.lines.count
        if let index = try position("starting_after") { range = (index + 1)..<range.upperBound }
        var lines = invoice.lines[range]
        if let index = try position("ending_before") {
            lines = invoice.lines[..<index].suffix(limit)
            range = 0..<index
        }
        return .lines(
            url: "/v1/invoices/\(id)/lines", invoice: id, Array(lines.prefix(limit)),
            hasMore: range.count > limit)
    }
}

extension Invoice {
    mutating func show(_ customer: Customer) {
        customerEmail = customer.email
        customerName = customer.name
        customerAddress = customer.address
        taxPercent = automaticTax ? customer.taxPercent : 0
    }

    /// Takes over parameters that create and update have in common.
    fileprivate mutating func take(_ form: Form, now: Int) throws(StripeError) {
        if let method = form.text("collection_method").flatMap(CollectionMethod.init) {
            collectionMethod = method
        }
        for name in ["days_until_due", "due_date"] where form[name] != nil {
            guard collectionMethod == .sendInvoice else {
                throw StripeError(
                    "You can only specify '\(name)' if invoice collection method is "
                        + "'send_invoice'.", parameter: name)
            }
        }
        if form["days_until_due"] != nil, form["due_date"] != nil {
            throw StripeError(
                code: "parameters_exclusive",
                "You may only specify one of these parameters: days_until_due, due_date.",
                parameter: "days_until_due")
        }
        if let days = form.integer("days_until_due") {
            guard (0...1_825).contains(days) else {
                throw StripeError(
                    code: "parameter_invalid_integer", "Invalid integer: \(days)",
                    parameter: "days_until_due")
            }
            daysUntilDue = days
            dueDate = (finalizedAt ?? created) + days * 86_400
        }
        if let time = form.integer("due_date") {
            guard time > now else {
                throw StripeError("Invalid due_date: must be in the future", parameter: "due_date")
            }
            dueDate = time
        }
        if let time = form.integer("automatically_finalizes_at") {
            guard form.bool("auto_advance") ?? autoAdvance else {
                throw StripeError(
                    "automatically_finalizes_at requires auto_advance to be true.",
                    parameter: "automatically_finalizes_at")
            }
            guard time > now, time <= now + 5 * 366 * 86_400 else {
                throw StripeError(
                    "automatically_finalizes_at must be in the next five years.",
                    parameter: "automatically_finalizes_at")
            }
            automaticallyFinalizesAt = time
        }
        autoAdvance = form.bool("auto_advance") ?? autoAdvance
        automaticTax = form["automatic_tax"]?.bool("enabled") ?? automaticTax
        description = form.text("description") ?? description
        footer = form.text("footer") ?? footer
        if let text = form.text("number") { number = text.isEmpty ? nil : text }
        if let text = form.text("effective_at") { effectiveAt = Int(text) }
        try metadata.merge(form["metadata"])
    }

    func checkEmail(of customer: Customer) throws(StripeError) {
        guard collectionMethod == .chargeAutomatically || customer.email?.isEmpty == false else {
            throw StripeError(
                "Missing email. In order to create invoices that are sent to the customer, the "
                    + "customer must have a valid email.")
        }
    }

    /// At most 250 items an invoice (changelog of 2016-02-22).
    func checkCount(adding count: Int) throws(StripeError) {
        guard lines.count + count <= 250 else {
            throw StripeError(
                "Invoices can have at most 250 invoice items; this one has \(lines.count) and "
                    + "would get \(count) more.")
        }
    }
}

extension StripeError {
    static func currencies(of customer: Customer, _ currency: String) -> StripeError {
        StripeError(
            "You cannot combine currencies on a single customer. This customer has an active "
                + "subscription, subscription schedule, discount, quote, or invoice item with "
                + "currency \(currency)", parameter: "currency")
    }
}
