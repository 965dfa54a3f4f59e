package import Exact
internal import Foundation
internal import Postgres

/// An invoice as the ledger holds it.
package struct Invoice: Sendable {
    package let invoiceID: String
    package let customerID: String
    package let slot: String
    package let timezone: String
    package let start: Instant
    package let end: Instant
    package let kind: String
    package let revision: Int
    /// `test` or `live` once its submission has started.
    package let mode: String?
    package let status: String
    package let holdReason: String?
    package let currency: Currency
    package let totalMinor: Int64
    package let plan: String
    package let stripeCustomerID: String?
    package let collectionMethod: String
    package let daysUntilDue: Int?
    package let stripeInvoiceID: String?
    package let catalogVersion: String
    package let cutoffBatch: Int64?
    package let inputHash: String
    package let tzdataVersion: String
    /// What earlier periods left over, and this invoice charges: one of its lines.
    package let carriedMinor: Int64
    package let recoveryPoint: String?
    package let lines: [InvoiceLine]

    init(_ row: PostgresRow) throws {
        let currency: String = try row.decode("currency")
        guard let currency = Currency(currency) else {
            throw LedgerError(
                code: .conflict, description: "the ledger holds an unknown currency '\(currency)'")
        }
        invoiceID = try row.decode("invoice_id")
        customerID = try row.decode("customer_id")
        slot = try row.decode("slot")
        timezone = try row.decode("timezone")
        start = Instant(milliseconds: try row.decode("start_ms"))
        end = Instant(milliseconds: try row.decode("end_ms"))
        kind = try row.decode("kind")
        revision = try row.decode("revision")
        mode = try row.decode("mode")
        status = try row.decode("status")
        holdReason = try row.decode("hold_reason")
        self.currency = currency
        totalMinor = try row.decode("total_minor")
        plan = try row.decode("plan")
        stripeCustomerID = try row.decode("stripe_customer_id")
        collectionMethod = try row.decode("collection_method")
        daysUntilDue = try row.decode("days_until_due")
        stripeInvoiceID = try row.decode("stripe_invoice_id")
        catalogVersion = try row.decode("catalog_version")
        cutoffBatch = try row.decode("cutoff_batch")
        inputHash = try row.decode("input_hash")
        tzdataVersion = try row.decode("tzdata_version")
        carriedMinor = try row.decode("carried_minor")
        recoveryPoint = try row.decode("recovery_point")
        let lines: [UInt8] = Array(try row.decode("lines", as: String.self).utf8)
        self.lines = try JSONDecoder().decode([InvoiceLine].self, from: Data(lines))
    }
}

/// A line as the ledger holds it. Decimals are strings: nothing of them passes through a double.
package struct InvoiceLine: Sendable, Equatable, Codable {
    /// What one tier contributed.
    package struct Tier: Sendable, Equatable, Codable {
        /// `nil`: without end.
        package let upTo: String?
        package let quantity: String
        package let unitAmount: String
        package let flatAmount: String

        enum CodingKeys: String, CodingKey {
            case upTo = "up_to"
            case quantity
            case unitAmount = "unit_amount"
            case flatAmount = "flat_amount"
        }
    }

    package let lineID: String
    /// `nil` for a base fee and for what fills up to a minimum.
    package let metric: String?
    package let quantity: String?
    package let amountMinor: Int64
    package let description: String
    package let tiers: [Tier]

    enum CodingKeys: String, CodingKey {
        case lineID = "line_id"
        case metric
        case quantity
        case amountMinor = "amount_minor"
        case description
        case tiers
    }
}

/// An entry of the journal.
package struct InvoiceEvent: Sendable {
    package let recordedAt: Instant
    package let event: String
    package let status: String
    package let holdReason: String?
    package let currency: String
    package let totalMinor: Int64
    package let catalogVersion: String
    package let inputHash: String
    package let detail: String?
    /// Who did it; `nil`: the billing of the month.
    package let actor: String?

    init(_ row: PostgresRow) throws {
        recordedAt = Instant(milliseconds: try row.decode("recorded_ms"))
        event = try row.decode("event")
        status = try row.decode("status")
        holdReason = try row.decode("hold_reason")
        currency = try row.decode("currency")
        totalMinor = try row.decode("total_minor")
        catalogVersion = try row.decode("catalog_version")
        inputHash = try row.decode("input_hash")
        detail = try row.decode("detail")
        actor = try row.decode("actor")
    }
}
