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
        /// At most so many; `nil`: all.
        package var limit: Int?

        package init() {}

        fileprivate var parameters: [(any PostgresEncodable)?] { [state, type, invoiceID] }
    }

    /// The newest first; memory stays flat.
    package func forEachBatch(
        _ filter: Filter, _ body: @escaping @Sendable ([WebhookRecord]) throws -> Void
    ) async throws {
        try await pool.withConnection { connection in
            try await connection.forEachBatch(
                SQL.webhookList, filter.parameters + [filter.limit], batchSize: 1000
            ) { rows in try body(rows.map(WebhookRecord.init)) }
        }
    }

    /// How many there are, whatever the filter's limit.
    package func count(_ filter: Filter) async throws -> Int {
        let rows = try await pool.query(SQL.webhookCount, filter.parameters).rows
        return try rows.first?.decode("events") ?? 0
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
    /// - Throws: `LedgerError`: there is no such event, or what it said was erased.
    package func replay(_ id: String, by person: String) async throws {
        try await pool.transaction { connection in
            let found = try connection.query(SQL.webhookReplay, [id])
            guard !found.rows.isEmpty else {
                let isThere = try !connection.query(SQL.webhookShow, [id]).rows.isEmpty
                throw isThere ? LedgerError.erasedWebhook(id) : LedgerError.noWebhook(id)
            }
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

    static func erasedWebhook(_ id: String) -> Self {
        Self(
            code: .conflict,
            description: """
                what event \(id) said was erased with its customer: there is nothing to replay; \
                jobs run reconcile reads its invoice again
                """)
    }
}
