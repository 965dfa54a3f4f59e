internal import Exact
package import Ledger

/// What a month would charge otherwise with the usage and the terms of now.
package struct UsageDifferences: Sendable {
    /// Of whole invoices, one after the other.
    package var lines: [SlotComputation.LineDifference] = []
    /// Customers with usage who are not billed, because they are inactive.
    package var inactive: Set<String> = []
    /// Those without terms, and what they used, in words.
    package var unmapped: [(customerID: String, usage: String)] = []
}

/// What a month charged, beside what its usage comes to now.
package enum UsageReconciliation {
    package static func drifts(_ differences: UsageDifferences, slot: String) -> [Drift] {
        var drifts: [Drift] = []
        var rest = differences.lines[...]
        while let first = rest.first {
            let invoice = rest.prefix { $0.invoiceID == first.invoiceID }
            rest = rest.dropFirst(invoice.count)
            // What earlier months left over was settled when the invoice was made.
            let carried = InvoiceID.line(invoiceID: first.invoiceID, charge: "carried")
            drifts += self.drifts(
                ofOne: invoice.filter { $0.lineID != carried }, slot: slot,
                because: reason(first, differences, slot))
        }
        return drifts + differences.unmapped.map { unmapped($0.customerID, $0.usage, slot) }
    }

    /// Why it was not charged, and what charges it; `nil`: nothing does by itself, and nothing proposes to.
    private static func reason(
        _ line: SlotComputation.LineDifference, _ differences: UsageDifferences, _ slot: String
    ) -> String? {
        if differences.inactive.contains(line.customerID) { return "the customer is inactive" }
        if !line.isSent { return "jobs run bill --slot \(slot) charges it" }
        return line.isCorrectable ? "jobs invoices propose --slot \(slot) corrects it" : nil
    }

    private static func drifts(
        ofOne lines: [SlotComputation.LineDifference], slot: String, because reason: String?
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
            byCause[cause].flatMap { drift($0, cause, slot, because: reason) }
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
        _ lines: [SlotComputation.LineDifference], _ cause: Drift.Cause, _ slot: String,
        because reason: String?
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
            detail: (words + [reason].compactMap(\.self)).joined(separator: "; "))
    }

    /// Nobody knows what it costs.
    private static func unmapped(_ customerID: String, _ usage: String, _ slot: String) -> Drift {
        Drift(
            slot: slot, side: .usage, cause: .late, invoiceID: nil, customerID: customerID,
            stripeInvoiceID: nil, currency: nil, ledgerMinor: 0, otherMinor: 0,
            detail: "\(usage); the customer has no terms: jobs import customers")
    }
}
