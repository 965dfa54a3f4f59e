internal import Exact
internal import Ledger

/// One invoice as the ledger has it, beside the same as Stripe has it.
struct InvoiceComparison {
    let invoice: Invoice
    let found: StripeInvoice
    let lines: [StripeLine]

    var drifts: [Drift] {
        (lineDrifts + [statusDrift]).compactMap { $0 }
    }

    // MARK: Lines

    /// What drifted for one cause.
    private struct Sum {
        var ledger: Int64 = 0
        var stripe: Int64 = 0
        var words: [String] = []

        mutating func add(_ ledger: Int64, _ stripe: Int64, _ words: String) {
            self.ledger += ledger
            self.stripe += stripe
            self.words.append(words)
        }
    }

    private var lineDrifts: [Drift?] {
        var sums: [Drift.Cause: Sum] = [:]
        let sent = StripeRequests.lines(of: invoice)
        let ours = Dictionary(uniqueKeysWithValues: sent.map { ($0.lineID, $0) })
        var seen: Set<String> = []
        for line in lines {
            guard let id = line.metadata[StripeMetadata.line], let mine = ours[id] else {
                sums[.edited, default: Sum()].add(
                    0, line.amount, "line \(line.id) was added by hand")
                continue
            }
            guard seen.insert(id).inserted else {
                sums[.duplicate, default: Sum()].add(
                    0, line.amount, "\(mine.description) is there again as \(line.id)")
                continue
            }
            guard line.amount != mine.amountMinor else { continue }
            let cause: Drift.Cause = abs(line.amount - mine.amountMinor) == 1 ? .rounding : .edited
            sums[cause, default: Sum()].add(mine.amountMinor, line.amount, mine.description)
        }
        for line in sent where !seen.contains(line.lineID) {
            sums[.missing, default: Sum()].add(line.amountMinor, 0, line.description)
        }
        if found.currency != invoice.currency.code {
            sums[.edited, default: Sum()].add(0, 0, "it is in \(found.currency)")
        }
        // Lines stay as they were sent, whatever a coupon of the customer takes off them.
        let sum = lines.reduce(0) { $0 + $1.amount }
        let charged = found.subtotal - found.reduction
        if charged != sum {
            sums[.edited, default: Sum()].add(
                sum, charged,
                "a discount or credit: its lines come to \(invoice.currency.format(sum)), it charges "
                    + "\(invoice.currency.format(charged)) before tax")
        }
        return Drift.Cause.allCases.map { cause in
            sums[cause].map {
                drift(cause, $0.ledger, $0.stripe, $0.words.joined(separator: "; "))
            }
        }
    }

    // MARK: Status

    var statusDrift: Drift? {
        let expected: [InvoiceStatus] =
            switch found.status {
            case .draft: [.submitting]
            case .open: [.open, .paymentFailed]
            case .paid: [.paid]
            case .void: [.void]
            case .uncollectible: [.uncollectible]
            }
        guard !expected.map(\.rawValue).contains(invoice.status) else { return nil }
        return drift(
            .status, invoice.totalMinor, invoice.totalMinor,
            "\(invoice.status) in the ledger, \(found.status.rawValue) at Stripe")
    }

    private func drift(
        _ cause: Drift.Cause, _ ledger: Int64, _ stripe: Int64, _ detail: String
    ) -> Drift {
        Drift(
            slot: invoice.slot, side: .stripe, cause: cause, invoiceID: invoice.invoiceID,
            customerID: invoice.customerID, stripeInvoiceID: found.id,
            currency: invoice.currency, ledgerMinor: ledger, otherMinor: stripe, detail: detail)
    }
}
