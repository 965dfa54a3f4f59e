import Dispatch
import Glibc
import Testing

@testable import Postgres

private struct Refusal: Error {}

@Suite(.timeLimit(.minutes(1)))
struct TransactionTests {
    @Test func `a transaction's body cannot be interleaved`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int)")
            try await pool.withConnection { connection in
                let (started, announce) = AsyncStream.makeStream(of: Void.self)
                let transaction = Task {
                    try await connection.transaction { connection in
                        try connection.query("INSERT INTO t VALUES (1)")
                        announce.finish()
                        try connection.query("SELECT pg_sleep(0.2)")
                        try connection.query("INSERT INTO t VALUES (2)")
                        throw Refusal()
                    }
                }
                for await _ in started {}
                try await connection.query("INSERT INTO t VALUES (99)")
                await #expect(throws: Refusal.self) { try await transaction.value }
            }
            #expect(try await pool.value("SELECT string_agg(a::text, ',') AS value FROM t") == "99")
        }
    }

    @Test func `a body that throws leaves nothing behind`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int)")
            await #expect(throws: Refusal.self) {
                try await pool.transaction { connection in
                    try connection.query("INSERT INTO t VALUES (1)")
                    throw Refusal()
                }
            }
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
        }
    }

    @Test func `a body that returns is committed, with its value`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let count = try await pool.transaction(isolation: .serializable) { connection in
                try connection.query("INSERT INTO t VALUES (1), (2)").affectedRows
            }
            #expect(count == 2)
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 2)
        }
    }

    @Test(arguments: PostgresIsolation.allCases)
    func `the isolation asked for is the one in force`(isolation: PostgresIsolation) async throws {
        try await withPool { pool in
            let level = try await pool.transaction(isolation: isolation, readOnly: true) {
                connection in
                try connection.query("SHOW transaction_isolation").rows[0]
                    .decode("transaction_isolation", as: String.self)
            }
            #expect(level == isolation.rawValue.lowercased())
            let error = try await postgresError {
                try await pool.transaction(readOnly: true) { connection in
                    _ = try connection.query("CREATE TABLE t (a int)")
                }
            }
            #expect(error.code == .server("25006"))
        }
    }

    @Test func `a hidden failure does not pass for a commit`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let error = try await postgresError {
                try await pool.transaction { connection in
                    try connection.query("INSERT INTO t VALUES (1)")
                    _ = try? connection.query("SELECT 1/0")
                }
            }
            #expect(error.code == .usage)
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
        }
    }

    @Test(arguments: ["COMMIT", "ROLLBACK"])
    func `a body may not end its transaction by itself`(sql: String) async throws {
        try await withPool { pool in
            let error = try await postgresError {
                try await pool.transaction { connection in _ = try connection.query(sql) }
            }
            #expect(error.code == .usage)
        }
    }

    @Test func `a transaction inside a transaction is refused`() async throws {
        try await withPool { pool in
            let error = try await postgresError {
                try await pool.transaction { connection in
                    try connection.transaction { _ in }
                }
            }
            #expect(error.code == .usage)
        }
    }

    @Test func `a constraint that fails at COMMIT is a refusal, not an unknown outcome`()
        async throws
    {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE p (a int PRIMARY KEY)")
            try await pool.query(
                "CREATE TABLE t (a int REFERENCES p DEFERRABLE INITIALLY DEFERRED)")
            let error = try await postgresError {
                try await pool.transaction { connection in
                    _ = try connection.query("INSERT INTO t VALUES (1)")
                }
            }
            #expect(error.code == .server("23503"))
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
        }
    }

    @Test func `a COMMIT whose answer is lost has an unknown outcome`() async throws {
        try await withSchema { url, _ in
            try await FaultyProxy.run(url: url) { proxy, detour in
                let direct = PostgresPool(configuration: PostgresConfiguration(url: url))
                let pool = PostgresPool(configuration: PostgresConfiguration(url: detour))
                try await pool.query("CREATE TABLE t (a int)")
                proxy.behave(.hangUpAfter("COMMIT\0"))
                let error = try await postgresError {
                    try await pool.transaction { connection in
                        _ = try connection.query("INSERT INTO t VALUES (1)")
                    }
                }
                #expect(error.code == .commitOutcomeUnknown)
                // Here it was committed: to take the error for a failure would do the work twice.
                try await direct.untilTrue("SELECT count(*) = 1 AS value FROM t")
                proxy.behave(.relay)
                #expect(try await pool.value("SELECT count(*) AS value FROM t") == 1)
            }
        }
    }

    @Test func `a session that died before COMMIT was sent is known to be rolled back`()
        async throws
    {
        try await withSchema { url, _ in
            let pool = PostgresPool(configuration: PostgresConfiguration(url: url))
            let (pids, announce) = AsyncStream.makeStream(of: Int.self)
            let gone = DispatchSemaphore(value: 0)
            let doomed = Task {
                try await pool.transaction { connection in
                    try connection.query("CREATE TABLE t (a int)")
                    announce.yield(try connection.backendPID())
                    gone.wait()
                    // The backend leaves pg_stat_activity before it hangs up.
                    while try !connection.wire().hasHungUp() { sched_yield() }
                }
            }
            let pid = try #require(await pids.first { _ in true })
            try await pool.query("SELECT pg_terminate_backend($1)", [pid])
            try await pool.untilGone(pid)
            gone.signal()
            let error = try await postgresError { try await doomed.value }
            #expect(error.code == .connectionLost)
            #expect(try await !pool.value("SELECT to_regclass('t') IS NOT NULL AS value"))
            await pool.shutdown()
        }
    }

    @Test func `cancelling between statements rolls back, and COMMIT is not cancelled`()
        async throws
    {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let committed = Task {
                try await pool.transaction { connection in
                    try connection.query("INSERT INTO t VALUES (1)")
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            }
            try await committed.value
            let rolledBack = Task {
                try await pool.transaction { connection in
                    try connection.query("INSERT INTO t VALUES (2)")
                    withUnsafeCurrentTask { $0?.cancel() }
                    try connection.query("INSERT INTO t VALUES (3)")
                }
            }
            let error = try await postgresError { try await rolledBack.value }
            #expect(error.code == .cancelled)
            #expect(try await pool.value("SELECT string_agg(a::text, ',') AS value FROM t") == "1")
        }
    }
}
