package import Exact
internal import Foundation
internal import Postgres

/// One invoice or credit note more, that makes up for what an invoice that was sent charged otherwise than its
/// month comes to now. A person approves or rejects it; what was sent stays.
package struct Proposal: Sendable {
    package enum Kind: String, Sendable {
        /// An invoice over what was charged too little.
        case supplementary
        /// What was charged too much is given back.
        case creditNote = "credit_note"
    }

    package enum Status: String, Sendable {
        case open
        /// Usage has changed again: another one, or none, took its place.
        case withdrawn
        case approved
        /// It stays as it was charged, and nobody is told of it again.
        case rejected
    }

    /// By how much a line of the invoice would be another one.
    package struct Line: Sendable, Equatable, Codable {
        /// The invoice's own line, or the one that it would have.
        package let lineID: String
        package let metric: String?
        package let quantity: String?
        package let amountMinor: Int64
        package let description: String

        package init(
            lineID: String, metric: String?, quantity: String?, amountMinor: Int64,
            description: String
        ) {
            self.lineID = lineID
            self.metric = metric
            self.quantity = quantity
            self.amountMinor = amountMinor
            self.description = description
        }

        enum CodingKeys: String, CodingKey {
            case lineID = "line_id"
            case metric
            case quantity
            case amountMinor = "amount_minor"
            case description
        }
    }

    package let id: Int64
    /// The invoice that was sent.
    package let invoiceID: String
    /// Counts the proposals of the invoice.
    package let number: Int
    package let customerID: String
    package let slot: String
    package let kind: Kind
    package let currency: Currency
    package let amountMinor: Int64
    package let cutoffBatch: Int64
    package let inputHash: String
    package let lines: [Line]
    package let status: Status
    package let proposedAt: Instant
    package let proposedBy: String
    package let decidedAt: Instant?
    package let decidedBy: String?
    package let reason: String?
    /// The invoice that it became.
    package let supplementaryID: String?
    /// Stripe's credit note, once it is made.
    package let stripeCreditNoteID: String?

    init(_ row: PostgresRow) throws {
        guard let kind = Kind(rawValue: try row.decode("kind")),
            let status = Status(rawValue: try row.decode("status"))
        else { preconditionFailure("the schema knows the same kinds and states") }
        id = try row.decode("proposal_id")
        invoiceID = try row.decode("invoice_id")
        number = try row.decode("number")
        customerID = try row.decode("customer_id")
        slot = try row.decode("slot")
        (self.kind, self.status) = (kind, status)
        currency = try row.currency()
        amountMinor = try row.decode("amount_minor")
        cutoffBatch = try row.decode("cutoff_batch")
        inputHash = try row.decode("input_hash")
        let lines: String = try row.decode("lines")
        self.lines = try JSONDecoder().decode([Line].self, from: Data(lines.utf8))
        proposedAt = Instant(milliseconds: try row.decode("proposed_ms"))
        proposedBy = try row.decode("proposed_by")
        decidedAt = try row.decode("decided_ms", as: Int64?.self).map(Instant.init(milliseconds:))
        decidedBy = try row.decode("decided_by")
        reason = try row.decode("reason")
        supplementaryID = try row.decode("supplementary_id")
        stripeCreditNoteID = try row.decode("stripe_credit_note_id")
    }
}

/// What is to be proposed of an invoice, before a person has seen it.
package struct Correction: Sendable, Equatable {
    package let invoiceID: String
    package let customerID: String
    package let kind: Proposal.Kind
    package let amountMinor: Int64
    package let cutoffBatch: Int64
    package let inputHash: String
    package let lines: [Proposal.Line]

    package init(
        invoiceID: String, customerID: String, kind: Proposal.Kind, amountMinor: Int64,
        cutoffBatch: Int64, inputHash: String, lines: [Proposal.Line]
    ) {
        self.invoiceID = invoiceID
        self.customerID = customerID
        self.kind = kind
        self.amountMinor = amountMinor
        self.cutoffBatch = cutoffBatch
        self.inputHash = inputHash
        self.lines = lines
    }
}

/// A credit note that was approved, and is still to be made.
package struct CreditNoteDue: Sendable {
    package let proposalID: Int64
    package let number: Int
    package let invoice: SubmissionStore.Due
    package let amountMinor: Int64
}
