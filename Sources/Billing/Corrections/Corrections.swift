internal import Digest
internal import Exact
package import Ledger

/// What makes up for the difference between what a month's invoices charged and what the month comes to now.
package enum Corrections {
    /// Of each invoice that was sent and comes to another amount, a supplementary invoice or a credit note. What is
    /// within the free tier, or under the minimum, costs nothing and is no correction.
    package static func of(
        _ differences: UsageDifferences, cutoffBatch: Int64
    ) -> [Correction] {
        var corrections: [Correction] = []
        var rest = differences.lines[...]
        while let first = rest.first {
            let invoice = rest.prefix { $0.invoiceID == first.invoiceID }
            rest = rest.dropFirst(invoice.count)
            guard first.isCorrectable else { continue }
            // What earlier months left over was settled when the invoice was made.
            let carried = InvoiceID.line(invoiceID: first.invoiceID, charge: "carried")
            let lines = invoice.filter { $0.lineID != carried }.map(line)
            let amount = lines.reduce(0) { $0 + $1.amountMinor }
            // What is only owed has no invoice at Stripe that could be credited.
            guard amount > 0 || amount < 0 && first.stripeInvoiceID != nil else { continue }
            corrections.append(
                Correction(
                    invoiceID: first.invoiceID, customerID: first.customerID,
                    kind: amount > 0 ? .supplementary : .creditNote, amountMinor: abs(amount),
                    cutoffBatch: cutoffBatch,
                    inputHash: inputHash(first.invoiceID, cutoffBatch, lines), lines: lines))
        }
        return corrections
    }

    /// The invoice that an approved proposal becomes.
    package static func supplementary(
        _ proposal: Proposal, to invoice: Invoice, ledgerID: String
    ) -> ProposalStore.Supplementary {
        let id = InvoiceID.invoice(
            ledgerID: ledgerID, customerID: invoice.customerID, start: invoice.start,
            end: invoice.end, kind: Proposal.Kind.supplementary.rawValue, revision: proposal.number)
        let lineIDs = proposal.lines.map {
            ($0.lineID, InvoiceID.line(invoiceID: id, charge: $0.lineID))
        }
        let isTooSmall = proposal.amountMinor < invoice.currency.minimumMinor
        return ProposalStore.Supplementary(
            invoiceID: id, status: isTooSmall ? .carried : .computed,
            lineIDs: Dictionary(uniqueKeysWithValues: lineIDs))
    }

    private static func line(_ difference: SlotComputation.LineDifference) -> Proposal.Line {
        guard let used = ExactDecimal(difference.usedQuantity),
            let billed = ExactDecimal(difference.billedQuantity)
        else { preconditionFailure("the ledger holds exact quantities") }
        let quantity = used - billed
        let description =
            switch (difference.metric, quantity) {
            case (let metric?, .zero): "\(metric): priced anew"
            case (let metric?, _) where quantity > .zero:
                "\(metric): \(quantity) more than invoiced"
            case (let metric?, _): "\(metric): \(-quantity) less than invoiced"
            case (nil, _): "\(difference.description), corrected"
            }
        return Proposal.Line(
            lineID: difference.lineID, metric: difference.metric,
            quantity: difference.metric.map { _ in "\(quantity)" },
            amountMinor: difference.usedMinor - difference.billedMinor, description: description)
    }

    /// SHA-256 over everything that the amounts follow from.
    private static func inputHash(
        _ invoiceID: String, _ cutoffBatch: Int64, _ lines: [Proposal.Line]
    ) -> String {
        let parts = lines.flatMap { [$0.lineID, $0.quantity ?? "", String($0.amountMinor)] }
        return SHA256.hex(lengthPrefixed([invoiceID, String(cutoffBatch)] + parts))
    }
}
