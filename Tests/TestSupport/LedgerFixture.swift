internal import Glibc
internal import Ledger
package import Postgres

/// Runs a test with a ledger of its own, which is gone afterwards. Its clock stands in `test_clock`, and can
/// be moved.
package func withLedgerPool(_ body: (PostgresPool) async throws -> Void) async throws {
    guard let url = getenv("DATABASE_URL").map({ String(cString: $0) }) else {
        preconditionFailure("DATABASE_URL is not set: these tests need the local stack")
    }
    let administrator = PostgresPool(
        configuration: PostgresConfiguration(url: url), maximumConnections: 1)
    let name = "st_" + String(UInt64.random(in: 0 ... .max), radix: 36)
    // Others may create it at the same moment.
    try await administrator.query(
        """
        DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
        EXCEPTION WHEN unique_violation THEN NULL; END $$
        """)
    try await administrator.query("CREATE SCHEMA \(name)")
    let own = url + (url.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(name),public"
    let pool = PostgresPool(
        configuration: PostgresConfiguration(url: own, applicationName: name), maximumConnections: 6
    )
    var failure: (any Error)?
    do {
        _ = try await LedgerSchema.migrator.apply(on: pool)
        for statement in [
            "CREATE TABLE test_clock (ahead interval NOT NULL)",
            "INSERT INTO test_clock VALUES ('0')",
            """
            CREATE OR REPLACE FUNCTION ledger_clock() RETURNS timestamptz LANGUAGE sql VOLATILE
                AS $$ SELECT clock_timestamp() + (SELECT ahead FROM test_clock) $$
            """,
            """
            INSERT INTO catalog_versions (version, effective_from, source, source_sha256)
            VALUES ('v1', '2026-01-01', '', '')
            """,
        ] { try await pool.query(statement) }
        try await body(pool)
    } catch {
        failure = error
    }
    await pool.shutdown()
    try await administrator.withConnection { try await $0.dropSchema(name) }
    await administrator.shutdown()
    if let failure { throw failure }
}

extension PostgresConnection {
    /// Drops a test's schema, after the last of the sessions that carry its name.
    ///
    /// A killed program's sessions end when the server notices; until then one may hold a table that the drop
    /// wants, and want one that it has.
    package func dropSchema(_ name: String) throws {
        try query(
            """
            SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity
            WHERE application_name = $1 AND usename = current_user
            """, [name])
        try query("DROP SCHEMA \(name) CASCADE")
    }
}
