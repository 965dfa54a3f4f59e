package import Postgres

/// The ledger's side of the submission to Stripe: claims, requests, and how far each invoice has come.
///
/// Whatever is written names the claim; if that is lost, nothing is written, and the work ends.
package struct SubmissionStore: Sendable {
    private let pool: PostgresPool
    /// Who claims, for people who find something taken.
    private let holder: String

    /// How long a claim outlives a process that died, in seconds. Every request extends it.
    package static let claimSeconds = 90.0

    package init(pool: PostgresPool, holder: String) {
        self.pool = pool
        self.holder = holder
    }

    /// An invoice that is to be sent, and where it stands in their order.
    package struct Due: Sendable, Equatable {
        package let slot: String
        package let customerID: String
        package let invoiceID: String
    }

    /// The next invoices that are still to be sent, in order.
    ///
    /// - Parameters:
    ///   - slot: `nil`: those of any slot whose submission has begun.
    ///   - customers: only these; `nil`: all.
    package func due(
        slot: String?, customers: [String]?, after last: Due?
    ) async throws -> [Due] {
        try await pool.query(
            SQL.submissionDue,
            [slot, customers, last?.slot ?? "", last?.customerID ?? "", last?.invoiceID ?? ""]
        ).rows.map {
            Due(
                slot: try $0.decode("slot"), customerID: try $0.decode("customer_id"),
                invoiceID: try $0.decode("invoice_id"))
        }
    }

    // MARK: Claims

    /// - Returns: nothing if somebody else works on the invoice.
    package func claim(_ invoiceID: String) async throws -> InvoiceClaim? {
        let row = try await pool.query(
            SQL.submissionClaim, [invoiceID, holder, Self.claimSeconds]
        ).rows.first
        guard let row else { return nil }
        return InvoiceClaim(invoiceID: invoiceID, token: try row.decode("claim_token"))
    }

    /// Who works on an invoice, and for how many seconds at the most if they died.
    package func holder(of invoiceID: String) async throws -> (name: String, seconds: Int)? {
        let row = try await pool.query(SQL.submissionClaimedBy, [invoiceID]).rows.first
        guard let row else { return nil }
        return (try row.decode("claimed_by"), try row.decode("seconds"))
    }

    package func release(_ claim: InvoiceClaim) async throws {
        try await pool.query(SQL.submissionRelease, [claim.invoiceID, claim.token])
    }

    // MARK: One invoice

    /// Fixes what a computed invoice charges, and takes the balance that it charges.
    ///
    /// - Returns: false if it was changed, held or begun meanwhile, or the balance is another one now.
    package func start(_ claim: InvoiceClaim, customerID: String, mode: String) async throws -> Bool
    {
        try await pool.transaction { connection in
            _ = try connection.query(SQL.balanceLock, [customerID])
            let started = try connection.query(
                SQL.submissionStart, [claim.invoiceID, claim.token, mode])
            guard !started.rows.isEmpty else { return false }
            _ = try connection.query(SQL.balanceApply, [claim.invoiceID])
            return true
        }
    }

    package func state(_ claim: InvoiceClaim) async throws -> SubmissionState {
        let row = try await pool.query(SQL.submissionLoad, [claim.invoiceID, claim.token]).rows
            .first
        guard let row else { throw SubmissionInterruption.claimLost }
        guard let status = InvoiceStatus(rawValue: try row.decode("status")) else {
            preconditionFailure("the schema knows the same states")
        }
        return SubmissionState(
            status: status,
            recoveryPoint: try row.decode("recovery_point", as: String?.self)
                .flatMap(RecoveryPoint.init),
            draftEpoch: try row.decode("draft_epoch"),
            stripeInvoiceID: try row.decode("stripe_invoice_id"),
            standingHold: try row.decode("standing_hold"))
    }

    /// All requests of an invoice, the newest first.
    package func requests(of invoiceID: String) async throws -> [StoredRequest] {
        try await pool.query(SQL.submissionRequests, [invoiceID]).rows.map(StoredRequest.init)
    }

    /// Before a request goes out: stores it, and extends the claim.
    ///
    /// - Parameter waitedMilliseconds: for how long Stripe's limits kept it waiting.
    /// - Returns: the attempt's number; nothing if the key is too old to be used again.
    /// - Throws: `SubmissionInterruption`.
    package func prepare(
        _ step: SubmissionStep, epoch: Int, key: String, path: String, body: String,
        waitedMilliseconds: Int, _ claim: InvoiceClaim
    ) async throws -> Int64? {
        let row = try await pool.query(
            SQL.requestPrepare,
            [
                claim.invoiceID, claim.token, Self.claimSeconds, key, step.rawValue, epoch, path,
                body, waitedMilliseconds,
            ]
        ).rows.first
        if let row { return try row.decode("attempt_id") }
        let obstacle = try await pool.query(
            SQL.submissionObstacle, [claim.invoiceID, claim.token]
        ).rows.first
        guard let obstacle, try obstacle.decode("is_claimed", as: Bool?.self) == true else {
            throw SubmissionInterruption.claimLost
        }
        if let pause: String = try obstacle.decode("pause") {
            throw SubmissionInterruption.paused(pause)
        }
        return nil
    }

    /// How a request ended, as it is written beside the invoice's move.
    package struct Ending: Sendable {
        package let key: String
        package let outcome: StoredRequest.Outcome
        package let objectID: String?

        package init(key: String, outcome: StoredRequest.Outcome, objectID: String? = nil) {
            self.key = key
            self.outcome = outcome
            self.objectID = objectID
        }
    }

    /// What came back on an attempt that does not end its request.
    package func answer(_ attempt: Int64, _ answer: AttemptAnswer) async throws {
        try await pool.query(SQL.attemptAnswer, Self.parameters(attempt, answer))
    }

    /// How a request ended that moves nothing, with what came back on its last attempt.
    package func end(
        _ ending: Ending, attempt: (id: Int64, answer: AttemptAnswer)?, _ claim: InvoiceClaim
    ) async throws {
        var statements = [Self.statement(ending, claim)]
        if let attempt {
            statements.append(
                PostgresStatement(SQL.attemptAnswer, Self.parameters(attempt.id, attempt.answer)))
        }
        _ = try await pool.withConnection { [statements] connection in
            try await connection.pipeline(statements)
        }
    }

    /// Moves the invoice on, with an entry in the journal and what it follows from, all or nothing.
    ///
    /// - Throws: `SubmissionInterruption.claimLost`.
    package func move(
        _ claim: InvoiceClaim, to state: SubmissionState, event: String, detail: String? = nil,
        ending: Ending? = nil, attempt: (id: Int64, answer: AttemptAnswer)? = nil
    ) async throws {
        var statements = [
            PostgresStatement(
                SQL.submissionMove,
                [
                    claim.invoiceID, claim.token, state.status.rawValue,
                    state.recoveryPoint?.rawValue, state.stripeInvoiceID, state.draftEpoch,
                    state.standingHold, event, detail,
                ])
        ]
        if let ending { statements.append(Self.statement(ending, claim)) }
        if let attempt {
            statements.append(
                PostgresStatement(SQL.attemptAnswer, Self.parameters(attempt.id, attempt.answer)))
        }
        if state.recoveryPoint == .collected {
            statements.append(PostgresStatement(SQL.requestsClose, [claim.invoiceID, claim.token]))
        }
        let results = try await pool.withConnection { [statements] connection in
            try await connection.pipeline(statements)
        }
        guard results.first?.rows.isEmpty == false else { throw SubmissionInterruption.claimLost }
    }

    /// Writes down that Stripe has made a credit note of the invoice, with what it follows from, all or nothing.
    ///
    /// - Throws: `SubmissionInterruption.claimLost`.
    package func credited(
        _ claim: InvoiceClaim, _ note: CreditNoteDue, stripeID: String, ending: Ending,
        attempt: (id: Int64, answer: AttemptAnswer)? = nil
    ) async throws {
        var statements = [
            PostgresStatement(
                SQL.creditNoteMade, [claim.invoiceID, claim.token, note.proposalID, stripeID]),
            Self.statement(ending, claim),
        ]
        if let attempt {
            statements.append(
                PostgresStatement(SQL.attemptAnswer, Self.parameters(attempt.id, attempt.answer)))
        }
        let results = try await pool.withConnection { [statements] connection in
            try await connection.pipeline(statements)
        }
        guard results.first?.rows.isEmpty == false else { throw SubmissionInterruption.claimLost }
    }

    /// Gives the invoice up until a person has looked.
    package func giveUp(
        _ claim: InvoiceClaim, _ state: SubmissionState, reason: String
    ) async throws {
        let results = try await pool.withConnection { connection in
            try await connection.pipeline([
                PostgresStatement(
                    SQL.submissionMove,
                    [
                        claim.invoiceID, claim.token, state.status.rawValue,
                        state.recoveryPoint?.rawValue, state.stripeInvoiceID, state.draftEpoch,
                        state.standingHold, "dead_letter", reason,
                    ]),
                PostgresStatement(
                    SQL.deadLetterAddInvoice, [claim.invoiceID, claim.token, reason]),
            ])
        }
        guard results.first?.rows.isEmpty == false else { throw SubmissionInterruption.claimLost }
    }

    private static func parameters(
        _ attempt: Int64, _ answer: AttemptAnswer
    ) -> [(any PostgresEncodable)?] {
        [attempt, answer.httpStatus, answer.requestID, answer.isReplayed, answer.error]
    }

    private static func statement(_ ending: Ending, _ claim: InvoiceClaim) -> PostgresStatement {
        PostgresStatement(
            SQL.requestOutcome,
            [
                claim.invoiceID, claim.token, ending.key, ending.outcome.rawValue, ending.objectID,
            ])
    }

    // MARK: A slot

    /// Makes what is too small to be charged owed, for ever.
    ///
    /// - Returns: how many invoices that were.
    package func settleCarried(
        slot: String, mode: String, customers: [String]?
    ) async throws -> Int {
        let rows = try await pool.query(SQL.carriedSettle, [slot, mode, customers]).rows
        return try rows.first?.decode("settled") ?? 0
    }

    /// How a slot stands at Stripe.
    package struct Progress: Sendable, Equatable {
        /// Computed, and not begun.
        package var computed = 0
        package var collected = 0
        package var unfinished = 0
        package var held = 0
        /// Too small to be charged, and not owed yet.
        package var unsettled = 0
        package var deadLetters = 0

        package init() {}
    }

    package func progress(slot: String) async throws -> Progress {
        guard let row = try await pool.query(SQL.submissionProgress, [slot]).rows.first else {
            preconditionFailure("counts are one row")
        }
        var progress = Progress()
        progress.computed = try row.decode("computed")
        progress.collected = try row.decode("collected")
        progress.unfinished = try row.decode("unfinished")
        progress.unsettled = try row.decode("unsettled")
        progress.held = try row.decode("held")
        progress.deadLetters = try row.decode("dead_letters")
        return progress
    }

    /// An invoice of ours that Stripe has, as the ledger knows it.
    package struct Known: Sendable {
        package let stripeInvoiceID: String?
        package let isBegun: Bool
        package let status: String
    }

    package func known(_ invoiceIDs: [String]) async throws -> [String: Known] {
        let rows = try await pool.query(SQL.submissionKnown, [invoiceIDs]).rows
        return Dictionary(
            uniqueKeysWithValues: try rows.map { row in
                (
                    try row.decode("invoice_id"),
                    Known(
                        stripeInvoiceID: try row.decode("stripe_invoice_id"),
                        isBegun: try row.decode("mode", as: String?.self) != nil,
                        status: try row.decode("status"))
                )
            })
    }
}
