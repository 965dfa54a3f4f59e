import ClickHouse
import Foundation
import Glibc
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct InsertTests {
    @Test func `rows at hand are stored`() async throws {
        try await withTable { client in
            let rows =
                "{\"a\":1,\"b\":\"x\\ty\\u0000\"}\n{\"a\":-9223372036854775808,\"b\":\"é\"}\n"
            try await client.insert(
                into: "t", columns: ["a", "b"], format: "JSONEachRow", rows: Array(rows.utf8))
            let stored = try await client.rows(ClickHouseQuery("SELECT a, b FROM t ORDER BY a"))
            #expect(try stored.integers("a") == [.min, 1])
            #expect(try stored.strings("b") == ["é", "x\ty\0"])
        }
    }

    @Test func `an insert without rows stores nothing, and is no error`() async throws {
        try await withTable { client in
            try await client.insert(into: "t", columns: ["a"], format: "JSONEachRow", rows: [])
            try await client.insert(
                into: "t", columns: ["a"], format: "JSONEachRow", from: supply([]))
            #expect(try await client.count() == 0)
        }
    }

    @Test func `pieces may be cut anywhere`() async throws {
        let bytes = Array("1\tone\n2\ttwo\\n\n3\t\n".utf8)
        try await withTable { client in
            try await client.insert(
                into: "t", columns: ["a", "b"], format: "TabSeparated",
                from: supply(bytes.map { [$0] }))
            let stored = try await client.rows(ClickHouseQuery("SELECT b FROM t ORDER BY a"))
            #expect(try stored.strings("b") == ["one", "two\n", ""])
        }
    }

    @Test func `a body is compressed, and sent while it is produced`() async throws {
        let server = try ScriptedServer { _ in chunked([], tag: nil) }
        let client = try client(url: server.url)
        try await client.insert(
            into: "t", columns: ["a", "b"], format: "TabSeparated",
            from: supply([Array("1\tx\n".utf8)]))
        let head = try #require(server.requests.first)
        #expect(head.contains("Content-Encoding: gzip\r\n"))
        #expect(head.contains("Transfer-Encoding: chunked\r\n"))
        #expect(head.contains("query=INSERT%20INTO%20t%20%28a%2C%20b%29%20FORMAT%20TabSeparated "))
    }

    @Test func `a million rows are streamed with flat memory`() async throws {
        let rowsAPiece = 500
        let text = String(repeating: "usage ", count: 80)
        let next = Mutex(0)
        let source: @Sendable () async throws -> [UInt8]? = {
            let first = next.withLock { next in
                defer { next += rowsAPiece }
                return next
            }
            guard first < 1_000_000 else { return nil }
            var piece: [UInt8] = []
            for row in first..<first + rowsAPiece { piece += "\(row)\t\(text)\n".utf8 }
            return piece
        }
        try await withTable { client in
            let before = peakMemoryBytes()
            try await client.insert(
                into: "t", columns: ["a", "b"], format: "TabSeparated", from: source)
            // Half of what went through; other tests of this process need memory too.
            #expect(peakMemoryBytes() - before < 240 << 20)
            let sums = try await client.rows(
                ClickHouseQuery(
                    "SELECT count() AS n, uniqExact(a) AS u, sum(a) AS s, sum(length(b)) AS l FROM t"
                ))
            let row = try #require(sums.first)
            #expect(try row.int64("n") == 1_000_000)
            #expect(try row.int64("u") == 1_000_000)
            #expect(try row.int64("s") == 499_999_500_000)
            #expect(try row.int64("l") == 480_000_000)
        }
    }

    @Test(arguments: [0, 1, 999])
    func `a bad row is an error, and its rows can be inserted again without it`(
        _ position: Int
    ) async throws {
        try await withTable { client in
            let rows = (0..<1000).map { "{\"a\":\($0),\"b\":\"x\"}\n" }
            var bad = rows
            bad[position] = "{\"a\":\"one\",\"b\":\"x\"}\n"
            let error = try await clickHouseError {
                try await client.insert(
                    into: "t", columns: ["a", "b"], format: "JSONEachRow",
                    rows: Array(bad.joined().utf8))
            }
            #expect(error.code == .server(code: 27))
            #expect(error.message.contains("(at row \(position + 1))"))
            #expect(try await client.count() == 0)
            try await client.insert(
                into: "t", columns: ["a", "b"], format: "JSONEachRow",
                rows: Array(rows.joined().utf8))
            #expect(try await client.count() == 1000)
        }
    }

    @Test func `a bad row in a long stream is the server's error, not a broken connection`()
        async throws
    {
        let pieces = Mutex(0)
        let piece = Array(
            (0..<1000).map { "{\"a\":\($0),\"b\":\"\(String(repeating: "x", count: 200))\"}\n" }
                .joined().utf8)
        try await withTable { client in
            let error = try await clickHouseError {
                try await client.insert(into: "t", columns: ["a", "b"], format: "JSONEachRow") {
                    let number = pieces.withLock { count in
                        count += 1
                        return count
                    }
                    if number > 200 { return nil }
                    return number == 3 ? Array("{\"a\":\"one\"}\n".utf8) : piece
                }
            }
            #expect(error.code == .server(code: 27))
            #expect(try await client.count() == 0)
        }
    }

    @Test func `an error before the body has been read ends the insert`() async throws {
        let server = try ScriptedServer(readsFirst: false) { _ in
            let body = "Code: 60. DB::Exception: Table usage.t does not exist. (UNKNOWN_TABLE)\n"
            return Array(
                """
                HTTP/1.1 404 Not Found\r\nX-ClickHouse-Exception-Code: 60\r\nConnection: close\r
                Content-Length: \(body.utf8.count)\r\n\r\n\(body)
                """.utf8)
        }
        let client = try client(url: server.url)
        let error = try await clickHouseError {
            try await client.insert(into: "t", columns: ["a"], format: "TabSeparated") {
                [UInt8](repeating: 10, count: 65_536)
            }
        }
        #expect(error.code == .server(code: 60))
    }

    @Test func `what the source throws is thrown, and nothing is stored`() async throws {
        struct Dry: Error {}
        let calls = Mutex(0)
        try await withTable { client in
            await #expect(throws: Dry.self) {
                try await client.insert(into: "t", columns: ["a", "b"], format: "TabSeparated") {
                    let call = calls.withLock { calls in
                        calls += 1
                        return calls
                    }
                    guard call < 10 else { throw Dry() }
                    return Array("\(call)\tx\n".utf8)
                }
            }
            #expect(try await client.count() == 0)
            try await client.insert(
                into: "t", columns: ["a", "b"], format: "TabSeparated", rows: Array("1\tx\n".utf8))
            #expect(try await client.count() == 1)
        }
    }

    @Test(arguments: [("no_such_table", "a", 60), ("t", "no_such_column", 16)])
    func `a table or column that is not there is an error`(
        _ table: String, _ column: String, _ code: Int
    ) async throws {
        try await withTable { client in
            let error = try await clickHouseError {
                try await client.insert(
                    into: table, columns: [column], format: "TabSeparated",
                    from: supply([Array("1\n".utf8)]))
            }
            #expect(error.code == .server(code: code))
        }
    }
}

/// Runs a test with a table `t` of a number and a text.
private func withTable(_ body: (ClickHouseClient) async throws -> Void) async throws {
    try await withDatabase { client in
        try await client.execute(
            ClickHouseQuery("CREATE TABLE t (a Int64, b String) ENGINE = MergeTree ORDER BY a"))
        try await body(client)
    }
}

extension ClickHouseClient {
    fileprivate func count() async throws -> Int? {
        Int(try await value("SELECT count() AS value FROM t"))
    }
}

/// The most memory this process ever had, in bytes (`VmHWM`).
private func peakMemoryBytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (line.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 1_024
}
