import ClickHouse
import HTTP
import Testing

/// The same over a connection: what the client says when the body ends with or without its last chunk.
@Suite(.timeLimit(.minutes(5))) struct BrokenConnectionTests {
    @Test(arguments: BrokenAnswerTests.answers)
    func `an exception in a 200 is the server's error, however the body ends`(
        _ answer: BrokenAnswerTests.Broken
    ) async throws {
        for isComplete in [true, false] {
            let server = try ScriptedServer { _ in
                chunked([Array(answer.body.utf8)], tag: answer.tag, isComplete: isComplete)
            }
            let client = try client(url: server.url)
            let query = ClickHouseQuery("SELECT 1")
            let asking = try await clickHouseError { _ = try await client.rows(query) }
            let executing = try await clickHouseError { try await client.execute(query) }
            let inserting = try await clickHouseError {
                try await client.insert(into: "t", columns: ["a"], format: "CSV", rows: [49, 10])
            }
            for error in [asking, executing, inserting] {
                #expect(error.code == .server(code: 395))
                #expect(error.message.hasPrefix("Code: 395. DB::Exception: "))
            }
        }
    }

    @Test(arguments: [nil, BrokenAnswerTests.tag])
    func `an answer that breaks off is truncated, in mid-row and between rows`(
        _ tag: String?
    ) async throws {
        let body = Array("n\ttext\n1\ta\n2\tb\n".utf8)
        for end in 0...body.count {
            let server = try ScriptedServer { _ in
                chunked([Array(body[..<end])], tag: tag, isComplete: false)
            }
            let client = try client(url: server.url)
            let error = try await clickHouseError {
                _ = try await client.rows(ClickHouseQuery("SELECT 1"))
            }
            #expect(error.code == .truncated, "at \(end)")
            #expect(error.queryID != nil)
        }
    }

    @Test func `an answer that ends in mid-row is truncated, although the body is complete`()
        async throws
    {
        let body = Array("n\ttext\n1\ta\n2\tb\n".utf8)
        for end in 0...body.count where ![7, 11, 15].contains(end) {
            let server = try ScriptedServer { _ in
                chunked([Array(body[..<end])], tag: BrokenAnswerTests.tag)
            }
            let client = try client(url: server.url)
            let error = try await clickHouseError {
                _ = try await client.rows(ClickHouseQuery("SELECT 1"))
            }
            #expect(error.code == .truncated, "at \(end)")
        }
    }

    @Test func `fewer bytes than announced are truncated`() async throws {
        let server = try ScriptedServer { _ in
            Array("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nn\n1\n".utf8)
        }
        let client = try client(url: server.url)
        let error = try await clickHouseError {
            _ = try await client.rows(ClickHouseQuery("SELECT 1"))
        }
        #expect(error.code == .truncated)
    }

    @Test func `a whole answer in any pieces is an answer`() async throws {
        let body = Array("n\ttext\n1\ta\n2\tb\n".utf8)
        for cut in 0...body.count {
            let server = try ScriptedServer { _ in
                chunked([Array(body[..<cut]), Array(body[cut...])], tag: BrokenAnswerTests.tag)
            }
            let rows = try await client(url: server.url).rows(ClickHouseQuery("SELECT 1"))
            #expect(try rows.strings("text") == ["a", "b"])
        }
    }

    @Test(arguments: [
        ("500 Internal Server Error", "X-ClickHouse-Exception-Code: 241\r\n", "no memory", 241),
        ("500 Internal Server Error", "", "Code: 241. DB::Exception: no memory", 241),
        ("404 Not Found", "X-ClickHouse-Exception-Code: 60\r\n", "Code: 60. DB::Exception: x", 60),
        ("200 OK", "X-ClickHouse-Exception-Code: 159\r\n", "Code: 159. DB::Exception: slow", 159),
    ])
    func `the code comes from the header, or from the words`(
        _ status: String, _ headers: String, _ body: String, _ code: Int
    ) async throws {
        let server = try ScriptedServer { _ in
            Array(
                "HTTP/1.1 \(status)\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
                    .utf8)
        }
        let client = try client(url: server.url)
        let error = try await clickHouseError {
            _ = try await client.rows(ClickHouseQuery("SELECT 1"))
        }
        #expect(error.code == .server(code: code))
        #expect(error.message == body)
    }

    @Test(arguments: ["502 Bad Gateway", "503 Service Unavailable", "302 Found", "403 Forbidden"])
    func `a proxy that answers in the server's place means that the server is unreachable`(
        _ status: String
    ) async throws {
        let server = try ScriptedServer { _ in
            Array("HTTP/1.1 \(status)\r\nContent-Length: 13\r\n\r\n<html>s3cret\n".utf8)
        }
        let client = try client(url: server.url)
        let error = try await clickHouseError {
            _ = try await client.rows(ClickHouseQuery("SELECT 1"))
        }
        #expect(error.code == .unreachable)
        #expect("\(error)".contains(String(status.prefix(3))))
    }

    @Test func `user and password travel in headers, never in the address`() async throws {
        let server = try ScriptedServer { _ in chunked([Array("n\n".utf8)], tag: nil) }
        let client = try client(
            url: "http://m%40e:s3cret%20%C3%A9@127.0.0.1:\(server.port)/my%26data")
        _ = try await client.rows(
            ClickHouseQuery("SELECT 1", parameters: ["p": .string("a&b=c d")], settings: ["s": "1"])
        )
        let head = try #require(server.requests.first)
        let line = try #require(head.split(separator: "\r\n").first)
        #expect(!line.contains("s3cret"))
        #expect(line.contains("database=my%26data"))
        #expect(line.contains("param_p=a%26b%3Dc%20d"))
        #expect(line.contains("&s=1"))
        #expect(head.contains("X-ClickHouse-User: m@e\r\n"))
        #expect(head.contains("X-ClickHouse-Key: s3cret é\r\n"))
    }

    @Test func `every query has an id of its own, and errors name it`() async throws {
        let server = try ScriptedServer { _ in chunked([], tag: nil, isComplete: false) }
        let client = try client(url: server.url)
        var ids: Set<String> = []
        for _ in 0..<20 {
            let error = try await clickHouseError {
                _ = try await client.rows(ClickHouseQuery("SELECT 1"))
            }
            let id = try #require(error.queryID)
            #expect(server.requests.last?.contains("query_id=\(id)&") == true)
            ids.insert(id)
        }
        #expect(ids.count == 20)
    }
}
