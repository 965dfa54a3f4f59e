import Postgres
import Testing

private struct SourceFailure: Error, Equatable {}

@Suite(.timeLimit(.minutes(1)))
struct CopyTests {
    static let awkward: [String?] = [
        nil, "", "\\N", "\\", "\\.", "a\tb", "a\nb", "a\r\nb", "\\t", "x\\", "é🧾",
        "\u{8}\u{c}\u{b}",
    ]

    @Test func `awkward texts survive COPY in`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (n int, a text)")
            let copied = try await pool.transaction { connection in
                var encoder = PostgresCopyEncoder()
                for (number, text) in CopyTests.awkward.enumerated() {
                    encoder.row([String(number), text])
                }
                // One byte at a time: a piece need not be a row.
                var bytes = encoder.take()[...]
                return try connection.copyIn("COPY t FROM STDIN") { bytes.popFirst().map { [$0] } }
            }
            #expect(copied == CopyTests.awkward.count)
            let rows = try await pool.query("SELECT a FROM t ORDER BY n").rows
            #expect(try rows.map { try $0.decode("a", as: String?.self) } == CopyTests.awkward)
        }
    }

    @Test func `COPY out gives back what COPY in took`() async throws {
        try await withPool { pool in
            var encoder = PostgresCopyEncoder()
            for text in CopyTests.awkward.dropLast() { encoder.row([text]) }
            let written = encoder.take()
            #expect(encoder.bytes.isEmpty)
            let read = try await pool.transaction { connection in
                try connection.query("CREATE TABLE t (n serial, a text)")
                var pieces = [written]
                try connection.copyIn("COPY t (a) FROM STDIN") { pieces.popLast() }
                var read: [UInt8] = []
                try connection.copyOut("COPY (SELECT a FROM t ORDER BY n) TO STDOUT") { read += $0 }
                return read
            }
            #expect(read == written)
        }
    }

    @Test func `a million rows pass both ways in flat memory`() async {
        // In a process of its own, where nothing else takes memory.
        await #expect(processExitsWith: .success) {
            try await withPool { pool in
                try await pool.query("CREATE UNLOGGED TABLE t (n int, a text)")
                let grown = try await pool.transaction { connection in
                    let before = residentBytes()
                    var peak = before
                    var encoder = PostgresCopyEncoder()
                    for number in 0..<1000 {
                        encoder.row([String(number), "a customer of middling length"])
                    }
                    // One piece again and again: faster than the server takes it.
                    let piece = encoder.take()
                    var left = 1000
                    let copied = try connection.copyIn("COPY t FROM STDIN") {
                        peak = max(peak, residentBytes())
                        left -= 1
                        return left >= 0 ? piece : nil
                    }
                    #expect(copied == 1_000_000)
                    var lines = 0
                    let out = try connection.copyOut("COPY t TO STDOUT") { piece in
                        peak = max(peak, residentBytes())
                        lines += piece.count { $0 == UInt8(ascii: "\n") }
                        #expect(piece.last == UInt8(ascii: "\n"))
                    }
                    #expect(out == 1_000_000)
                    #expect(lines == 1_000_000)
                    return peak - before
                }
                // The data are 37 MB each way.
                #expect(grown < 10_000_000, "grew by \(grown) bytes")
            }
        }
    }

    @Test func `a failing source copies nothing and keeps its error`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE t (a int)")
            try await pool.withConnection { connection async throws in
                let pieces = [Array("1\n".utf8), Array("2\n".utf8)]
                await #expect(throws: SourceFailure.self) {
                    var left = pieces
                    try await connection.copyIn("COPY t FROM STDIN") {
                        guard let piece = left.popLast() else { throw SourceFailure() }
                        return piece
                    }
                }
                #expect(try await connection.query("SELECT FROM t").rows.isEmpty)
            }
        }
    }

    @Test func `a failing sink ends the COPY and keeps its error`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.withConnection { connection in
                let pid = try await connection.backendPID()
                await #expect(throws: SourceFailure.self) {
                    try await connection.copyOut(
                        "COPY (SELECT generate_series(1, 100000000)) TO STDOUT"
                    ) { _ in throw SourceFailure() }
                }
                #expect(try await connection.backendPID() == pid)
            }
        }
    }

    @Test func `the server's refusal of a row is reported without the row`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let error = try await postgresError {
                try await pool.withConnection { connection in
                    var pieces = [Array("1\nsecret-17\n".utf8)]
                    try await connection.copyIn("COPY t FROM STDIN") { pieces.popLast() }
                }
            }
            #expect(error.code == .server("22P02"))
            #expect(!error.description.contains("secret-17"))
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 0)
        }
    }

    @Test(arguments: ["SELECT 1", "COPY (SELECT 1) TO STDOUT", "COPY nowhere FROM STDIN", "-- no"])
    func `what is no COPY in is refused and leaves the session usable`(sql: String) async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.withConnection { connection in
                let pid = try await connection.backendPID()
                _ = try await postgresError { try await connection.copyIn(sql) { nil } }
                #expect(try await connection.backendPID() == pid)
            }
        }
    }

    @Test(arguments: ["SELECT 1", "COPY t FROM STDIN", "COPY nowhere TO STDOUT"])
    func `what is no COPY out is refused and leaves the session usable`(sql: String) async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.query("CREATE TABLE t (a int)")
            try await pool.withConnection { connection in
                let pid = try await connection.backendPID()
                _ = try await postgresError { try await connection.copyOut(sql) { _ in } }
                #expect(try await connection.backendPID() == pid)
            }
        }
    }
}
