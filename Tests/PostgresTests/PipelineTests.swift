import Postgres
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PipelineTests {
    @Test func `a pipeline answers every statement, in order`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let statements = (0..<1000).map { number in
                number % 2 == 0
                    ? PostgresStatement("INSERT INTO t VALUES ($1)", [number])
                    : PostgresStatement(
                        "SELECT count(*) AS value, $1::int AS echo FROM t", [number])
            }
            let results = try await pool.withConnection { try await $0.pipeline(statements) }
            #expect(results.count == 1000)
            #expect(results[998].affectedRows == 1)
            #expect(try results[999].rows[0].decode("value", as: Int.self) == 500)
            #expect(try results[999].rows[0].decode("echo", as: Int.self) == 999)
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 500)
        }
    }

    @Test func `an error in the middle undoes the whole pipeline and names its place`() async throws
    {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE t (a int CHECK (a < 3))")
            let statements = (1...5).map { PostgresStatement("INSERT INTO t VALUES ($1)", [$0]) }
            let error = try await postgresError {
                _ = try await pool.withConnection { try await $0.pipeline(statements) }
            }
            #expect(error.code == .server("23514"))
            #expect(error.description.contains("(3 of 5 in a pipeline)"))
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
        }
    }

    @Test func `inside a transaction a pipeline is a part of it`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let insert = [PostgresStatement("INSERT INTO t VALUES (1)")]
            let error = try await postgresError {
                try await pool.transaction { connection in
                    _ = try connection.pipeline(insert)
                    _ = try connection.query("SELECT 1/0")
                }
            }
            #expect(error.code == .server("22012"))
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
            try await pool.transaction { connection in _ = try connection.pipeline(insert) }
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 1)
        }
    }

    @Test func `a constraint that fails at the pipeline's end is reported`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE p (a int PRIMARY KEY)")
            try await pool.query(
                "CREATE TABLE t (a int REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
            let statements = (1...2).map { PostgresStatement("INSERT INTO t VALUES ($1)", [$0]) }
            let error = try await postgresError {
                _ = try await pool.withConnection { try await $0.pipeline(statements) }
            }
            #expect(error.code == .server("23503"))
            #expect(error.statement?.contains("the end") == true)
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
        }
    }

    @Test func `full pipes in both directions do not lock`() async throws {
        try await withPool { pool in
            let text = String(repeating: "x", count: 1_000_000)
            let statements = (0..<30).map { _ in
                PostgresStatement("SELECT $1::text AS value", [text])
            }
            let results = try await pool.withConnection { try await $0.pipeline(statements) }
            #expect(try results.allSatisfy { try $0.rows[0].decode("value") == text })
        }
    }

    @Test func `a session lost in a pipeline that commits has an unknown outcome`() async throws {
        try await withPool { pool in
            let statements = [
                "SELECT 1", "SELECT pg_terminate_backend(pg_backend_pid())", "SELECT 2",
            ]
            .map { PostgresStatement($0) }
            let outside = try await postgresError {
                _ = try await pool.withConnection { try await $0.pipeline(statements) }
            }
            #expect(outside.code == .commitOutcomeUnknown)
            let inside = try await postgresError {
                try await pool.transaction { connection in
                    _ = try connection.pipeline(statements)
                }
            }
            #expect(inside.code == .connectionLost)
        }
    }

    @Test func `a pipeline refuses what it cannot hold`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            let copy = [
                PostgresStatement("COPY (SELECT 1) TO STDOUT"), PostgresStatement("SELECT 1"),
            ]
            _ = try await postgresError {
                _ = try await pool.withConnection { try await $0.pipeline(copy) }
            }
            let broken = [PostgresStatement("SELECT 1"), PostgresStatement("SELECT $1", ["\0"])]
            let error = try await postgresError {
                _ = try await pool.withConnection { try await $0.pipeline(broken) }
            }
            #expect(error.code == .usage)
            #expect(try await pool.withConnection { try await $0.pipeline([]) }.isEmpty)
            #expect(try await pool.value("SELECT 1 AS value") == 1)
        }
    }
}
