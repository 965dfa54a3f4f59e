package import Postgres

/// Looking into the inbox.
package struct WebhookRecords: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    package struct Filter: Sendable {
        package var state: String?
        package var type: String?
        package var invoiceID: String?
        package var limit = 100

        package init() {}
    }

    /// The newest first.
    package func list(_ filter: Filter) async throws -> [WebhookRecord] {
        try await pool.query(
            SQL.webhookList, [filter.state, filter.type, filter.invoiceID, filter.limit]
        ).rows.map(WebhookRecord.init)
    }

    /// - Throws: `LedgerError` (notFound).
    package func show(_ id: String) async throws -> (record: WebhookRecord, payload: String) {
        guard let row = try await pool.query(SQL.webhookShow, [id]).rows.first else {
            throw LedgerError.noWebhook(id)
        }
        return (try WebhookRecord(row), try row.decode("payload"))
    }

    /// Makes an event pending again, whatever became of it; a dead letter of it is answered.
    ///
    /// - Throws: `LedgerError` (notFound).
    package func replay(_ id: String, by person: String) async throws {
        try await pool.transaction { connection in
            let found = try connection.query(SQL.webhookReplay, [id])
            guard !found.rows.isEmpty else { throw LedgerError.noWebhook(id) }
            _ = try connection.query(SQL.webhookLettersResolve, [id, person])
        }
    }

    package struct Backlog: Sendable, Equatable {
        package let pending: Int
        /// How long the oldest of them has waited.
        package let oldestSeconds: Int
        package let deadLetters: Int
    }

    package func backlog() async throws -> Backlog {
        guard let row = try await pool.query(SQL.webhookBacklog, timeoutSeconds: 5).rows.first
        else {
            preconditionFailure("counts are one row")
        }
        return Backlog(
            pending: try row.decode("pending"), oldestSeconds: try row.decode("oldest_seconds"),
            deadLetters: try row.decode("dead_letters"))
    }
}

extension WebhookRecord {
    fileprivate init(_ row: PostgresRow) throws {
        id = try row.decode("event_id")
        type = try row.decode("type")
        state = try row.decode("state")
        attempts = try row.decode("attempts")
        objectID = try row.decode("object_id")
        invoiceID = try row.decode("invoice_id")
        isLive = try row.decode("livemode")
        account = try row.decode("account")
        apiVersion = try row.decode("api_version")
        source = try row.decode("source")
        note = try row.decode("note")
        received = try row.decode("received_ms")
        settled = try row.decode("settled_ms")
        nextAttempt = try row.decode("next_attempt_ms")
    }
}

extension LedgerError {
    static func noWebhook(_ id: String) -> Self {
        Self(
            code: .notFound,
            description: "there is no event \(id); jobs webhooks list shows those that came")
    }
}
