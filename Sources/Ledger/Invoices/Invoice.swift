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
    /// How many events the quantity was made of; `nil` without a metric.
    package let events: Int64?

    enum CodingKeys: String, CodingKey {
        case lineID = "line_id"
        case metric
        case quantity
        case amountMinor = "amount_minor"
        case description
        case tiers
        case events
    }
}

/// A request to Stripe that went out once.
package struct InvoiceAttempt: Sendable {
    package let sentAt: Instant
    package let sentBy: String
    package let step: String
    package let idempotencyKey: String
    package let path: String
    /// Nothing: no answer came, or none was written down.
    package let answeredAt: Instant?
    package let httpStatus: Int?
    /// Stripe's own name for it.
    package let requestID: String?
    package let isReplayed: Bool?
    package let error: String?
    /// How the request ended, after all its attempts.
    package let outcome: String?

    init(_ row: PostgresRow) throws {
        sentAt = Instant(milliseconds: try row.decode("sent_ms"))
        sentBy = try row.decode("sent_by")
        step = try row.decode("step")
        idempotencyKey = try row.decode("idempotency_key")
        path = try row.decode("path")
        answeredAt = try row.decode("answered_ms", as: Int64?.self).map(Instant.init(milliseconds:))
        httpStatus = try row.decode("http_status")
        requestID = try row.decode("stripe_request_id")
        isReplayed = try row.decode("is_replayed")
        error = try row.decode("error")
        outcome = try row.decode("outcome")
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
