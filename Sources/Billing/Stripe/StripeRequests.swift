internal import Exact
package import Ledger

/// One request to Stripe, with the bytes that go over the wire.
package struct StripeRequest: Sendable, Equatable {
    package enum Step: String, Sendable, CaseIterable {
        case create
        case addLines = "add_lines"
        case finalize
        /// Mails the invoice (`send_invoice`).
        case send
        /// Lets Stripe collect it (`charge_automatically`).
        case collect
    }

    package let step: Step
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
    package let ledgerID: String

    package init(ledgerID: String) {
        self.ledgerID = ledgerID
    }

    /// What stands for the customer's id at Stripe where the ledger does not know it.
    package static let unknownCustomer = "{stripe_customer_id}"

    package func requests(for invoice: Invoice) -> [StripeRequest] {
        let key = InvoiceID.requestKey(
            invoiceID: invoice.invoiceID, customerID: invoice.customerID, slot: invoice.slot)
        func post(_ step: StripeRequest.Step, _ path: String, _ form: StripeForm) -> StripeRequest {
            StripeRequest(
                step: step, method: "POST", path: path,
                idempotencyKey: "\(key)_\(step.rawValue)_0", body: form.encoded)
        }
        let isMailed = invoice.collectionMethod == Customer.CollectionMethod.sendInvoice.rawValue
        return [
            post(.create, "/v1/invoices", creation(of: invoice, isMailed: isMailed)),
            post(.addLines, "/v1/invoices/{invoice}/add_lines", additions(to: invoice)),
            post(.finalize, "/v1/invoices/{invoice}/finalize", ["auto_advance": "false"]),
            isMailed
                ? post(.send, "/v1/invoices/{invoice}/send", [:])
                : post(.collect, "/v1/invoices/{invoice}", ["auto_advance": "true"]),
        ]
    }

    private func creation(of invoice: Invoice, isMailed: Bool) -> StripeForm {
        var form: StripeForm = [
            "customer": invoice.stripeCustomerID ?? Self.unknownCustomer,
            "currency": invoice.currency.code,
            "auto_advance": "false",
            "collection_method": invoice.collectionMethod,
        ]
        if isMailed, let days = invoice.daysUntilDue { form.add("days_until_due", String(days)) }
        form.add("pending_invoice_items_behavior", "exclude")
        form.add(
            "description",
            "Usage from \(invoice.start) until \(invoice.end) (\(invoice.timezone))")
        form.add("metadata[meterflow_invoice_id]", invoice.invoiceID)
        form.add("metadata[meterflow_ledger_id]", ledgerID)
        form.add("metadata[meterflow_customer_id]", invoice.customerID)
        form.add("metadata[meterflow_slot]", invoice.slot)
        return form
    }

    private func additions(to invoice: Invoice) -> StripeForm {
        var form = StripeForm()
        for (index, line) in invoice.lines.enumerated() {
            form.add("lines[\(index)][amount]", String(line.amountMinor))
            form.add("lines[\(index)][description]", line.description)
            form.add("lines[\(index)][period][start]", String(invoice.start.unixSeconds))
            // Stripe's end is the last moment of the period, ours is the first one after it.
            form.add("lines[\(index)][period][end]", String(invoice.end.unixSeconds - 1))
            form.add("lines[\(index)][metadata][meterflow_line_id]", line.lineID)
        }
        return form
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
