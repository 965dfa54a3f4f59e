import Testing

@testable import Postgres

@Suite(.timeLimit(.minutes(1)))
struct CancellationTests {
    @Test func `cancelling a task ends its statement on the server at once`() async throws {
        try await withPool { pool in
            let clock = ContinuousClock()
            let time = try await clock.measure {
                for _ in 0..<5 {
                    let (pids, announce) = AsyncStream.makeStream(of: Int.self)
                    let sleeper = Task {
                        try await pool.withConnection { connection in
                            announce.yield(try await connection.backendPID())
                            try await connection.query("SELECT pg_sleep(60)")
                        }
                    }
                    let pid = try #require(await pids.first { _ in true })
                    try await pool.untilBackendWaits(pid)
                    sleeper.cancel()
                    let error = try await postgresError { _ = try await sleeper.value }
                    #expect(error.code == .cancelled)
                    #expect(error.sqlState == "57014")
                    try await pool.untilTrue(
                        """
                        SELECT count(*) = 0 AS value FROM pg_stat_activity
                        WHERE pid = $1 AND state = 'active' AND query = 'SELECT pg_sleep(60)'
                        """, [pid])
                }
            }
            // Without the wake-up each would last until the next look, a second later.
            #expect(time < .seconds(4))
        }
    }

    @Test func `a cancelled session is lent again`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            let pid = try await pool.withConnection { try await $0.backendPID() }
            let (started, announce) = AsyncStream.makeStream(of: Void.self)
            let sleeper = Task {
                try await pool.transaction { connection in
                    announce.finish()
                    _ = try connection.query("SELECT pg_sleep(60)")
                }
            }
            for await _ in started {}
            sleeper.cancel()
            let error = try await postgresError { try await sleeper.value }
            #expect(error.code == .cancelled)
            #expect(try await pool.withConnection { try await $0.backendPID() } == pid)
        }
    }

    @Test func `a cancellation never hits the next statement`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.withConnection { connection in
                for round in 0..<100 {
                    let (started, announce) = AsyncStream.makeStream(of: Void.self)
                    let task = Task {
                        try await connection.transaction { connection in
                            announce.finish()
                            // Ends by itself at about the time at which the request arrives.
                            _ = try connection.query("SELECT pg_sleep($1)", [Double(round) / 5e4])
                        }
                    }
                    for await _ in started {}
                    task.cancel()
                    connection.wake()
                    do {
                        try await task.value
                    } catch let error as PostgresError {
                        #expect(error.code == .cancelled)
                    }
                    try await connection.query("SELECT pg_sleep(0.005)")
                }
            }
        }
    }

    @Test func `a cancelled task starts no statement`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let task = Task {
                try await pool.withConnection { connection in
                    withUnsafeCurrentTask { $0?.cancel() }
                    try await connection.query("INSERT INTO t VALUES (1)")
                }
            }
            let error = try await postgresError { _ = try await task.value }
            #expect(error.code == .cancelled)
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
        }
    }

    @Test func `COPY in either direction can be cancelled`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE t (a text)")
            let task = Task {
                try await pool.withConnection { connection in
                    let line = Array("x\n".utf8)
                    try await connection.copyIn("COPY t FROM STDIN") {
                        withUnsafeCurrentTask { $0?.cancel() }
                        return line
                    }
                }
            }
            #expect(try await postgresError { _ = try await task.value }.code == .cancelled)
            let out = Task {
                try await pool.withConnection { connection in
                    try await connection.copyOut(
                        "COPY (SELECT generate_series(1, 100000000)) TO STDOUT"
                    ) { _ in withUnsafeCurrentTask { $0?.cancel() } }
                }
            }
            #expect(try await postgresError { _ = try await out.value }.code == .cancelled)
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
        }
    }

    @Test func `a statement past its deadline is cancelled on the server`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.withConnection { connection in
                let pid = try await connection.backendPID()
                let error = try await postgresError {
                    try await connection.query("SELECT pg_sleep(60)", timeoutSeconds: 0.1)
                }
                #expect(error.code == .timeout)
                #expect(error.statement == "SELECT pg_sleep(60)")
                #expect(try await connection.backendPID() == pid)
            }
        }
    }

    @Test func `the configuration's deadline holds for every statement`() async throws {
        try await withPool(statementTimeoutSeconds: 0.1) { pool in
            let error = try await postgresError { try await pool.query("SELECT pg_sleep(60)") }
            #expect(error.code == .timeout)
            try await pool.query("SELECT pg_sleep(0.3)", timeoutSeconds: .infinity)
        }
    }

    @Test func `a server that vanished cannot hang us`() async throws {
        try await withSchema { url, _ in
            try await FaultyProxy.run(url: url) { proxy, detour in
                let pool = PostgresPool(
                    configuration: PostgresConfiguration(url: detour), maximumConnections: 1)
                try await pool.query("SELECT 1")
                proxy.behave(.freeze)
                let error = try await postgresError {
                    try await pool.query("SELECT 1", timeoutSeconds: 0.1)
                }
                #expect(error.code == .timeout)
                proxy.behave(.relay)
                #expect(try await pool.value("SELECT 2 AS value") == 2)
            }
        }
    }

    @Test func `a server that does not greet ends in a time-out, and in cancellation`() async throws
    {
        try await withSchema { address, _ in
            try await FaultyProxy.run(url: address) { proxy, detour async throws in
                proxy.behave(.freeze)
                let impatient = PostgresPool(
                    configuration: PostgresConfiguration(
                        url: url(detour, "connect_timeout=1"), connectTimeoutSeconds: 60))
                #expect(
                    try await postgresError { try await impatient.query("SELECT 1") }.code
                        == .timeout)
                let patient = PostgresPool(
                    configuration: PostgresConfiguration(url: detour, connectTimeoutSeconds: 60))
                let known = proxy.clients
                let task = Task { try await patient.query("SELECT 1") }
                while proxy.clients == known { await Task.yield() }
                task.cancel()
                #expect(try await postgresError { _ = try await task.value }.code == .cancelled)
            }
        }
    }
}
