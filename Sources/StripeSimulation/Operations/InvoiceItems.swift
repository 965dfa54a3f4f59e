extension StripeAccount {
    func createItem(_ form: Form) throws(StripeError) -> Answer {
        var invoice: Invoice?
        if let id = form.text("invoice") {
            let found = try self.invoice(id, parameter: "invoice")
            try found.checkIsDraft()
            try found.checkCount(adding: 1)
            invoice = found
        }
        guard let customerID = form.text("customer") ?? invoice?.customer else {
            throw StripeError(
                code: "parameter_missing", "Missing required param: customer.",
                parameter: "customer")
        }
        let customer = try customer(customerID, parameter: "customer")
        if let invoice, invoice.customer != customerID {
            throw StripeError(
                "The invoice \(invoice.id) belongs to another customer.", parameter: "invoice")
        }
        let currency = form.text("currency") ?? form["price_data"]?.text("currency")
        var item = try newItem(
            form, prefix: "", customer: customer,
            currency: currency?.lowercased() ?? invoice?.currency ?? customer.currency ?? "usd")
        if var invoice {
            try invoice.checkCurrency(item.currency)
            attach(item, to: &invoice)
            invoices[invoice.id] = invoice
            item.invoice = invoice.id
            emit("invoiceitem.created", .item(item))
            emit("invoice.updated", .invoice(invoice))
        } else {
            items[item.id] = item
            pendingItems[customerID, default: []].append(item.id)
            effects.count(.itemCreated, customer: customerID)
            emit("invoiceitem.created", .item(item))
        }
        return .object(.item(item))
    }

    func addLines(_ id: String, _ form: Form) throws(StripeError) -> Answer {
        var invoice = try invoice(id)
        try invoice.checkIsDraft()
        let lines = form["lines"]?.children ?? []
        guard !lines.isEmpty else {
            throw StripeError(
                code: "parameter_missing", "Missing required param: lines.", parameter: "lines")
        }
        try invoice.checkCount(adding: lines.count)
        let customer = try customer(invoice.customer, parameter: "customer")
        var items: [InvoiceItem] = []
        for (index, line) in lines.enumerated() {
            let currency = line.form["price_data"]?.text("currency")?.lowercased()
            let item = try newItem(
                line.form, prefix: "lines[\(index)]", customer: customer,
                currency: currency ?? invoice.currency)
            try invoice.checkCurrency(item.currency)
            items.append(item)
        }
        try invoice.metadata.merge(form["invoice_metadata"])
        for item in items { attach(item, to: &invoice) }
        save(invoice, "invoice.updated")
        return .object(.invoice(invoice))
    }

    func item(_ id: String) throws(StripeError) -> InvoiceItem {
        guard let item = items[id] else { throw .missing("invoiceitem", id, parameter: "id") }
        return item
    }

    func listItems(_ form: Form) throws(StripeError) -> Answer {
        let invoice = form.text("invoice")
        let isPending = form.bool("pending")
        let page = try items.page(owner: form.text("customer"), form, kind: "invoiceitem") {
            (invoice == nil || $0.invoice == invoice)
                && (isPending == nil || ($0.invoice == nil) == isPending)
        }
        return .list(
            url: "/v1/invoiceitems", page.items.map(Snapshot.item), hasMore: page.hasMore)
    }

    func deleteItem(_ id: String) throws(StripeError) -> Answer {
        let item = try item(id)
        if let invoiceID = item.invoice, var invoice = invoices[invoiceID] {
            try invoice.checkIsDraft()
            invoice.lines.removeAll { $0.item.id == id }
            effects.count(.lineRemoved, customer: item.customer, invoice: invoiceID)
            save(invoice, "invoice.updated")
        }
        items[id] = nil
        pendingItems[item.customer]?.removeAll { $0 == id }
        emit("invoiceitem.deleted", .item(item))
        return .object(.deletedItem(id: id))
    }

    func attach(_ item: InvoiceItem, to invoice: inout Invoice) {
        var item = item
        item.invoice = invoice.id
        items[item.id] = item
        invoice.lines.append(InvoiceLine(id: newID("il_"), item: item))
        effects.count(.lineAdded, customer: invoice.customer, invoice: invoice.id)
    }

    /// Stripe takes the money as an amount, or as a price and a whole quantity.
    private func newItem(
        _ form: Form, prefix: String, customer: Customer, currency: String
    ) throws(StripeError) -> InvoiceItem {
        func name(_ field: String) -> String { prefix.isEmpty ? field : "\(prefix)[\(field)]" }
        let quantity = form.integer("quantity")
        if let quantity, quantity < 0 {
            throw StripeError(
                code: "parameter_invalid_integer",
                "This value must be greater than or equal to 0.", parameter: name("quantity"))
        }
        let amount: Int
        switch (form.integer("amount"), form["price_data"]) {
        case (let given?, nil):
            guard quantity == nil else {
                throw StripeError(
                    code: "parameters_exclusive",
                    "The simulator does not serve quantity together with amount.",
                    parameter: name("quantity"))
            }
            amount = given
        case (nil, let price?):
            guard let unit = price.integer("unit_amount") else {
                throw StripeError(
                    code: "parameter_missing",
                    "Missing required param: \(name("price_data[unit_amount]")).",
                    parameter: name("price_data[unit_amount]"))
            }
            let product = unit.multipliedReportingOverflow(by: quantity ?? 1)
            amount = product.overflow ? Int.max : product.partialValue
        case (.some, .some):
            throw StripeError(
                code: "parameters_exclusive",
                "You may only specify one of these parameters: amount, price_data.",
                parameter: name("amount"))
        case (nil, nil):
            throw StripeError(
                code: "parameter_missing",
                "You must specify one of these parameters: amount, price_data, pricing.",
                parameter: name("amount"))
        }
        guard (-Currencies.maximum...Currencies.maximum).contains(amount) else {
            throw StripeError(
                code: "amount_too_large",
                "Amount must be no more than \(Currencies.maximum) in the smallest unit.",
                parameter: name("amount"))
        }
        var metadata = Metadata()
        try metadata.merge(form["metadata"])
        let period = form["period"]
        let (start, end) = (period?.integer("start") ?? time, period?.integer("end") ?? time)
        guard start <= end else {
            throw StripeError(
                "The period's end must not be before its start.", parameter: name("period"))
        }
        return InvoiceItem(
            id: newID("ii_"), created: time, livemode: livemode, customer: customer.id,
            invoice: nil, amount: amount, currency: currency, quantity: quantity ?? 1,
            description: form.text("description"), periodStart: start, periodEnd: end,
            metadata: metadata, product: form["price_data"]?.text("product"))
    }
}

extension Invoice {
    func checkIsDraft() throws(StripeError) {
        guard status == .draft else {
            throw .notEditable(
                "This invoice is no longer editable: it is \(status), and only drafts are.")
        }
    }

    fileprivate func checkCurrency(_ currency: String) throws(StripeError) {
        guard currency == self.currency else {
            throw StripeError(
                "The currency of the invoice item (\(currency)) must match the currency of the "
                    + "invoice (\(self.currency)).", parameter: "currency")
        }
    }
}
