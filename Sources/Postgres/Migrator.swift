/// One step of the schema. Its text is never edited once it was applied anywhere.
package struct Migration: Sendable, Hashable {
    /// 1, 2, 3, … without gaps.
    package let version: Int
    package let name: String
    /// Several statements; no BEGIN or COMMIT, which would end the step's own transaction.
    package let sql: String

    package init(version: Int, name: String, sql: String) {
        self.version = version
        self.name = name
        self.sql = sql
    }
}

/// How a database's schema stands to the migrations this program knows.
package enum MigrationState: Sendable, Hashable {
    case current
    /// No migration was ever applied.
    case empty
    case tooOld(have: Int, want: Int)
    case tooNew(have: Int, want: Int)
    /// The migration of this name was applied with another text, or is missing below a later one.
    case changed(String)
}

/// Brings a schema forward, and says where it stands.
///
/// It works in the first schema of the session's `search_path`, where it keeps its journal, the table
/// `schema_migrations`. There is no way back: a mistake is mended by a new migration.
package struct Migrator: Sendable {
    private let migrations: [Migration]

    /// - Parameter migrations: in order, numbered from 1 without gaps.
    package init(migrations: [Migration]) {
        precondition(
            migrations.map(\.version) == Array(1..<migrations.count + 1),
            "migrations are numbered 1, 2, 3, … in order")
        self.migrations = migrations
    }

    /// Says where the schema stands; changes nothing.
    package func state(on pool: PostgresPool) async throws -> MigrationState {
        try await pool.transaction(isolation: .repeatableRead, readOnly: true) { connection in
            try state(connection)
        }
    }

    /// Applies what is missing, each migration in a transaction of its own.
    ///
    /// A second process that does the same waits until this one has finished, and finds nothing to do.
    /// What was applied before a failure stays applied.
    ///
    /// - Parameter timeoutSeconds: for waiting on another process, and for each migration.
    /// - Returns: those that were applied now.
    /// - Throws: `schema` if the database is newer than this program or its history differs; what the
    ///   migrations' statements throw.
    package func apply(
        on pool: PostgresPool, timeoutSeconds: Double = 3600
    ) async throws -> [Migration] {
        try await pool.withConnection { connection in
            try await connection.withMigrationLock(timeoutSeconds) { connection in
                try apply(connection, timeoutSeconds)
            }
        }
    }

    private func apply(
        _ connection: isolated PostgresConnection, _ timeoutSeconds: Double
    ) throws -> [Migration] {
        try connection.execute(script: Self.journal)
        let have: Int
        switch try state(connection) {
        case .current: return []
        case .empty: have = 0
        case .tooOld(let version, _): have = version
        case .tooNew(let version, let want):
            throw PostgresError(
                .schema,
                "the database's schema is at version \(version), this program knows \(want): "
                    + "run a newer program")
        case .changed(let name):
            throw PostgresError(
                .schema, "migration \(name) differs from what was applied; add a new one instead")
        }
        let missing = migrations.dropFirst(have)
        for migration in missing {
            try connection.transaction { connection in
                try connection.execute(script: migration.sql, timeoutSeconds: timeoutSeconds)
                guard connection.isInTransaction else {
                    throw PostgresError.usage("migration \(migration.name) ended its transaction")
                }
                try connection.query(
                    Self.record, [migration.version, migration.name, migration.sql])
            }
        }
        return Array(missing)
    }

    private func state(_ connection: isolated PostgresConnection) throws -> MigrationState {
        let exists = try connection.query(Self.journalExists).rows[0]
        guard try exists.decode("has_schema", as: Bool.self) else {
            throw PostgresError(.schema, "no schema of the search_path exists")
        }
        guard try exists.decode("has_journal", as: Bool.self) else {
            return migrations.isEmpty ? .current : .empty
        }
        let known = migrations
        let rows = try connection.query(
            Self.comparison, [known.map(\.version), known.map(\.sql)]
        ).rows
        let applied = try rows.compactMap { row in try row.decode("applied", as: Int?.self) }
        let have = applied.max() ?? 0
        for row in rows {
            // A row without its counterpart above `have` is a migration still to come.
            let version = try row.decode("version", as: Int.self)
            guard version <= min(have, known.count) else { continue }
            if try row.decode("same", as: Bool?.self) != true {
                return .changed(known[version - 1].name)
            }
        }
        if have == known.count { return .current }
        if have == 0 { return .empty }
        return have < known.count
            ? .tooOld(have: have, want: known.count) : .tooNew(have: have, want: known.count)
    }
}

extension Migrator {
    private static let journal = """
        CREATE TABLE IF NOT EXISTS schema_migrations (
            version int PRIMARY KEY CHECK (version > 0),
            name text NOT NULL,
            checksum text NOT NULL,
            applied_at timestamptz NOT NULL DEFAULT now()
        )
        """

    /// Asks for the table in the current schema only: one further down the path is another's.
    private static let journalExists = """
        SELECT current_schema() IS NOT NULL AS has_schema,
            to_regclass(quote_ident(current_schema()) || '.schema_migrations') IS NOT NULL AS has_journal
        """

    private static let record = """
        INSERT INTO schema_migrations (version, name, checksum)
        VALUES ($1, $2, encode(sha256(convert_to($3, 'UTF8')), 'hex'))
        """

    private static let comparison = """
        SELECT coalesce(known.version, applied.version) AS version, applied.version AS applied,
            applied.checksum = encode(sha256(convert_to(known.sql, 'UTF8')), 'hex') AS same
        FROM unnest($1::int[], $2::text[]) AS known (version, sql)
        FULL JOIN schema_migrations AS applied USING (version)
        ORDER BY 1
        """
}

extension PostgresConnection {
    /// Holds a lock of the session, one for each schema, while `body` runs several transactions.
    ///
    /// The session is closed afterwards, which frees the lock whatever happened, and whatever a
    /// migration has SET.
    fileprivate func withMigrationLock<R: Sendable>(
        _ timeoutSeconds: Double, _ body: @Sendable (isolated PostgresConnection) throws -> R
    ) throws -> R {
        defer { close() }
        try query(
            """
            SELECT pg_advisory_lock(
                hashtextextended(format('%s.schema_migrations', current_schema()), 0))
            """, timeoutSeconds: timeoutSeconds)
        return try body(self)
    }
}
