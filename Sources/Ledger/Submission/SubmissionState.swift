internal import Postgres

/// How far the submission of an invoice has come. Each point is committed before the next request.
package enum RecoveryPoint: String, Sendable, CaseIterable {
    case draftCreated = "draft_created"
    case linesAdded = "lines_added"
    /// The draft's lines were read back, and are ours.
    case verified
    case finalized
    /// Mailed, or left to Stripe to collect: nothing more is to be sent.
    case collected
}

/// A kind of request to Stripe.
package enum SubmissionStep: String, Sendable, CaseIterable {
    case create
    case addLines = "add_lines"
    case finalize
    /// Mails the invoice (`send_invoice`).
    case send
    /// Lets Stripe collect it (`charge_automatically`).
    case collect
    /// Collects it now (`charge_automatically`).
    case pay
    case void
    /// Gives back what was charged too much.
    case creditNote = "credit_note"
}

/// The right to work on one invoice, until it runs out or somebody else has taken it.
package struct InvoiceClaim: Sendable, Equatable {
    package let invoiceID: String
    let token: Int64
}

/// An invoice on its way to Stripe, as the ledger has it.
package struct SubmissionState: Sendable, Equatable {
    package var status: InvoiceStatus
    package var recoveryPoint: RecoveryPoint?
    /// Counts the drafts that were made: each has keys of its own.
    package var draftEpoch: Int
    package var stripeInvoiceID: String?
    package var standingHold: String?
}

/// A request as it was stored before it was sent for the first time.
package struct StoredRequest: Sendable, Equatable {
    package enum Outcome: String, Sendable {
        /// What it asked for is so.
        case done
        /// Stripe stored an error under its key, and will say nothing else.
        case burned
        /// It was not carried out.
        case refused
        /// Set aside: what came of it was looked up.
        case replaced
    }

    package let step: SubmissionStep
    package let epoch: Int
    package let idempotencyKey: String
    package let path: String
    package let body: String
    /// Nothing: not known.
    package var outcome: Outcome?
    /// Unix time in seconds.
    package let firstSent: Int64
    /// Whether Stripe is sure to know the key still (it forgets after 24 hours).
    package let isFresh: Bool

    init(_ row: PostgresRow) throws {
        guard let step = SubmissionStep(rawValue: try row.decode("step")) else {
            preconditionFailure("the schema knows the same steps")
        }
        self.step = step
        epoch = try row.decode("epoch")
        idempotencyKey = try row.decode("idempotency_key")
        path = try row.decode("path")
        body = try row.decode("body")
        outcome = try row.decode("outcome", as: String?.self).flatMap(Outcome.init)
        firstSent = try row.decode("first_sent_ms", as: Int64.self) / 1000
        isFresh = try row.decode("is_fresh")
    }
}

/// What came back on one attempt.
package struct AttemptAnswer: Sendable {
    package var httpStatus: Int?
    package var requestID: String?
    package var isReplayed: Bool?
    /// What was wrong, in words.
    package var error: String?

    package init(httpStatus: Int?, requestID: String?, isReplayed: Bool?, error: String?) {
        self.httpStatus = httpStatus
        self.requestID = requestID
        self.isReplayed = isReplayed
        self.error = error
    }
}

/// Why the work on an invoice ends before it is done, and somebody goes on later.
package enum SubmissionInterruption: Error, Sendable, Equatable, CustomStringConvertible {
    /// Somebody else took the invoice.
    case claimLost
    /// A person paused billing: who, when and why.
    case paused(String)

    package var description: String {
        switch self {
        case .claimLost: "another run took the invoice over"
        case .paused(let words): "billing was paused by \(words); go on with: jobs billing resume"
        }
    }
}
