internal import Exact
package import Ledger

/// The invoices of a month that were given to Stripe, beside what its usage comes to now.
package enum UsageReconciliation {
    /// - Parameter differences: of whole invoices, one after the other.
    package static func drifts(
        _ differences: [SlotComputation.LineDifference], slot: String
    ) -> [Drift] {
        var drifts: [Drift] = []
        var rest = differences[...]
        while let first = rest.first {
            let invoice = rest.prefix { $0.invoiceID == first.invoiceID }
            rest = rest.dropFirst(invoice.count)
            // What earlier months left over was settled when the invoice was made.
            let carried = InvoiceID.line(invoiceID: first.invoiceID, charge: "carried")
            drifts += self.drifts(ofOne: invoice.filter { $0.lineID != carried }, slot: slot)
        }
        return drifts
    }

    private static func drifts(
        ofOne lines: [SlotComputation.LineDifference], slot: String
    ) -> [Drift] {
        var byCause: [Drift.Cause: [SlotComputation.LineDifference]] = [:]
        for line in lines where line.metric != nil {
            byCause[cause(line), default: []].append(line)
        }
        // A fee or minimum that changes with the usage drifts for the usage's reason.
        let others = lines.filter { $0.metric == nil }
        if !others.isEmpty {
            let cause = [.late, .missing, .price, .rounding].first { byCause[$0] != nil } ?? .price
            byCause[cause, default: []] += others
        }
        return Drift.Cause.allCases.compactMap { cause in
            byCause[cause].flatMap { drift($0, cause, slot) }
        }
    }

    private static func cause(_ line: SlotComputation.LineDifference) -> Drift.Cause {
        switch line.quantitySign {
        case 1...: .late
        case ..<0: .missing
        default: abs(line.usedMinor - line.billedMinor) <= 1 ? .rounding : .price
        }
    }

    /// - Returns: `nil` for late usage that costs nothing.
    private static func drift(
        _ lines: [SlotComputation.LineDifference], _ cause: Drift.Cause, _ slot: String
    ) -> Drift? {
        guard let first = lines.first else { return nil }
        let billed = lines.reduce(0) { $0 + $1.billedMinor }
        let used = lines.reduce(0) { $0 + $1.usedMinor }
        if cause == .late && billed == used { return nil }
        let words = lines.map { line in
            line.metric.map { "\($0): \(line.billedQuantity) billed, \(line.usedQuantity) used" }
                ?? line.description
        }
        return Drift(
            slot: slot, side: .usage, cause: cause, invoiceID: first.invoiceID,
            customerID: first.customerID, stripeInvoiceID: first.stripeInvoiceID,
            currency: first.currency, ledgerMinor: billed, otherMinor: used,
            detail: words.joined(separator: "; "))
    }
}
