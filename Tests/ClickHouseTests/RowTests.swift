import ClickHouse
import Testing

@Suite(.timeLimit(.minutes(5))) struct RowTests {
    @Test func `values are read by the name of their column`() async throws {
        let rows = try await client().rows(
            ClickHouseQuery(
                """
                SELECT number AS n, toString(number * 2) AS `odd\tname`, if(number = 1, NULL, 'x') AS x
                FROM numbers(3) ORDER BY n
                """))
        #expect(try rows.integers("n") == [0, 1, 2])
        #expect(try rows.strings("odd\tname") == ["0", "2", "4"])
        let texts = try rows.map { try $0.optionalString("x") }
        #expect(texts == ["x", nil, "x"])
    }

    @Test func `NULL is not the text backslash N`() async throws {
        let rows = try await client().rows(
            ClickHouseQuery(
                """
                SELECT CAST(NULL AS Nullable(String)) AS a, CAST('\\\\N' AS Nullable(String)) AS b,
                    'NULL' AS c, '' AS d
                """))
        let row = try #require(rows.first)
        #expect(try row.optionalString("a") == nil)
        #expect(try row.optionalString("b") == "\\N")
        #expect(try row.string("b") == "\\N")
        #expect(try row.string("c") == "NULL")
        #expect(try row.string("d") == "")
    }

    @Test func `every byte of a text comes back, in every place`() async throws {
        let rows = try await client().rows(
            ClickHouseQuery(
                """
                SELECT number AS n, char(number) AS a, concat('x', char(number)) AS b,
                    concat(char(number), 'x') AS c, concat('\\\\', char(number), '\\\\') AS d
                FROM numbers(128) ORDER BY n
                """))
        #expect(rows.count == 128)
        for row in rows {
            let character = String(Unicode.Scalar(UInt8(try row.int64("n"))))
            #expect(try row.string("a").utf8.elementsEqual(character.utf8))
            #expect(try row.string("b").utf8.elementsEqual("x\(character)".utf8))
            #expect(try row.string("c").utf8.elementsEqual("\(character)x".utf8))
            #expect(try row.string("d").utf8.elementsEqual("\\\(character)\\".utf8))
        }
    }

    @Test(arguments: [
        "SELECT 1 AS value WHERE false", "SELECT number AS value, 'x' AS x FROM numbers(0)",
    ])
    func `an answer without rows is an answer`(_ sql: String) async throws {
        #expect(try await client().rows(ClickHouseQuery(sql)).isEmpty)
    }

    @Test func `rows of one empty text are rows`() async throws {
        let rows = try await client().rows(
            ClickHouseQuery("SELECT if(number = 1, 'x', '') AS a FROM numbers(4)"))
        #expect(try rows.strings("a") == ["", "x", "", ""])
    }

    @Test func `a column that is missing, NULL or no integer is an error that names it`()
        async throws
    {
        let rows = try await client().rows(
            ClickHouseQuery(
                "SELECT 's3cret' AS a, NULL AS b, '12' AS c, '9223372036854775808' AS d"))
        let row = try #require(rows.first)
        #expect(try row.int64("c") == 12)
        let failures: [(String, () throws -> Void)] = [
            ("missing", { _ = try row.string("missing") }),
            ("missing", { _ = try row.optionalString("missing") }),
            ("missing", { _ = try row.int64("missing") }),
            ("b", { _ = try row.string("b") }), ("b", { _ = try row.int64("b") }),
            ("a", { _ = try row.int64("a") }), ("d", { _ = try row.int64("d") }),
        ]
        for (column, read) in failures {
            let error = #expect(throws: ClickHouseError.self, performing: read)
            #expect(error?.code == .decoding)
            #expect(error?.message.contains(column) == true)
            #expect(error?.description.contains("s3cret") == false)
        }
    }

    @Test func `two columns of one name do no harm`() async throws {
        let rows = try await client().rows(ClickHouseQuery("SELECT 7 AS a, 8 AS b, 7 AS a"))
        #expect(try rows.integers("a") == [7])
        #expect(try rows.integers("b") == [8])
    }

    @Test func `a long answer arrives in batches, in order and complete`() async throws {
        var (next, batches): (Int64, Int) = (0, 0)
        try await client().forEachBatch(
            ClickHouseQuery("SELECT number AS n, repeat('x', 50) AS x FROM numbers(300000)")
        ) { rows in
            batches += 1
            let numbers = try rows.integers("n")
            #expect(numbers == Array(next..<next + Int64(rows.count)))
            next += Int64(rows.count)
        }
        #expect(next == 300_000)
        #expect(batches > 10)
    }

    @Test func `what the reader of the rows throws arrives unchanged`() async throws {
        struct Enough: Error {}
        let client = try client()
        await #expect(throws: Enough.self) {
            try await client.forEachBatch(
                ClickHouseQuery("SELECT number AS n FROM numbers(10000000)")
            ) { _ in throw Enough() }
        }
        #expect(try await client.value("SELECT 1 AS value") == "1")
    }

    @Test func `a statement that answers nothing is executed, and has no rows`() async throws {
        try await withDatabase { client in
            try await client.execute(ClickHouseQuery("CREATE TABLE t (a Int64) ENGINE = Memory"))
            try await client.execute(ClickHouseQuery("INSERT INTO t SELECT number FROM numbers(5)"))
            #expect(try await client.value("SELECT count() AS value FROM t") == "5")
        }
    }
}
