import Postgres
import Testing

@Suite(.timeLimit(.minutes(1)))
struct MigratorTests {
    static let first = Migration(
        version: 1, name: "customers",
        sql: "CREATE TABLE c (a int); INSERT INTO c VALUES (1); -- 'quoted' $$")
    static let second = Migration(version: 2, name: "amounts", sql: "ALTER TABLE c ADD b int")
    static let failing = Migration(
        version: 2, name: "wrong", sql: "INSERT INTO c VALUES (2); SELECT 1/0")
    static let both = Migrator(migrations: [first, second])

    @Test func `migrations are applied in order, once`() async throws {
        try await withPool { pool async throws in
            #expect(try await Self.both.state(on: pool) == .empty)
            #expect(try await Self.both.apply(on: pool) == [Self.first, Self.second])
            #expect(try await Self.both.state(on: pool) == .current)
            #expect(try await Self.both.apply(on: pool) == [])
            #expect(try await pool.value("SELECT count(*) AS value FROM c WHERE b IS NULL") == 1)
        }
    }

    @Test func `asking for the state changes nothing`() async throws {
        try await withPool { pool in
            _ = try await Self.both.state(on: pool)
            let tables =
                "SELECT count(*) AS value FROM pg_class WHERE relnamespace = $1::regnamespace"
            let schema: String = try await pool.value("SELECT current_schema() AS value")
            #expect(try await pool.value(tables, [schema]) == 0)
        }
    }

    @Test func `an older schema is brought forward`() async throws {
        try await withPool { pool in
            _ = try await Migrator(migrations: [Self.first]).apply(on: pool)
            #expect(try await Self.both.state(on: pool) == .tooOld(have: 1, want: 2))
            #expect(try await Self.both.apply(on: pool) == [Self.second])
        }
    }

    @Test func `a newer schema is refused`() async throws {
        try await withPool { pool in
            _ = try await Self.both.apply(on: pool)
            let older = Migrator(migrations: [Self.first])
            #expect(try await older.state(on: pool) == .tooNew(have: 2, want: 1))
            let error = try await postgresError { _ = try await older.apply(on: pool) }
            #expect(error.code == .schema)
            #expect(try await Migrator(migrations: []).state(on: pool) == .tooNew(have: 2, want: 0))
        }
    }

    @Test func `a migration whose text changed is refused, also by a newer program`() async throws {
        try await withPool { pool in
            _ = try await Migrator(migrations: [Self.first]).apply(on: pool)
            let edited = Migration(version: 1, name: "customers", sql: Self.first.sql + " ")
            for known in [[edited], [edited, Self.second]] {
                let migrator = Migrator(migrations: known)
                #expect(try await migrator.state(on: pool) == .changed("customers"))
                let error = try await postgresError { _ = try await migrator.apply(on: pool) }
                #expect(error.code == .schema)
                #expect(error.message.contains("customers"))
            }
        }
    }

    @Test func `a migration missing below a later one is reported`() async throws {
        try await withPool { pool in
            _ = try await Self.both.apply(on: pool)
            try await pool.query("DELETE FROM schema_migrations WHERE version = 1")
            #expect(try await Self.both.state(on: pool) == .changed("customers"))
        }
    }

    @Test func `a migration that fails leaves nothing of itself, and what came before it`()
        async throws
    {
        try await withPool { pool in
            let migrator = Migrator(migrations: [Self.first, Self.failing])
            let error = try await postgresError { _ = try await migrator.apply(on: pool) }
            #expect(error.code == .server("22012"))
            #expect(try await migrator.state(on: pool) == .tooOld(have: 1, want: 2))
            #expect(try await pool.value("SELECT count(*) AS value FROM c") == 1)
            // The lock is free again, and another program can go on.
            #expect(try await Self.both.apply(on: pool) == [Self.second])
        }
    }

    @Test func `a migration that commits by itself is refused`() async throws {
        try await withPool { pool in
            let migrator = Migrator(
                migrations: [Migration(version: 1, name: "sly", sql: "SELECT 1; COMMIT")])
            let error = try await postgresError { _ = try await migrator.apply(on: pool) }
            #expect(error.code == .usage)
            #expect(try await migrator.state(on: pool) == .empty)
        }
    }

    @Test func `eight processes at once apply every migration once`() async throws {
        try await withSchema { url, _ in
            let applied = try await withThrowingTaskGroup(of: [Migration].self) { group in
                for _ in 0..<8 {
                    group.addTask {
                        let pool = PostgresPool(configuration: PostgresConfiguration(url: url))
                        return try await Self.both.apply(on: pool)
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(applied == [Self.first, Self.second])
        }
    }

    @Test func `who waits for another's migration can be cancelled`() async throws {
        try await withPool { pool in
            let slow = Migrator(
                migrations: [Migration(version: 1, name: "slow", sql: "SELECT pg_sleep(60)")])
            let first = Task { try await slow.apply(on: pool) }
            try await pool.untilTrue(
                """
                SELECT count(*) > 0 AS value FROM pg_stat_activity
                WHERE query = 'SELECT pg_sleep(60)' AND state = 'active'
                """)
            let second = Task { try await slow.apply(on: pool) }
            second.cancel()
            #expect(try await postgresError { _ = try await second.value }.code == .cancelled)
            first.cancel()
            #expect(try await postgresError { _ = try await first.value }.code == .cancelled)
            #expect(try await Self.both.apply(on: pool).count == 2)
        }
    }

    @Test func `each schema has its own history`() async throws {
        try await withSchema { outer, schema in
            let below = PostgresPool(configuration: PostgresConfiguration(url: outer))
            _ = try await Self.both.apply(on: below)
            try await withSchema { inner, _ async throws in
                let path = inner + "%2C" + schema
                let above = PostgresPool(configuration: PostgresConfiguration(url: path))
                #expect(try await Self.both.state(on: above) == .empty)
                #expect(try await Self.both.apply(on: above).count == 2)
            }
            await below.shutdown()
        }
    }
}
