internal import Exact
package import Ledger

/// One request to Stripe, with the bytes that go over the wire.
package struct StripeRequest: Sendable, Equatable {
    package let step: SubmissionStep
    package let method: String
    /// With `{invoice}` where Stripe's id of the invoice goes, which the first answer brings.
    package let path: String
    package let idempotencyKey: String
    /// `application/x-www-form-urlencoded`.
    package let body: String
}

/// The requests that make a computed invoice one of Stripe's, in order.
///
/// Nothing is mailed or collected before the last of them. Source: docs.stripe.com/api/invoices.
package struct StripeRequests: Sendable {
    /// Who collects an invoice that is charged automatically.
    package enum Collection: String, Sendable, CaseIterable {
        /// Stripe, with its own retries.
        case stripe
        /// One payment, now.
        case ours
    }

    package let ledgerID: String
    package let collection: Collection
    /// Whether Stripe computes taxes.
    package let automaticTax: Bool

    package init(
        ledgerID: String, collection: Collection = .stripe, automaticTax: Bool = false
    ) {
        self.ledgerID = ledgerID
        self.collection = collection
        self.automaticTax = automaticTax
    }

    /// What stands for the customer's id at Stripe where the ledger does not know it.
    package static let unknownCustomer = "{stripe_customer_id}"
    /// What stands for Stripe's id of the invoice, which the first answer brings.
    package static let unknownInvoice = "{invoice}"

    /// The requests as they are when nothing goes wrong.
    package func requests(for invoice: Invoice) -> [StripeRequest] {
        [.create, .addLines, .finalize, lastStep(of: invoice)].map {
            request($0, for: invoice, stripeInvoiceID: Self.unknownInvoice, epoch: 0)
        }
    }

    /// What mails or collects a finalized invoice.
    func lastStep(of invoice: Invoice) -> SubmissionStep {
        if isMailed(invoice) { return .send }
        return collection == .stripe ? .collect : .pay
    }

    /// - Parameter epoch: counts the requests of this kind whose keys cannot be used again.
    func request(
        _ step: SubmissionStep, for invoice: Invoice, stripeInvoiceID: String, epoch: Int
    ) -> StripeRequest {
        let own = "/v1/invoices/\(stripeInvoiceID)"
        let (path, form): (String, StripeForm) =
            switch step {
            case .create: ("/v1/invoices", creation(of: invoice))
            case .addLines: ("\(own)/add_lines", additions(to: invoice))
            case .finalize: ("\(own)/finalize", ["auto_advance": "false"])
            case .send: ("\(own)/send", [:])
            case .collect: (own, ["auto_advance": "true"])
            case .pay: ("\(own)/pay", [:])
            case .void: ("\(own)/void", [:])
            case .creditNote: preconditionFailure("it takes more than an invoice to make one")
            }
        return request(step, path, form, for: invoice, epoch: epoch)
    }

    /// - Parameters:
    ///   - paidMinor: how much of it is of what was paid already: the customer's balance at Stripe gets it.
    ///   - epoch: counts the requests for credit notes of this invoice.
    func creditNote(
        _ note: CreditNoteDue, of invoice: Invoice, paidMinor: Int64, epoch: Int
    ) -> StripeRequest {
        var form: StripeForm = [
            "invoice": invoice.stripeInvoiceID ?? Self.unknownInvoice,
            "amount": String(note.amountMinor),
        ]
        if paidMinor > 0 { form.add("credit_amount", String(paidMinor)) }
        form.add("memo", "Usage of \(invoice.slot), corrected")
        form.add("metadata[\(StripeMetadata.invoice)]", invoice.invoiceID)
        form.add("metadata[\(StripeMetadata.ledger)]", ledgerID)
        form.add("metadata[\(StripeMetadata.proposal)]", String(note.proposalID))
        return request(.creditNote, "/v1/credit_notes", form, for: invoice, epoch: epoch)
    }

    private func request(
        _ step: SubmissionStep, _ path: String, _ form: StripeForm, for invoice: Invoice, epoch: Int
    ) -> StripeRequest {
        let key = InvoiceID.requestKey(
            invoiceID: invoice.invoiceID, customerID: invoice.customerID, slot: invoice.slot)
        return StripeRequest(
            step: step, method: "POST", path: path,
            idempotencyKey: "\(key)_\(step.rawValue)_\(epoch)", body: form.encoded)
    }

    private func isMailed(_ invoice: Invoice) -> Bool {
        invoice.collectionMethod == Customer.CollectionMethod.sendInvoice.rawValue
    }

    private func creation(of invoice: Invoice) -> StripeForm {
        var form: StripeForm = [
            "customer": invoice.stripeCustomerID ?? Self.unknownCustomer,
            "currency": invoice.currency.code,
            "auto_advance": "false",
            "collection_method": invoice.collectionMethod,
        ]
        if isMailed(invoice), let days = invoice.daysUntilDue {
            form.add("days_until_due", String(days))
        }
        if automaticTax { form.add("automatic_tax[enabled]", "true") }
        form.add("pending_invoice_items_behavior", "exclude")
        form.add(
            "description",
            "Usage from \(invoice.start) until \(invoice.end) (\(invoice.timezone))")
        form.add("metadata[\(StripeMetadata.invoice)]", invoice.invoiceID)
        form.add("metadata[\(StripeMetadata.ledger)]", ledgerID)
        form.add("metadata[\(StripeMetadata.customer)]", invoice.customerID)
        form.add("metadata[\(StripeMetadata.slot)]", invoice.slot)
        return form
    }

    private func additions(to invoice: Invoice) -> StripeForm {
        var form = StripeForm()
        for (index, line) in Self.lines(of: invoice).enumerated() {
            form.add("lines[\(index)][amount]", String(line.amountMinor))
            form.add("lines[\(index)][description]", line.description)
            form.add("lines[\(index)][period][start]", String(invoice.start.unixSeconds))
            form.add("lines[\(index)][period][end]", String(Self.lastSecond(of: invoice)))
            form.add("lines[\(index)][metadata][\(StripeMetadata.line)]", line.lineID)
        }
        return form
    }

    /// Stripe's end is the last moment of the period, ours is the first one after it.
    static func lastSecond(of invoice: Invoice) -> Int64 { invoice.end.unixSeconds - 1 }

    /// The lines that Stripe gets: of an invoice over nothing one that says so, since it takes none empty.
    static func lines(of invoice: Invoice) -> [(
        lineID: String, amountMinor: Int64, description: String
    )] {
        guard !invoice.lines.isEmpty else {
            let id = InvoiceID.line(invoiceID: invoice.invoiceID, charge: "nothing")
            return [(id, 0, "No usage")]
        }
        return invoice.lines.map { ($0.lineID, $0.amountMinor, $0.description) }
    }
}

/// Parameters as Stripe reads them: form-encoded, nested by brackets, in the order in which they were added.
package struct StripeForm: Sendable, ExpressibleByDictionaryLiteral {
    private var parameters: [(name: String, value: String)] = []

    package init() {}

    package init(dictionaryLiteral elements: (String, String)...) {
        parameters = elements.map { (name: $0.0, value: $0.1) }
    }

    package mutating func add(_ name: String, _ value: String) {
        parameters.append((name: name, value: value))
    }

    package var encoded: String {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            parameters.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count + 16 })
        for (name, value) in parameters {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "&")) }
            Self.appendPercentEncoded(name, to: &bytes)
            bytes.append(UInt8(ascii: "="))
            Self.appendPercentEncoded(value, to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Everything but RFC 3986's unreserved characters, and brackets, which Stripe's own libraries keep.
    private static func appendPercentEncoded(_ text: String, to result: inout [UInt8]) {
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."), UInt8(ascii: "~"), UInt8(ascii: "["), UInt8(ascii: "]"):
                result.append(byte)
            default:
                result.append(UInt8(ascii: "%"))
                result.append(digits[Int(byte >> 4)])
                result.append(digits[Int(byte & 15)])
            }
        }
    }

    private static let digits = Array("0123456789ABCDEF".utf8)
}
