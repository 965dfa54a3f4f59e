import Postgres
import Testing

@Suite(.timeLimit(.minutes(1)))
struct QueryTests {
    @Test(arguments: [
        "'; DROP TABLE t; --", "\\", "$1", "a\nb\tc\r", "%s %n", "ἀρχή 🧾", "", "{}", "\\N", "null",
    ])
    func `a bound text comes back as it was`(text: String) async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a text)")
            try await pool.query("INSERT INTO t VALUES ($1)", [text])
            #expect(try await pool.value("SELECT a AS value FROM t") == text)
            #expect(
                try await pool.value("SELECT count(*) AS value FROM t WHERE a = $1", [text]) == 1)
        }
    }

    @Test(arguments: [Int64.min, -1, 0, 1, 9_007_199_254_740_993, Int64.max])
    func `a bound integer comes back as it was`(number: Int64) async throws {
        try await withPool { pool async throws in
            #expect(try await pool.value("SELECT $1::bigint AS value", [number]) == number)
            #expect(
                try await pool.value("SELECT $1::bigint AS value", [Int(number)]) == Int(number))
        }
    }

    @Test(arguments: [0, 0.1, -1e300, .leastNonzeroMagnitude, .pi, .infinity, -.infinity])
    func `a bound double comes back to the last bit`(number: Double) async throws {
        try await withPool { pool async throws in
            #expect(try await pool.value("SELECT $1::float8 AS value", [number]) == number)
        }
    }

    @Test func `bytes come back as they were`() async throws {
        try await withPool { pool async throws in
            let all = (0...255).map { UInt8($0) }
            #expect(try await pool.value("SELECT $1::bytea AS value", [all]) == all)
            #expect(try await pool.value("SELECT $1::bytea AS value", [[UInt8]()]) == [UInt8]())
            #expect(try await pool.value("SELECT length($1) AS value", [all]) == 256)
        }
    }

    @Test func `booleans and arrays come back as they were`() async throws {
        try await withPool { pool in
            #expect(try await pool.value("SELECT $1::bool AS value", [true]))
            #expect(try await !pool.value("SELECT $1::bool AS value", [false]))
            let texts = ["", "a", "NULL", "a,b", "{x}", "\"", "\\", "\\\"", " ", "é\n"]
            let rows = try await pool.query("SELECT unnest($1::text[]) AS value", [texts]).rows
            #expect(try rows.map { try $0.decode("value") as String } == texts)
            let numbers: [Int64] = [.min, 0, .max]
            let sorted = try await pool.query("SELECT unnest($1::int8[]) AS value", [numbers]).rows
            #expect(try sorted.map { try $0.decode("value") as Int64 } == numbers)
            #expect(try await pool.value("SELECT 2 = ANY($1) AS value", [[1, 2]]))
            #expect(
                try await pool.value("SELECT cardinality($1::text[]) AS value", [[String]()]) == 0)
        }
    }

    @Test func `nil is NULL, both ways`() async throws {
        try await withPool { pool async throws in
            let nothing: String? = nil
            #expect(try await pool.value("SELECT $1::text IS NULL AS value", [nil]))
            #expect(try await pool.value("SELECT $1::text IS NULL AS value", [nothing]))
            #expect(try await pool.value("SELECT NULL::text AS value", as: String?.self) == nil)
            #expect(try await pool.value("SELECT NULL::int AS value", as: Int?.self) == nil)
            #expect(try await pool.value("SELECT NULL::bytea AS value", as: [UInt8]?.self) == nil)
            #expect(try await pool.value("SELECT ''::text AS value", as: String?.self) == "")
            #expect(try await pool.value("SELECT 7 AS value", as: Int64?.self) == 7)
        }
    }

    @Test func `NULLs between values do not shift them`() async throws {
        try await withPool { pool in
            let rows = try await pool.query(
                "VALUES (NULL, 'a', NULL), ('', NULL, 'b'), (NULL, NULL, NULL)"
            ).rows
            let texts = try rows.map { row in
                try ["column1", "column2", "column3"].map { try row.decode($0, as: String?.self) }
            }
            #expect(texts == [[nil, "a", nil], ["", nil, "b"], [nil, nil, nil]])
        }
    }

    @Test(arguments: [
        ("SELECT NULL::int AS value", "is NULL"),
        ("SELECT 'secret-17' AS value", "does not read as Int"),
        ("SELECT 1.5 AS value", "does not read as Int"),
        ("SELECT 9223372036854775808 AS value", "does not read as Int"),
        ("SELECT 1 AS other", "is not in the result"),
        ("SELECT 1 AS value, 2 AS value", "is in the result twice"),
    ])
    func `what cannot be read names the column and the statement`(
        sql: String, problem: String
    ) async throws {
        try await withPool { pool in
            let error = try await postgresError { _ = try await pool.value(sql, as: Int.self) }
            #expect(error.code == .decoding)
            #expect(error.description.contains(problem))
            #expect(error.description.contains("\"value\""))
            #expect(error.statement == sql)
            #expect(!error.message.contains("secret-17"))
        }
    }

    @Test func `a refused statement says SQLSTATE, constraint, table and hint`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int CONSTRAINT only_positive CHECK (a > 0))")
            let check = try await postgresError {
                try await pool.query("-- Adds one.\nINSERT INTO t VALUES ($1)", [-1])
            }
            #expect(check.code == .server("23514"))
            #expect(check.sqlState == "23514")
            #expect(check.constraint == "only_positive")
            #expect(check.table == "t")
            #expect(check.statement == "-- Adds one.")
            let hint = try await postgresError {
                try await pool.query("SELECT lenght('x')")
            }
            #expect(hint.code == .server("42883"))
            #expect(hint.hint?.contains("explicit type casts") == true)
        }
    }

    @Test func `affected rows are counted`() async throws {
        try await withPool { pool in
            try await pool.query("CREATE TABLE t (a int)")
            let inserted = try await pool.query("INSERT INTO t SELECT generate_series(1, 7)")
            #expect(inserted.affectedRows == 7)
            let changed = try await pool.query("UPDATE t SET a = a WHERE a > $1", [5])
            #expect(changed.affectedRows == 2)
            #expect(try await pool.query("SELECT FROM t").rows.count == 7)
        }
    }

    @Test func `a NUL character is refused, not cut off`() async throws {
        try await withPool { pool in
            let error = try await postgresError { try await pool.query("SELECT $1", ["a\0b"]) }
            #expect(error.code == .usage)
            #expect(error.message.contains("$1"))
        }
    }

    @Test func `misuse is an error and leaves the session usable`() async throws {
        try await withPool(maximumConnections: 1) { pool in
            try await pool.withConnection { connection in
                for sql in ["", "-- nothing", "COPY (SELECT 1) TO STDOUT"] {
                    let error = try await postgresError { try await connection.query(sql) }
                    #expect(error.code == .usage)
                }
            }
            let several = try await postgresError { try await pool.query("SELECT 1; SELECT 2") }
            #expect(several.code == .server("42601"))
            let many = [(any PostgresEncodable)?](repeating: 1, count: 65_536)
            let error = try await postgresError { try await pool.query("SELECT 1", many) }
            #expect(error.code == .usage)
            #expect(try await pool.value("SELECT 1 AS value") == 1)
        }
    }

    @Test func `a script runs whole or not at all`() async throws {
        try await withPool { pool in
            try await pool.withConnection { connection in
                try await connection.execute(
                    script: "CREATE TABLE t (a int); INSERT INTO t VALUES (1)")
                let error = try await postgresError {
                    try await connection.execute(script: "INSERT INTO t VALUES (2); SELECT 1/0")
                }
                #expect(error.code == .server("22012"))
            }
            #expect(try await pool.value("SELECT count(*) AS value FROM t") == 1)
        }
    }

    @Test func `notices go to the handler`() async throws {
        try await withSchema { url, _ in
            let notices = Recorder<PostgresNotice>()
            let pool = PostgresPool(
                configuration: PostgresConfiguration(url: url) { notices.add($0) })
            try await pool.query("DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$")
            await pool.shutdown()
            let heard = notices.all.map { "\($0.severity) \($0.message)" }
            #expect(heard == ["NOTICE one", "WARNING two"])
        }
    }

    @Test func `a session speaks UTF-8, UTC and durable commits, whatever the URL says`()
        async throws
    {
        try await withSchema { address, _ in
            let pool = PostgresPool(
                configuration: PostgresConfiguration(
                    url: url(address, "client_encoding=LATIN1&application_name=mine")))
            for (name, value) in [
                ("client_encoding", "UTF8"), ("TimeZone", "UTC"), ("bytea_output", "hex"),
                ("synchronous_commit", "on"), ("application_name", "mine"),
            ] {
                let setting: String = try await pool.value(
                    "SELECT current_setting($1) AS value", [name])
                #expect(setting == value, "\(name)")
            }
            await pool.shutdown()
        }
    }

    @Test func `large parameters and results pass`() async throws {
        try await withPool { pool async throws in
            let bytes = [UInt8](repeating: 0xA5, count: 5_000_000)
            #expect(try await pool.value("SELECT $1::bytea AS value", [bytes]) == bytes)
        }
    }
}
