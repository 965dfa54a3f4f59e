package import Exact
package import Postgres

/// Something that was given up until a person has looked.
package struct DeadLetter: Sendable {
    package let id: Int64
    /// `invoice`, `webhook` or `alert`.
    package let kind: String
    package let subjectID: String
    package let reason: String
    package let createdAt: Instant
    /// Nothing: it is open.
    package let resolvedAt: Instant?
    package let resolution: String?
    package let resolvedBy: String?
    package let resolveReason: String?
    /// Of an invoice.
    package let customerID: String?
    package let slot: String?
    package let recoveryPoint: String?
}

package struct DeadLetterStore: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// - Parameters:
    ///   - includesResolved: those too that somebody has dealt with.
    ///   - id: only this one.
    package func list(includesResolved: Bool, id: Int64? = nil) async throws -> [DeadLetter] {
        try await pool.query(SQL.deadLetterList, [includesResolved, id]).rows.map(DeadLetter.init)
    }

    package func letter(_ id: Int64) async throws -> DeadLetter {
        guard let letter = try await list(includesResolved: true, id: id).first else {
            throw LedgerError(
                code: .notFound,
                description: "there is no dead letter \(id); jobs dead-letters list shows them")
        }
        return letter
    }

    /// Takes dead letters off the list, to be tried again.
    ///
    /// - Parameter id: `nil`: all that are open.
    /// - Returns: those that were open.
    package func retry(_ id: Int64?, by person: String) async throws -> [DeadLetter] {
        try await pool.transaction { connection in
            let resolved = try Self.resolve(connection, id, "retried", by: person, reason: nil)
            let invoices = resolved.filter { $0.kind == "invoice" }.map(\.subjectID)
            _ = try connection.query(SQL.deadLetterRefresh, [invoices, person])
            return resolved
        }
    }

    /// Takes a dead letter off the list for good. An invoice is held, so that nothing goes on by itself; the
    /// alert of an event is over.
    ///
    /// - Returns: whether it was open.
    package func discard(_ id: Int64, by person: String, reason: String) async throws -> Bool {
        try await pool.transaction { connection in
            let resolved = try Self.resolve(connection, id, "discarded", by: person, reason: reason)
            for letter in resolved {
                switch letter.kind {
                case "invoice":
                    _ = try connection.query(
                        SQL.invoiceHoldDiscarded, [letter.subjectID, reason, person])
                case "webhook":
                    let key = Alert.deadWebhookKey(letter.subjectID)
                    try AlertStore.resolve(key: key, on: connection)
                default: break
                }
            }
            return !resolved.isEmpty
        }
    }

    private static func resolve(
        _ connection: isolated PostgresConnection, _ id: Int64?, _ resolution: String,
        by person: String, reason: String?
    ) throws -> [DeadLetter] {
        let open = try connection.query(SQL.deadLetterList, [false, id]).rows.map(DeadLetter.init)
        let taken = Set(
            try connection.query(SQL.deadLetterResolve, [id, resolution, person, reason]).rows.map {
                try $0.decode("dead_letter_id", as: Int64.self)
            })
        return open.filter { taken.contains($0.id) }
    }
}

extension DeadLetter {
    fileprivate init(_ row: PostgresRow) throws {
        id = try row.decode("dead_letter_id")
        kind = try row.decode("kind")
        subjectID = try row.decode("subject_id")
        reason = try row.decode("reason")
        createdAt = Instant(milliseconds: try row.decode("created_ms"))
        resolvedAt = try row.decode("resolved_ms", as: Int64?.self).map(Instant.init(milliseconds:))
        resolution = try row.decode("resolution")
        resolvedBy = try row.decode("resolved_by")
        resolveReason = try row.decode("resolve_reason")
        customerID = try row.decode("customer_id")
        slot = try row.decode("slot")
        recoveryPoint = try row.decode("recovery_point")
    }
}
