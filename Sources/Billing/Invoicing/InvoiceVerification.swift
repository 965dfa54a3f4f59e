internal import Exact
internal import Foundation
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
    package init(
        invoice: Invoice, calculation: InvoiceCalculation, usage: [MetricUsage],
        isQuarantined: Bool = false
    ) {
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
        recomputed = calculation.invoice(
            for: customer, period: period, usage: usage, isQuarantined: isQuarantined,
            carriedMinor: invoice.carriedMinor, cutoffBatch: invoice.cutoffBatch ?? 0)
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
            if old.amountMinor != line.amountMinor || old.description != line.description {
                differences.append(
                    "\(old.description) at \(invoice.currency.format(old.amountMinor))"
                        + " is now \(line.description) at \(amount)")
            } else if !Self.isEqual(old, line) {
                differences.append("\(line.description): metric, quantity or tiers are others now")
            }
        }
        if invoice.totalMinor != recomputed.totalMinor {
            differences.append(
                "total \(invoice.currency.format(invoice.totalMinor))"
                    + " is now \(invoice.currency.format(recomputed.totalMinor))")
        }
        // A status moves on once the invoice is sent.
        if invoice.mode == nil, invoice.status != "superseded",
            invoice.status != recomputed.status.rawValue
                || invoice.holdReason != recomputed.holdReason
        {
            let (old, new) = (invoice.holdReason ?? "not held", recomputed.holdReason ?? "not held")
            differences.append(
                "\(invoice.status), \(old), is now \(recomputed.status.rawValue), \(new)")
        }
        if invoice.invoiceID != recomputed.invoiceID || !isMonthOfSlot {
            differences.append("its id, slot, customer and period do not belong together")
        }
        if differences.isEmpty && invoice.inputHash != recomputed.inputHash {
            differences.append(
                "the amounts agree, but what they follow from has changed (input_hash)")
        }
        return differences
    }

    /// What differs of a supplementary invoice, in words: with it, every line of the month must have been charged
    /// what the month comes to at its cut-off.
    ///
    /// - Parameter charged: by id of the regular invoice's lines.
    package func differences(charged: [String: Int64]) -> [String] {
        let carried = InvoiceID.line(invoiceID: recomputed.invoiceID, charge: "carried")
        let again = Dictionary(
            uniqueKeysWithValues: recomputed.lines.map { ($0.lineID, $0.amountMinor) })
        let names = Dictionary(
            uniqueKeysWithValues: recomputed.lines.map { ($0.lineID, $0.description) })
        return Set(charged.keys).union(again.keys).subtracting([carried]).sorted().compactMap {
            id in
            let (old, new) = (charged[id] ?? 0, again[id] ?? 0)
            guard old != new else { return nil }
            return "\(names[id] ?? id): \(invoice.currency.format(old)) was charged with it, "
                + "it comes to \(invoice.currency.format(new))"
        }
    }

    private var isMonthOfSlot: Bool {
        let zone = invoice.timezone
        let month = try? BillingPeriod(month: recomputed.slot, zone: zone, nextZone: zone)
        return month?.start == invoice.start
    }

    private static func isEqual(_ stored: InvoiceLine, _ line: ComputedInvoice.Line) -> Bool {
        let tiers = try? JSONDecoder().decode(
            [InvoiceLine.Tier].self, from: Data(line.tiers.utf8))
        return stored.metric == line.metric && stored.tiers == tiers
            && stored.quantity.flatMap { ExactDecimal($0) } == line.quantity
    }
}
