package import Exact

/// Something of an invoice on which the ledger and another party disagree.
package struct Drift: Sendable, Equatable {
    /// With whom the ledger was compared.
    package enum Side: String, Sendable {
        /// The usage of now, at the prices and terms of now.
        case usage
        case stripe
    }

    package enum Cause: String, Sendable, CaseIterable {
        /// Usage that came after the month was billed, or that nobody was billed for.
        case late
        /// A line, or the whole invoice, is there twice.
        case duplicate
        /// At most one minor unit a line.
        case rounding
        /// The same quantity, for another amount.
        case price
        /// Somebody changed it at Stripe, or a discount or credit there makes it less.
        case edited
        /// Something of ours is not there.
        case missing
        /// Stripe has an invoice under this ledger's name that the ledger does not know to be there.
        case extra
        case status
        /// A draft that a request left behind.
        case strayDraft = "stray_draft"
    }

    package let slot: String
    package let side: Side
    package let cause: Cause
    package let invoiceID: String?
    package let customerID: String?
    package let stripeInvoiceID: String?
    /// `nil`: Stripe has it in one that this program does not know, or nobody has priced it.
    package let currency: Currency?
    /// What the ledger says, and what the other one does, of what drifted; minor units.
    package let ledgerMinor: Int64
    package let otherMinor: Int64
    /// In words.
    package let detail: String
    /// Whether it needs nobody any more.
    package internal(set) var isHealed = false

    package var differenceMinor: Int64 { otherMinor - ledgerMinor }

    /// The difference over what the ledger says, in percent with two decimals; `nil` if that is nothing.
    package var differencePercent: String? {
        guard ledgerMinor != 0 else { return nil }
        let (product, overflows) = differenceMinor.multipliedReportingOverflow(by: 10_000)
        guard !overflows else { return nil }
        let hundredths = product / abs(ledgerMinor)
        let sign = hundredths < 0 ? "-" : ""
        let (whole, rest) = abs(hundredths).quotientAndRemainder(dividingBy: 100)
        return "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest)"
    }
}
