internal import Exact
package import Ledger
package import Usage

/// Whether an invoice is what the events say: computed again, from the catalog and the terms that it was
/// computed with, and compared to the last character.
package struct InvoiceVerification: Sendable {
    package let invoice: Invoice
    package let recomputed: ComputedInvoice

    /// - Parameters:
    ///   - calculation: with the catalog version of the invoice.
    ///   - usage: of the invoice's customer in its period.
    package init(invoice: Invoice, calculation: InvoiceCalculation, usage: [MetricUsage]) {
        self.invoice = invoice
        let method = Customer.CollectionMethod(rawValue: invoice.collectionMethod)
        guard let method else { preconditionFailure("the schema knows the same methods") }
        let customer = Customer(
            customerID: invoice.customerID, stripeCustomerID: invoice.stripeCustomerID,
            plan: invoice.plan, currency: invoice.currency, timezone: invoice.timezone,
            collectionMethod: method, daysUntilDue: invoice.daysUntilDue, email: nil,
            activeFrom: nil, activeUntil: nil)
        let period = BillingPeriod(
            month: calculation.slot, zone: invoice.timezone, start: invoice.start, end: invoice.end)
        recomputed = calculation.invoice(for: customer, period: period, usage: usage)
    }

    /// What differs, in words; empty: the invoice is right.
    package var differences: [String] {
        var differences: [String] = []
        let stored = Dictionary(uniqueKeysWithValues: invoice.lines.map { ($0.lineID, $0) })
        let again = Dictionary(uniqueKeysWithValues: recomputed.lines.map { ($0.lineID, $0) })
        for line in invoice.lines where again[line.lineID] == nil {
            differences.append("\(line.description): not there any more")
        }
        for line in recomputed.lines {
            let amount = invoice.currency.format(line.amountMinor)
            guard let old = stored[line.lineID] else {
                differences.append("\(line.description): missing, \(amount)")
                continue
            }
            guard old.amountMinor != line.amountMinor || old.description != line.description else {
                continue
            }
            differences.append(
                "\(old.description) at \(invoice.currency.format(old.amountMinor))"
                    + " is now \(line.description) at \(amount)")
        }
        if invoice.totalMinor != recomputed.totalMinor {
            differences.append(
                "total \(invoice.currency.format(invoice.totalMinor))"
                    + " is now \(invoice.currency.format(recomputed.totalMinor))")
        }
        if differences.isEmpty && invoice.inputHash != recomputed.inputHash {
            differences.append(
                "the amounts agree, but what they follow from has changed (input_hash)")
        }
        return differences
    }
}
