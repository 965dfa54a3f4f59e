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
    package func raise(_ alert: Alert) async throws {
        try await pool.transaction { try Self.raise(alert, on: $0) }
    }

    package func resolve(_ kinds: [String], of subject: String) async throws {
        try await pool.transaction { try Self.resolve(kinds, of: subject, on: $0) }
    }

    package func resolve(key: String) async throws {
        try await pool.transaction { try Self.resolve(key: key, on: $0) }
    }
}
