package import Exact
package import Postgres

/// How the database fares, and what waits in it: read only.
package struct LedgerHealth: Sendable {
    package struct Server: Sendable {
        /// As 150004.
        package let version: Int
        package let versionText: String
        package let synchronousCommit: String
        package let standbyNames: String
        package let replicas: Int
        package let synchronousReplicas: Int
        /// Of which this user may not know whether they are synchronous.
        package let hiddenReplicas: Int
        package let isStandby: Bool
        package let sessions: Int
        package let mostSessions: Int
    }

    package struct Backlog: Sendable {
        /// nil: nothing was ever sealed.
        package let sealedAt: Instant?
        package let sealedAgeSeconds: Int64?
        package let invoiceDeadLetters: Int
        package let held: Int
        /// Customers with usage and without terms, as the last billing found them.
        package let unmapped: Int?
    }

    private let pool: PostgresPool

    /// So that one thing that hangs does not keep the others from being looked at.
    private static let timeoutSeconds = 10.0

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    package func server() async throws -> Server {
        let row = try await one(SQL.healthServer)
        return Server(
            version: try row.decode("version"), versionText: try row.decode("version_text"),
            synchronousCommit: try row.decode("synchronous_commit"),
            standbyNames: try row.decode("synchronous_standby_names"),
            replicas: try row.decode("replicas"),
            synchronousReplicas: try row.decode("synchronous_replicas"),
            hiddenReplicas: try row.decode("hidden_replicas"),
            isStandby: try row.decode("is_standby"), sessions: try row.decode("sessions"),
            mostSessions: try row.decode("most_sessions"))
    }

    /// Tables that this user may not read; tables and sequences that it may not write.
    package func missingPrivileges() async throws -> (read: [String], write: [String]) {
        let rows = try await pool.query(
            SQL.healthPrivileges, timeoutSeconds: Self.timeoutSeconds
        ).rows
        return (
            try rows.filter { try !$0.decode("may_read", as: Bool.self) }
                .map { try $0.decode("name") },
            try rows.filter { try !$0.decode("may_write", as: Bool.self) }
                .map { try $0.decode("name") }
        )
    }

    package func backlog() async throws -> Backlog {
        let row = try await one(SQL.healthBacklog)
        return Backlog(
            sealedAt: try row.decode("sealed_ms", as: Int64?.self)
                .map(Instant.init(milliseconds:)),
            sealedAgeSeconds: try row.decode("sealed_age_seconds"),
            invoiceDeadLetters: try row.decode("invoice_dead_letters"),
            held: try row.decode("held"), unmapped: try row.decode("unmapped"))
    }

    private func one(_ sql: String) async throws -> PostgresRow {
        guard
            let row = try await pool.query(sql, timeoutSeconds: Self.timeoutSeconds).rows.first
        else { preconditionFailure("it is one row") }
        return row
    }
}
