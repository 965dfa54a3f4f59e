package import Exact
package import Postgres

/// A person's word that nothing new goes to Stripe until another says so.
package struct BillingPause: Sendable {
    package let by: String
    package let reason: String
    package let since: Instant

    /// - Returns: false if billing was paused already.
    package static func begin(
        by person: String, reason: String, pool: PostgresPool
    ) async throws -> Bool {
        try await !pool.query(SQL.pauseAdd, [person, reason]).rows.isEmpty
    }

    /// - Returns: false if billing was not paused.
    package static func end(by person: String, pool: PostgresPool) async throws -> Bool {
        try await !pool.query(SQL.pauseEnd, [person]).rows.isEmpty
    }

    package static func current(pool: PostgresPool) async throws -> BillingPause? {
        guard let row = try await pool.query(SQL.pauseRead).rows.first else { return nil }
        return BillingPause(
            by: try row.decode("paused_by"), reason: try row.decode("reason"),
            since: Instant(milliseconds: try row.decode("paused_ms")))
    }
}
