import ClickHouse
import Foundation
import Glibc
import HTTP
import Testing

@Suite(.timeLimit(.minutes(5))) struct ErrorTests {
    @Test(arguments: [
        ("SELEC 1", 62), ("SELECT 1; SELECT 2", 62), ("SELECT * FROM no_such_table", 60),
        ("SELECT no_such_column", 47), ("SELECT throwIf(1)", 395),
        ("SELECT * FROM no_such_database.t", 81), ("SELECT toInt64('x')", 6),
    ])
    func `an error carries the server's code, its words and the query's id`(
        _ sql: String, _ code: Int
    ) async throws {
        let client = try client()
        let error = try await clickHouseError { _ = try await client.rows(ClickHouseQuery(sql)) }
        #expect(error.code == .server(code: code))
        #expect(error.message.hasPrefix("Code: \(code). DB::Exception: "))
        let queryID = try #require(error.queryID)
        #expect("\(error)".hasSuffix("(query \(queryID))"))
        #expect(try await client.value("SELECT 1 AS value") == "1")
    }

    @Test(arguments: ["wrong-s3cret", "", "wrong s3cret é%"])
    func `a wrong password is named as such, and never repeated`(_ password: String) async throws {
        let url = try #require(URL(string: serverURL()))
        var parts = try #require(URLComponents(url: url, resolvingAgainstBaseURL: false))
        parts.password = password
        let client = try client(url: try #require(parts.string))
        for sql in ["SELECT 1 AS value", "SELECT 's3cret' AS value"] {
            let error = try await clickHouseError { _ = try await client.value(sql) }
            #expect(error.code == .authentication)
            #expect(!"\(error) \(String(reflecting: error))".contains("s3cret"))
            #expect("\(error)".contains("CLICKHOUSE_URL"))
        }
        let error = try await clickHouseError {
            try await client.insert(into: "t", columns: ["a"], format: "JSONEachRow", rows: [])
        }
        #expect(error.code == .authentication)
        #expect(!"\(error) \(String(reflecting: error))".contains("s3cret"))
    }

    @Test func `no error of any kind repeats the password`() async throws {
        let url = try serverURL()
        let password = try #require(URLComponents(string: url)?.password?.removingPercentEncoding)
        try #require(password.count > 6)
        let client = try client()
        for sql in ["SELEC 1", "SELECT * FROM no_such_table", "SELECT throwIf(1)"] {
            let error = try await clickHouseError { try await client.execute(ClickHouseQuery(sql)) }
            #expect(!"\(error) \(String(reflecting: error))".contains(password))
        }
    }

    @Test func `a database that is not there is an error, not an empty one`() async throws {
        let base = try ClickHouseConfiguration(url: try serverURL())
        let client = ClickHouseClient(
            configuration: ClickHouseConfiguration(base, database: "no_such_database"),
            http: try HTTPClient())
        let error = try await clickHouseError { _ = try await client.value("SELECT 1 AS value") }
        #expect(error.code == .server(code: 81))
    }

    @Test func `a server that is not there is unreachable`() async throws {
        let port = try freePort()
        let client = try client(url: "http://me:s3cret@127.0.0.1:\(port)/usage")
        let asking = try await clickHouseError { _ = try await client.value("SELECT 1 AS value") }
        let inserting = try await clickHouseError {
            try await client.insert(
                into: "t", columns: ["a"], format: "JSONEachRow", from: supply([Array("{}".utf8)]))
        }
        for error in [asking, inserting] {
            #expect(error.code == .unreachable)
            #expect("\(error)".contains("127.0.0.1:\(port)"))
            #expect(!"\(error) \(String(reflecting: error))".contains("s3cret"))
        }
    }

    /// Rows of 200 bytes in small blocks: the server has long sent status and rows when the error comes.
    static let blocks = ["max_block_size": "1000", "max_threads": "1"]

    @Test func `an error in mid-answer is an error, not a short answer`() async throws {
        var rows: Int64 = 0
        let client = try client()
        let error = try await clickHouseError {
            let sql = """
                SELECT number AS n, throwIf(number = 30000) AS x, repeat('y', 200) AS y
                FROM numbers(10000000)
                """
            try await client.forEachBatch(ClickHouseQuery(sql, settings: Self.blocks)) { batch in
                let numbers = try batch.integers("n")
                #expect(numbers == Array(rows..<rows + Int64(batch.count)))
                rows += Int64(batch.count)
            }
        }
        #expect(error.code == .server(code: 395))
        #expect(error.message.hasPrefix("Code: 395. DB::Exception: "))
        #expect(rows > 0, "the status has to be out before the error for this to mean anything")
        #expect(rows <= 30_000)
    }

    @Test func `an error in mid-answer of one column hands over no row of its own`() async throws {
        var rows = 0
        let client = try client()
        let error = try await clickHouseError {
            let sql = """
                SELECT repeat('y', 200 + throwIf(number = 30000)) AS y FROM numbers(10000000)
                """
            try await client.forEachBatch(ClickHouseQuery(sql, settings: Self.blocks)) { batch in
                let texts = try batch.strings("y")
                #expect(Set(texts.map(\.utf8.count)) == [200])
                rows += batch.count
            }
        }
        #expect(error.code == .server(code: 395))
        #expect(rows > 0)
    }

    @Test func `rows that read like an error are rows`() async throws {
        let text = "Code: 60. DB::Exception: x. (UNKNOWN_TABLE) (version 23.8.1.1 (official build))"
        let values = [text, "__exception__", "\r\n__exception__\r\n", "Code: 60. DB::Exception: x"]
        let client = try client()
        for value in values {
            let sql = "SELECT {p:String} AS value FROM numbers(3)"
            let single = try await client.rows(
                ClickHouseQuery(sql, parameters: ["p": .string(value)]))
            #expect(try single.strings("value") == [value, value, value])
            let several = try await client.rows(
                ClickHouseQuery(
                    "SELECT {p:String} AS a, 1 AS b, {p:String} AS c FROM numbers(2)",
                    parameters: ["p": .string(value)]))
            #expect(try several.strings("a") == [value, value])
            #expect(try several.strings("c") == [value, value])
        }
    }
}

/// A port on which nobody listens: the kernel gives it, and it is closed again.
private func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    return try bindToLoopback(descriptor)
}
