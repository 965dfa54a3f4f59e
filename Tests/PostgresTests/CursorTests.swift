import Postgres
import Testing

private struct Enough: Error {}

@Suite(.timeLimit(.minutes(1)))
struct CursorTests {
    @Test(arguments: [(0, []), (1, [1]), (10, [10]), (11, [10, 1]), (25, [10, 10, 5])])
    func `batches hold every row once`(rows: Int, sizes: [Int]) async throws {
        try await withPool { pool in
            let (numbers, counts) = try await pool.transaction { connection in
                var numbers: [Int] = []
                var counts: [Int] = []
                try connection.forEachBatch(
                    "SELECT generate_series(1, $1) AS n", [rows], batchSize: 10
                ) { batch in
                    counts.append(batch.count)
                    numbers += try batch.map { try $0.decode("n") }
                }
                return (numbers, counts)
            }
            #expect(numbers == Array(1..<(rows + 1)))
            #expect(counts == sizes)
        }
    }

    @Test func `a million rows are read in flat memory`() async {
        // In a process of its own, where nothing else takes memory.
        await #expect(processExitsWith: .success) {
            try await withPool { pool in
                let (total, grown) = try await pool.transaction { connection in
                    let before = residentBytes()
                    var peak = before
                    var total = 0
                    try connection.forEachBatch(
                        "SELECT n, repeat('x', 100) AS a FROM generate_series(1, 1000000) AS n"
                    ) { batch in
                        for row in batch { total += try row.decode("n", as: Int.self) }
                        peak = max(peak, residentBytes())
                    }
                    return (total, peak - before)
                }
                #expect(total == 500_000_500_000)
                #expect(grown < 30_000_000, "grew by \(grown) bytes")
            }
        }
    }

    @Test func `it needs no transaction and leaves none`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE t AS SELECT generate_series(1, 30) AS n")
            try await pool.withConnection { connection in
                let pid = try await connection.backendPID()
                await #expect(throws: Enough.self) {
                    try await connection.forEachBatch("SELECT n FROM t", batchSize: 7) { _ in
                        throw Enough()
                    }
                }
                #expect(await !connection.isInTransaction)
                #expect(try await connection.backendPID() == pid)
            }
        }
    }

    @Test func `a body may query and open another cursor on the same connection`() async throws {
        try await withPool { pool in
            let pairs = try await pool.transaction { connection in
                var pairs: [String] = []
                try connection.forEachBatch("VALUES ('a'), ('b')", batchSize: 1) { outer in
                    let letter: String = try outer[0].decode("column1")
                    try connection.forEachBatch("VALUES (1), (2)", batchSize: 1) { inner in
                        pairs.append(letter + String(try inner[0].decode("column1", as: Int.self)))
                    }
                    try connection.query("SELECT 1")
                }
                return pairs
            }
            #expect(pairs == ["a1", "a2", "b1", "b2"])
        }
    }

    @Test func `a body that throws leaves the surrounding transaction usable`() async throws {
        try await withPool { pool in
            try await pool.transaction { connection in
                #expect(throws: Enough.self) {
                    try connection.forEachBatch("SELECT 1") { _ in throw Enough() }
                }
                let left = try connection.query(
                    "SELECT FROM pg_cursors WHERE name LIKE 'meterflow%'")
                #expect(left.rows.isEmpty)
            }
        }
    }

    @Test func `a refused statement is reported`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            let error = try await postgresError {
                try await pool.withConnection { connection in
                    try await connection.forEachBatch(
                        "SELECT 1/(n - 15) FROM generate_series(1, 30) n", batchSize: 10
                    ) { _ in }
                }
            }
            #expect(error.code == .server("22012"))
            #expect(try await pool.value("SELECT 1 AS value") == 1)
        }
    }
}
