import Foundation
import HTTP
import Synchronization
import Testing

/// What goes wrong, and what the error says about it.
@Suite(.timeLimit(.minutes(1)))
struct FailureTests {
    let client: HTTPClient

    init() throws {
        client = try HTTPClient()
    }

    // MARK: Broken responses

    static let broken: [(what: String, bytes: String, resets: Bool, code: HTTPError.Code)] = [
        ("nothing at all", "", false, .receive),
        ("a reset instead of an answer", "", true, .receive),
        ("half a head", "HTTP/1.1 200 OK\r\nContent-Le", false, .receive),
        ("no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", false, .receive),
        ("too few bytes", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!", false, .truncated),
        (
            "no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfive!\r\n",
            false, .truncated
        ),
        (
            "an end within a chunk",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\nfive!", false, .truncated
        ),
        (
            "a chunk without a size",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", false, .receive
        ),
        (
            "a reset in the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!", true,
            .receive
        ),
        (
            "gzip that is none",
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
                + "this is no gzip body", false, .receive
        ),
    ]

    @Test(arguments: broken)
    func `a broken response is an error`(
        what: String, bytes: String, resets: Bool, code: HTTPError.Code
    ) async throws {
        // A reset overtakes bytes that were not read yet, so it waits until the client has them.
        let hasRead = Gate()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write(bytes)
            if resets {
                if !bytes.isEmpty { try hasRead.pass() }
                connection.reset()
            }
        }
        let request = HTTPRequest(method: "POST", url: server.url)
        if !resets {
            let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
            #expect(error?.code == code, "\(what): \(error as Any)")
            #expect(error?.serverMayHaveActed == true)
            #expect(error?.phase == (bytes.hasPrefix("HTTP") ? .receiving : .awaitingResponse))
        }
        let error = await #expect(throws: HTTPError.self) {
            try await client.withResponse(to: request) { response in
                while try await response.nextChunk() != nil { hasRead.open() }
            }
        }
        #expect(error?.code == code, "\(what): \(error as Any)")
        #expect(error?.serverMayHaveActed == true)
    }

    @Test(arguments: [(4_096, true), (4_095, false)])
    func `a body beyond the bound is an error, one that fills it is not`(
        bound: Int, fits: Bool
    ) async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.respond(body: [UInt8](repeating: 1, count: 4_096))
        }
        let request = HTTPRequest(url: server.url, maximumResponseBytes: bound)
        if fits {
            #expect(try await client.send(request).body.count == 4_096)
        } else {
            let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
            #expect(error?.code == .responseTooLarge)
            #expect(error?.phase == .receiving)
        }
    }

    @Test func `the bound counts unpacked bytes`() async throws {
        let bomb = try packed([UInt8](repeating: 0, count: 32 << 20))
        #expect(bomb.count < 64 << 10)
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.respond(headers: "Content-Encoding: gzip\r\n", body: bomb)
        }
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest(url: server.url, maximumResponseBytes: 1 << 20))
        }
        #expect(error?.code == .responseTooLarge)
    }

    @Test func `a body beyond the bound ends an upload that waits for room`() async throws {
        let server = try ScriptedServer(receiveBufferBytes: 64 << 10) { connection in
            _ = try connection.readHead()
            // By then the source waits: nothing reads what it supplied.
            _ = connection.settledUnreadBytes()
            try connection.respond(body: [UInt8](repeating: 1, count: 200_000))
            connection.awaitClose()
        }
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(
                HTTPRequest(
                    method: "POST", url: server.url,
                    body: .stream { [UInt8](repeating: 1, count: 100_000) },
                    maximumResponseBytes: 1_000))
        }
        #expect(error?.code == .responseTooLarge)
    }

    @Test func `headers without end are an error`() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\n")
            let filler = String(repeating: "x", count: 1_000)
            while true { try connection.write("X-Filler: \(filler)\r\n") }
        }
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest(url: server.url))
        }
        #expect(error?.code == .responseTooLarge || error?.code == .receive)
    }

    // MARK: Before anything was sent

    @Test func `nobody listening is a connect error, and nothing was sent`() async throws {
        let server = try ScriptedServer { _ in }
        server.stop()
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest(method: "POST", url: server.url))
        }
        #expect(error?.code == .connect)
        #expect(error?.phase == .connecting)
        #expect(error?.serverMayHaveActed == false)
    }

    @Test func `a name without an address is a resolve error, and nothing was sent`() async {
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest(method: "POST", url: "http://no-such-host.invalid/"))
        }
        #expect(error?.code == .resolve)
        #expect(error?.phase == .connecting)
        #expect(error?.serverMayHaveActed == false)
    }

    @Test func `a broken TLS handshake is a tls error, and nothing was sent`() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.read(5)
            try connection.write("HTTP/1.1 400 Bad Request\r\n\r\n")
        }
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(
                HTTPRequest(method: "POST", url: "https://127.0.0.1:\(server.port)/"))
        }
        #expect(error?.code == .tls)
        #expect(error?.serverMayHaveActed == false)
    }

    static let invalid: [(what: String, request: HTTPRequest)] = [
        ("no address", HTTPRequest(url: "")),
        ("no scheme", HTTPRequest(url: "example.com/x")),
        ("another scheme", HTTPRequest(url: "ftp://example.com/")),
        ("a file", HTTPRequest(url: "file:///etc/passwd")),
        ("no host", HTTPRequest(url: "http:///x")),
        ("a line break", HTTPRequest(url: "http://example.com/\r\nX: y")),
        ("white space", HTTPRequest(url: "http://example.com/a b")),
        ("NUL", HTTPRequest(url: "http://example.com/\0")),
        ("credentials", HTTPRequest(url: "http://user:hunter2@example.com/")),
        ("a user", HTTPRequest(url: "http://user@example.com/")),
        ("a method with a space", HTTPRequest(method: "GET /x", url: "http://example.com/")),
        ("no method", HTTPRequest(method: "", url: "http://example.com/")),
        ("CR in a value", HTTPRequest(url: "http://example.com/", headers: ["A": "hunter2\r"])),
        ("LF in a value", HTTPRequest(url: "http://example.com/", headers: ["A": "hunter2\nB: c"])),
        ("NUL in a value", HTTPRequest(url: "http://example.com/", headers: ["A": "hunter2\0"])),
        ("a colon in a name", HTTPRequest(url: "http://example.com/", headers: ["A:": "b"])),
        ("an empty name", HTTPRequest(url: "http://example.com/", headers: ["": "b"])),
        (
            "a length of its own",
            HTTPRequest(url: "http://example.com/", headers: ["content-length": "3"])
        ),
        (
            "framing of its own",
            HTTPRequest(url: "http://example.com/", headers: ["Transfer-Encoding": "chunked"])
        ),
        ("a GET with a body", HTTPRequest(url: "http://example.com/", body: .bytes([1]))),
        (
            "a time-out of nothing",
            HTTPRequest(url: "http://example.com/", timeouts: .init(totalSeconds: 0))
        ),
        (
            "a time-out that is no number",
            HTTPRequest(url: "http://example.com/", timeouts: .init(connectSeconds: .nan))
        ),
    ]

    @Test(arguments: invalid)
    func `an invalid request is refused before anything is tried`(
        what: String, request: HTTPRequest
    ) async {
        let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.phase == .preparing)
        #expect(error?.serverMayHaveActed == false)
        #expect(error.map { !"\($0)".contains("hunter2") } == true)
    }

    // MARK: What an error gives away

    @Test func `secrets stand in no description`() async throws {
        struct RowFailure: Error {
            let row = "hunter2"
        }
        let request = HTTPRequest(
            method: "POST", url: "http://127.0.0.1:1/path?key=hunter2#hunter2",
            headers: ["Authorization": "Bearer hunter2"], body: .bytes(Array("hunter2".utf8)))
        var hidden = request
        hidden.url = "http://127.0.0.1:1/services/hunter2"
        hidden.pathIsSecret = true
        for request in [request, hidden] {
            let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
            let texts = [
                "\(request)", String(reflecting: request), "\(request.headers)", "\(error as Any)",
            ]
            for text in texts { #expect(!text.contains("hunter2"), "\(text)") }
        }
        #expect("\(request)" == "POST http://127.0.0.1:1/path")
        #expect("\(hidden)" == "POST http://127.0.0.1:1/…")

        let server = try ScriptedServer { connection in connection.awaitClose() }
        var failing = request
        failing.url = server.url
        failing.body = .stream { throw RowFailure() }
        let error = await #expect(throws: HTTPError.self) { try await client.send(failing) }
        let text = "\(try #require(error))"
        #expect(text.contains("RowFailure"))
        #expect(!text.contains("hunter2"))
    }

    // MARK: The second try

    /// Serves one request a connection, and closes in mid-request when a second one comes.
    private func closingServer(_ heads: Reports<String>) throws -> ScriptedServer {
        try ScriptedServer { connection in
            heads.report(try connection.readRequest().head)
            try connection.respond()
            heads.report(try connection.readRequest().head)
        }
    }

    @Test func `a request that may not be repeated is not sent twice`() async throws {
        let heads = Reports<String>()
        let server = try closingServer(heads)
        let request = HTTPRequest(method: "POST", url: server.url, body: .bytes([1, 2, 3]))
        _ = try await client.send(request)
        let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
        #expect(error?.code == .receive)
        #expect(error?.serverMayHaveActed == true)
        #expect(error?.detail.contains("not repeatable") == true)
        // A last request, told apart by its path, must be the third that any connection read.
        _ = try await client.send(HTTPRequest(url: server.url + "/last"))
        for path in ["/", "/", "/last"] {
            #expect(try await heads.next().contains(" \(path) HTTP/1.1"))
        }
    }

    @Test func `a repeatable request is sent again on a new connection`() async throws {
        let server = try closingServer(Reports())
        let bodies = Reports<[UInt8]>()
        let second = try ScriptedServer { connection in
            bodies.report(try connection.readRequest().body)
            try connection.respond()
            bodies.report(try connection.readRequest().body)
        }
        _ = try await client.send(HTTPRequest(url: server.url))
        #expect(try await client.send(HTTPRequest(url: server.url)).status == 200)
        #expect(server.accepted == 2)

        let request = HTTPRequest(
            method: "POST", url: second.url, body: .bytes([1, 2, 3]), isRepeatable: true)
        for _ in 1...2 { #expect(try await client.send(request).status == 200) }
        for _ in 1...3 { #expect(try await bodies.next() == [1, 2, 3]) }
    }

    @Test func `a streamed body is never sent twice`() async throws {
        let server = try closingServer(Reports())
        let request = HTTPRequest(
            method: "POST", url: server.url, body: .stream(supply([[1], [2]])), isRepeatable: true)
        _ = try await client.send(HTTPRequest(url: server.url))
        let error = await #expect(throws: HTTPError.self) { try await client.send(request) }
        #expect(error?.serverMayHaveActed == true)
    }
}
