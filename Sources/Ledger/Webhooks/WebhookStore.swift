package import Postgres

/// The inbox of Stripe's events: each is kept once, and settled once.
///
/// Whoever works on an event takes it with a token, and every later write names the token. What was taken
/// and not settled is due again after a while: nothing is lost with a process that dies.
package struct WebhookStore: Sendable {
    private let pool: PostgresPool

    /// How long an event stays with whoever took it, in seconds. Longer than a claim of its invoice.
    package static let takenSeconds = 120.0

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    // MARK: Receiving

    /// Takes events, all or nothing.
    ///
    /// - Returns: for each, false if it is known already.
    @discardableResult
    package func insert(
        _ events: [ReceivedEvent], from source: ReceivedEvent.Source
    ) async throws -> [Bool] {
        let statements = events.map {
            PostgresStatement(SQL.webhookInsert, Self.parameters($0, source))
        }
        return try await pool.withConnection { connection in
            try await connection.pipeline(statements).map { $0.affectedRows == 1 }
        }
    }

    /// Takes a page of Stripe's list, and notes how far that was read, all or nothing.
    ///
    /// - Returns: how many of the events are new.
    package func insert(_ page: [ReceivedEvent], cursor: String?) async throws -> Int {
        // In the order of the inbox: of two that hold some of the same events none waits for the other.
        var statements = page.sorted { $0.id < $1.id }.map {
            PostgresStatement(SQL.webhookInsert, Self.parameters($0, .backfill))
        }
        if let cursor { statements.append(PostgresStatement(SQL.eventCursorWrite, [cursor])) }
        let results = try await pool.withConnection { [statements] connection in
            try await connection.pipeline(statements)
        }
        return results.prefix(page.count).reduce(0) { $0 + $1.affectedRows }
    }

    /// The last event of Stripe's list that was read, and surely all before it.
    package func cursor() async throws -> String? {
        try await pool.query(SQL.eventCursorRead).rows.first?.decode("event_id")
    }

    private static func parameters(
        _ event: ReceivedEvent, _ source: ReceivedEvent.Source
    ) -> [(any PostgresEncodable)?] {
        [
            event.id, source.rawValue, event.type, event.apiVersion, event.isLive, event.account,
            event.objectID, event.payload,
        ]
    }

    // MARK: Settling

    package func take(limit: Int) async throws -> [TakenEvent] {
        try await pool.query(SQL.webhookTake, [limit, Self.takenSeconds]).rows.map { row in
            TakenEvent(
                id: try row.decode("event_id"), payload: try row.decode("payload"),
                attempts: try row.decode("attempts"), token: try row.decode("token"))
        }
    }

    package enum Ending: String, Sendable {
        /// Nothing follows from its type.
        case ignored
        /// It is about somebody else's object.
        case foreign
    }

    package func settle(_ event: TakenEvent, as ending: Ending, note: String) async throws {
        try await pool.query(
            SQL.webhookSettle,
            [event.id, event.token, ending.rawValue, note, Alert.deadWebhookKey(event.id)])
    }

    /// Puts an event back.
    ///
    /// - Parameter isFailure: whether its attempt counts.
    package func postpone(
        _ event: TakenEvent, seconds: Int, isFailure: Bool, note: String
    ) async throws {
        try await pool.query(
            SQL.webhookPostpone, [event.id, event.token, seconds, note, isFailure])
    }

    /// Puts back what of these is neither settled nor put back yet, as if nobody had taken it.
    package func putBack(_ events: [TakenEvent], note: String) async throws {
        try await pool.query(
            SQL.webhookPutBack, [events.map(\.id), events.map(\.token), note],
            timeoutSeconds: 10)
    }

    /// Gives an event up until a person has looked.
    package func bury(_ event: TakenEvent, reason: String, alert: Alert) async throws {
        try await pool.transaction { connection in
            let buried = try connection.query(
                SQL.webhookBury, [event.id, event.token, reason])
            if !buried.rows.isEmpty { try AlertStore.raise(alert, on: connection) }
        }
    }

    // MARK: Invoices

    /// - Returns: our id of the invoice that has one of these ids, and whose it is.
    package func invoice(
        stripeID: String, ourID: String?
    ) async throws -> (id: String, customerID: String)? {
        let row = try await pool.query(SQL.webhookInvoice, [stripeID, ourID]).rows.first
        guard let row else { return nil }
        return (try row.decode("invoice_id"), try row.decode("customer_id"))
    }

    /// Under a claim: whose invoice it is, and what events said of it so far.
    package func subject(_ claim: InvoiceClaim) async throws -> WebhookSubject {
        let row = try await pool.query(SQL.webhookSubject, [claim.invoiceID, claim.token]).rows
            .first
        guard let row else { throw SubmissionInterruption.claimLost }
        var standing = InvoiceStanding()
        standing.isOverdue = try row.decode("is_overdue")
        standing.dispute = try row.decode("dispute_status", as: String?.self)
            .flatMap(InvoiceStanding.Dispute.init)
        standing.refunded = try row.decode("refunded_minor")
        standing.credited = try row.decode("credited_minor")
        return WebhookSubject(
            invoiceID: claim.invoiceID, customerID: try row.decode("customer_id"),
            slot: try row.decode("slot"), isBegun: try row.decode("is_begun"), standing: standing)
    }

    /// Writes what follows from an event: the invoice's status and standing, the entry in its journal, the
    /// alerts, and that the event is settled, all or nothing; and gives the claim back.
    ///
    /// - Throws: `SubmissionInterruption.claimLost` if the invoice or the event is somebody else's now.
    package func apply(
        _ event: TakenEvent, _ claim: InvoiceClaim, status: InvoiceStatus,
        standing: InvoiceStanding, entry: (event: String, detail: String), alerts: AlertChanges
    ) async throws {
        try await pool.transaction { [entry] connection in
            let moved = try connection.query(
                SQL.webhookApply,
                [
                    claim.invoiceID, claim.token, event.id, event.token, status.rawValue,
                    standing.isOverdue, standing.dispute?.rawValue, standing.refunded,
                    standing.credited, entry.event, entry.detail,
                ])
            guard !moved.rows.isEmpty else { throw SubmissionInterruption.claimLost }
            if [.paid, .void, .uncollectible].contains(status) {
                _ = try connection.query(SQL.requestsClose, [claim.invoiceID, claim.token])
            }
            for key in [Alert.deadWebhookKey(event.id)] + alerts.endedKeys {
                try AlertStore.resolve(key: key, on: connection)
            }
            if !alerts.endedKinds.isEmpty {
                try AlertStore.resolve(alerts.endedKinds, of: claim.invoiceID, on: connection)
            }
            for alert in alerts.raised { try AlertStore.raise(alert, on: connection) }
            _ = try connection.query(SQL.submissionRelease, [claim.invoiceID, claim.token])
        }
    }
}
