import Postgres
import Testing

@Suite(.timeLimit(.minutes(1)))
struct PoolTests {
    @Test func `a pool opens no more sessions than it may`() async throws {
        try await withPool(maximumConnections: 3) { pool in
            let pids = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<60 {
                    group.addTask {
                        try await pool.withConnection { connection in
                            try await connection.query("SELECT pg_sleep(0.005)")
                            return try await connection.backendPID()
                        }
                    }
                }
                return try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            }
            #expect(pids.count <= 3)
        }
    }

    @Test func `who waits first is served first`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            let order = Recorder<Int>()
            let waiters = try await pool.withConnection { connection in
                let pid = try await connection.backendPID()
                var waiters: [Task<Void, any Error>] = []
                for number in 0..<20 {
                    let waiter = Task {
                        let own = try await pool.withConnection { connection in
                            order.add(number)
                            return try await connection.backendPID()
                        }
                        #expect(own == pid)
                    }
                    waiters.append(waiter)
                    while pool.waiting <= number { await Task.yield() }
                }
                return waiters
            }
            for waiter in waiters { try await waiter.value }
            #expect(order.all == Array(0..<20))
        }
    }

    @Test func `a waiter can be cancelled, and the next one is served`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            let (held, announce) = AsyncStream.makeStream(of: Void.self)
            let (done, release) = AsyncStream.makeStream(of: Void.self)
            let holder = Task {
                try await pool.withConnection { _ in
                    announce.finish()
                    for await _ in done {}
                }
            }
            for await _ in held {}
            let impatient = Task { try await pool.query("SELECT 1") }
            while pool.waiting < 1 { await Task.yield() }
            let patient = Task { try await pool.value("SELECT 2 AS value", as: Int.self) }
            while pool.waiting < 2 { await Task.yield() }
            impatient.cancel()
            let error = try await postgresError { _ = try await impatient.value }
            #expect(error.code == .cancelled)
            release.finish()
            #expect(try await patient.value == 2)
            try await holder.value
        }
    }

    @Test(arguments: ["SELECT 1", "SELECT 1/0"])
    func `a session left in a transaction is not lent again`(last: String) async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let pid = try await pool.withConnection { connection in
                let pid = try await connection.backendPID()
                try await connection.query("BEGIN")
                try await connection.query("INSERT INTO t VALUES (1)")
                _ = try? await connection.query(last)
                return pid
            }
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
            #expect(try await pool.withConnection { try await $0.backendPID() } != pid)
        }
    }

    @Test func `a session whose backend was terminated is replaced`() async throws {
        try await withSchema { url, _ in
            let configuration = PostgresConfiguration(url: url)
            let pool = PostgresPool(configuration: configuration, maximumConnections: 3)
            let other = PostgresPool(configuration: configuration, maximumConnections: 1)
            let pids = try await openThree(pool)
            for pid in pids { try await other.query("SELECT pg_terminate_backend($1)", [pid]) }
            for pid in pids { try await other.untilGone(pid) }
            #expect(try await openThree(pool).isDisjoint(with: pids))
            await pool.shutdown()
            await other.shutdown()
        }
    }

    @Test func `a session lost in a statement is reported, not retried`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.withConnection { connection in
                let error = try await postgresError {
                    try await connection.query("SELECT pg_terminate_backend(pg_backend_pid())")
                }
                #expect(error.code == .connectionLost)
                #expect(error.sqlState == "57P01")
                let next = try await postgresError { try await connection.query("SELECT 1") }
                #expect(next.code == .connectionLost)
            }
            #expect(try await pool.value("SELECT 1 AS value") == 1)
        }
    }

    @Test func `a pool outlives a restart of the server`() async throws {
        try await withSchema { url, _ in
            try await FaultyProxy.run(url: url) { proxy, detour in
                let pool = PostgresPool(
                    configuration: PostgresConfiguration(url: detour), maximumConnections: 3)
                let before = try await openThree(pool)
                proxy.behave(.refuse)
                proxy.cutAll()
                let down = try await postgresError {
                    // A cut may not have arrived yet: then the first use finds it.
                    for _ in 0..<4 { _ = try? await pool.query("SELECT 1") }
                    try await pool.query("SELECT 1")
                }
                #expect(down.code == .connect)
                proxy.behave(.relay)
                #expect(try await openThree(pool).isDisjoint(with: before))
            }
        }
    }

    @Test func `a refused login is told apart from an unreachable server`() async throws {
        try await withSchema { address, _ in
            for (parameter, code, sqlState) in [
                ("user=nobody_of_this_name", PostgresError.Code.authentication, "28"),
                ("dbname=nothing_of_this_name", .connect, "3D000"),
            ] {
                let pool = PostgresPool(
                    configuration: PostgresConfiguration(url: url(address, parameter)))
                let error = try await postgresError { try await pool.query("SELECT 1") }
                #expect(error.code == code)
                #expect(error.sqlState?.hasPrefix(sqlState) == true)
            }
            let pool = PostgresPool(
                configuration: PostgresConfiguration(url: "postgres://127.0.0.1:1/none"))
            let error = try await postgresError { try await pool.query("SELECT 1") }
            #expect(error.code == .connect)
            #expect(error.sqlState == nil)
            // A failed attempt gives its place back.
            for _ in 0..<20 { _ = try? await pool.query("SELECT 1") }
        }
    }

    @Test func `a closed pool refuses who waits and who comes`() async throws {
        try await withSchema { url, _ in
            let pool = PostgresPool(
                configuration: PostgresConfiguration(url: url), maximumConnections: 1)
            let pid = try await pool.withConnection { connection in
                let waiter = Task { try await pool.query("SELECT 1") }
                while pool.waiting < 1 { await Task.yield() }
                await pool.shutdown()
                #expect(try await postgresError { _ = try await waiter.value }.code == .closed)
                return try await connection.backendPID()
            }
            #expect(try await postgresError { try await pool.query("SELECT 1") }.code == .closed)
            let other = PostgresPool(configuration: PostgresConfiguration(url: url))
            try await other.untilGone(pid)
            await other.shutdown()
        }
    }

    @Test func `150 sessions that wait leave the cooperative pool alone`() async throws {
        try await withSchema { url, schema in
            let configuration = PostgresConfiguration(url: url)
            let sleepers = PostgresPool(configuration: configuration, maximumConnections: 150)
            let other = PostgresPool(configuration: configuration, maximumConnections: 1)
            let key = "hashtext('\(schema)')"
            try await other.withConnection { holder in
                try await holder.query("SELECT pg_advisory_lock(\(key))")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<150 {
                        group.addTask {
                            try await sleepers.query("SELECT pg_advisory_xact_lock_shared(\(key))")
                        }
                    }
                    let waiting = """
                        SELECT count(*) AS value FROM pg_locks
                        WHERE locktype = 'advisory' AND NOT granted AND objid = \(key)::oid
                        """
                    while try await holder.query(waiting).rows[0].decode("value") < 150 {
                        await Task.yield()
                    }
                    // All 150 wait for the server, each on a thread; tasks still run.
                    #expect(await Task.detached { 42 }.value == 42)
                    try await holder.query("SELECT pg_advisory_unlock(\(key))")
                    try await group.waitForAll()
                }
            }
            await sleepers.shutdown()
            await other.shutdown()
        }
    }

    private func openThree(_ pool: PostgresPool) async throws -> Set<Int> {
        try await withThrowingTaskGroup(of: Int.self) { group in
            let meeting = Recorder<Int>()
            for _ in 0..<3 {
                group.addTask {
                    try await pool.withConnection { connection in
                        let pid = try await connection.backendPID()
                        meeting.add(pid)
                        while meeting.all.count < 3 { await Task.yield() }
                        return pid
                    }
                }
            }
            return try await group.reduce(into: Set()) { $0.insert($1) }
        }
    }
}
