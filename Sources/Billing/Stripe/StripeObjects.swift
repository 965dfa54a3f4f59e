/// What is read of Stripe's objects. Source: docs.stripe.com/api, version 2026-10-28.endive.
package protocol StripeObject: Sendable, Equatable, Decodable {
    var id: String { get }
}

package struct StripeInvoice: StripeObject {
    package enum Status: String, Sendable, Decodable {
        case draft, open, paid, uncollectible, void
    }

    package let id: String
    package let status: Status
    package let livemode: Bool
    /// Nothing if the customer was deleted.
    package let customer: String?
    package let currency: String
    /// Minor units, before tax, and before discounts that are not of a single line.
    package let subtotal: Int64
    package let subtotalExcludingTax: Int64?
    /// After discounts and taxes.
    package let total: Int64
    package let totalExcludingTax: Int64?
    package let autoAdvance: Bool
    package let created: Int64
    package let metadata: [String: String]
    /// The first page of them.
    package let lines: StripeList<StripeLine>

    enum CodingKeys: String, CodingKey {
        case id, status, livemode, customer, currency, subtotal, total, created, metadata, lines
        case subtotalExcludingTax = "subtotal_excluding_tax"
        case totalExcludingTax = "total_excluding_tax"
        case autoAdvance = "auto_advance"
    }

    /// What discounts and credits take off the subtotal, whatever the taxes are; below zero: what shipping adds.
    package var reduction: Int64 {
        guard let totalExcludingTax, let subtotalExcludingTax else {
            return max(0, subtotal - total)
        }
        return subtotalExcludingTax - totalExcludingTax
    }
}

/// What is still to be paid of an invoice.
struct StripeAmountRemaining: StripeObject {
    let id: String
    /// Minor units.
    let amountRemaining: Int64

    enum CodingKeys: String, CodingKey {
        case id
        case amountRemaining = "amount_remaining"
    }
}

struct StripeCreditNote: StripeObject {
    let id: String
    let metadata: [String: String]
}

package struct StripeLine: Sendable, Equatable, Decodable {
    package struct Period: Sendable, Equatable, Decodable {
        package let start: Int64
        package let end: Int64
    }

    package let id: String
    /// Minor units.
    package let amount: Int64
    package let metadata: [String: String]
    package let period: Period
}

package struct StripeList<Element: Decodable & Sendable & Equatable>: Sendable, Equatable, Decodable
{
    package let data: [Element]
    package let hasMore: Bool

    enum CodingKeys: String, CodingKey {
        case data
        case hasMore = "has_more"
    }
}

package struct StripeAccount: Sendable, Decodable {
    package let id: String
}

package struct StripeEvent: Sendable, Equatable, Decodable {
    package struct Subject: Sendable, Equatable, Decodable {
        package struct Reference: Sendable, Equatable, Decodable {
            package let id: String
        }

        package let object: Reference
    }

    package let id: String
    package let type: String
    package let created: Int64
    package let data: Subject
}

/// The names under which our ids stand in Stripe's metadata.
package enum StripeMetadata {
    package static let invoice = "meterflow_invoice_id"
    package static let ledger = "meterflow_ledger_id"
    package static let customer = "meterflow_customer_id"
    package static let slot = "meterflow_slot"
    package static let line = "meterflow_line_id"
    package static let proposal = "meterflow_proposal"
}
