package import Exact
package import Postgres

/// Looking into the alerts.
package struct AlertRecords: Sendable {
    package struct Record: Sendable {
        package let id: Int64
        package let alert: Alert
        package let customerID: String?
        package let state: String
        package let round: Int
        package let acknowledgedBy: String?
        /// No routes were chosen yet.
        package let isUnrouted: Bool
        /// No route wanted to hear of it.
        package let hasNoRoute: Bool
        package let raisedAt: Instant
        package let resolvedAt: Instant?
        /// Deliveries.
        package let delivered: Int
        package let waiting: Int
        package let dead: Int
    }

    package struct Delivery: Sendable {
        package let route: String
        package let action: String
        package let round: Int
        package let messageID: Int64?
        package let state: String
        package let attempts: Int
        package let note: String?
        package let settledAt: Instant?
        package let nextAttemptAt: Instant?
    }

    /// A person's word that an alert is over.
    package struct Resolution: Sendable {
        package let by: String
        package let reason: String
        package let at: Instant
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// The newest first.
    ///
    /// - Parameter limit: `nil`: all of them.
    package func list(
        state: String? = nil, kind: String? = nil, limit: Int?
    ) async throws -> [Record] {
        try await pool.query(SQL.alertList, [state, kind, nil as String?, limit]).rows
            .map(Record.init)
    }

    /// How many that list has without a limit.
    package func count(state: String?, kind: String?) async throws -> Int {
        guard let row = try await pool.query(SQL.alertCount, [state, kind]).rows.first else {
            preconditionFailure("a count is one row")
        }
        return try row.decode("alerts")
    }

    /// - Parameter name: its number or its key.
    /// - Throws: `LedgerError` (notFound).
    package func show(
        _ name: String
    ) async throws -> (record: Record, deliveries: [Delivery], resolutions: [Resolution]) {
        let found = try await pool.query(
            SQL.alertList, [nil as String?, nil as String?, name, 1])
        guard let row = found.rows.first else {
            throw LedgerError(
                code: .notFound,
                description: "there is no alert \(name); jobs alerts list shows those there are")
        }
        let record = try Record(row)
        let deliveries = try await pool.query(SQL.alertHistory, [record.id]).rows
            .map(Delivery.init)
        let resolutions = try await pool.query(SQL.alertResolutions, [record.alert.key]).rows
            .map(Resolution.init)
        return (record, deliveries, resolutions)
    }

    /// Ends an alert that nothing ends by itself; its routes hear of that.
    ///
    /// - Returns: false if it is over already.
    package func resolve(_ alert: Int64, by person: String, reason: String) async throws -> Bool {
        try await !pool.query(SQL.alertResolutionAdd, [alert, person, reason]).rows.isEmpty
    }

    /// Sends again what was given up.
    ///
    /// - Parameter alert: only what tells of it.
    /// - Returns: how many messages that are.
    package func retry(alert: Int64?, by person: String) async throws -> Int {
        try await pool.query(SQL.alertMessagesRetry, [alert, person]).rows.count
    }

    /// Gives up for good what a route has not heard.
    ///
    /// - Returns: how much that is.
    package func discard(route: String, by person: String, reason: String) async throws -> Int {
        try await pool.transaction { connection in
            let waiting = try connection.query(
                SQL.alertRouteDiscard, [route, "discarded by \(person): \(reason)"]
            ).rows
            let dead = try connection.query(
                SQL.alertRouteDiscardDead, [route, person, reason]
            ).rows
            return try waiting[0].decode("discarded", as: Int.self) + dead.count
        }
    }
}

extension AlertRecords.Record {
    fileprivate init(_ row: PostgresRow) throws {
        id = try row.decode("alert_id")
        alert = Alert(
            key: try row.decode("key"), kind: try row.decode("kind"),
            severity: try Alert.Severity(row), subject: try row.decode("subject"),
            body: try row.decode("body"))
        customerID = try row.decode("customer_id")
        state = try row.decode("state")
        round = try row.decode("round")
        acknowledgedBy = try row.decode("acknowledged_by")
        isUnrouted = try row.decode("needs_routing")
        hasNoRoute = try row.decode("has_no_route")
        raisedAt = Instant(milliseconds: try row.decode("raised_ms"))
        resolvedAt = try row.decode("resolved_ms", as: Int64?.self).map(Instant.init(milliseconds:))
        delivered = try row.decode("delivered")
        waiting = try row.decode("waiting")
        dead = try row.decode("dead")
    }
}

extension AlertRecords.Delivery {
    fileprivate init(_ row: PostgresRow) throws {
        route = try row.decode("route")
        action = try row.decode("action")
        round = try row.decode("round")
        messageID = try row.decode("message_id")
        state = try row.decode("state")
        attempts = try row.decode("attempts")
        note = try row.decode("note")
        settledAt = try row.decode("settled_ms", as: Int64?.self).map(Instant.init(milliseconds:))
        nextAttemptAt = try row.decode("next_attempt_ms", as: Int64?.self)
            .map(Instant.init(milliseconds:))
    }
}

extension AlertRecords.Resolution {
    fileprivate init(_ row: PostgresRow) throws {
        by = try row.decode("by")
        reason = try row.decode("reason")
        at = Instant(milliseconds: try row.decode("resolved_ms"))
    }
}
