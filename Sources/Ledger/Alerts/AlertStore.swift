package import Postgres

/// Where alerts come in: each in the transaction of its cause, so that there is never one without the other.
package struct AlertStore: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Raises an alert, unless one with its key is open. One that was resolved is raised anew.
    package static func raise(
        _ alert: Alert, on connection: isolated PostgresConnection
    ) throws {
        _ = try connection.query(
            SQL.alertRaise,
            [alert.key, alert.kind, alert.severity.rawValue, alert.subject, alert.body])
    }

    /// Says that what an alert was about is over.
    package static func resolve(
        key: String, on connection: isolated PostgresConnection
    ) throws {
        _ = try connection.query(SQL.alertResolve, [key, nil as String?, nil as [String]?])
    }

    /// Says that what all alerts of these kinds about a subject were about is over.
    package static func resolve(
        _ kinds: [String], of subject: String, on connection: isolated PostgresConnection
    ) throws {
        _ = try connection.query(SQL.alertResolve, [nil as String?, subject, kinds])
    }

    /// Notes that a person has seen an open alert.
    package static func acknowledge(
        key: String, by person: String, on connection: isolated PostgresConnection
    ) throws {
        _ = try connection.query(SQL.alertAcknowledge, [key, person])
    }

    /// Raises an alert whose cause is nowhere in the ledger.
    ///
    /// - Parameter isOnly: what else of its kind was said of its subject is over.
    package func raise(_ alert: Alert, isOnly: Bool = false) async throws {
        try await pool.transaction { connection in
            if isOnly {
                _ = try connection.query(
                    SQL.alertResolveOthers, [alert.key, alert.kind, alert.subject])
            }
            try Self.raise(alert, on: connection)
        }
    }

    package func resolve(_ kinds: [String], of subject: String) async throws {
        try await pool.transaction { try Self.resolve(kinds, of: subject, on: $0) }
    }

    package func resolve(key: String) async throws {
        try await pool.transaction { try Self.resolve(key: key, on: $0) }
    }

    /// Says that nobody looks any more at what alerts of a kind about months before this one were about.
    package func resolve(_ kind: String, before month: String) async throws {
        try await pool.query(SQL.alertResolveBefore, [kind, month])
    }
}
