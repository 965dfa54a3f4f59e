import Glibc
import HTTP
import Synchronization
import Testing

/// Requests that go well, over HTTP/1.1.
@Suite(.timeLimit(.minutes(1)))
struct ExchangeTests {
    let client: HTTPClient

    init() throws {
        client = try HTTPClient(
            configuration: .init(maximumConnections: 1_100, maximumConnectionsPerHost: 1_100))
    }

    @Test func `the response is given with its status, headers, body and version`() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.respond(
                "418 I'm a teapot", headers: "X-Kind:  tea \r\nx-many: 1\r\nX-Many: 2\r\n")
        }
        let response = try await client.send(HTTPRequest(url: server.url + "/pot"))
        #expect(response.status == 418)
        #expect(response.version == "1.1")
        #expect(response.headers["x-kind"] == "tea")
        #expect(response.headers.values(of: "X-MANY") == ["1", "2"])
        #expect(response.headers["absent"] == nil)
        #expect(response.body == Array("ok".utf8))
    }

    @Test(arguments: ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
    func `a method without a body is sent as it is`(method: String) async throws {
        let seen = Reports<String>()
        let server = try ScriptedServer { connection in
            seen.report(try connection.readRequest().head)
            try connection.respond()
        }
        let url = server.url + "/path?query=1"
        _ = try await client.send(HTTPRequest(method: method, url: url))
        let head = try await seen.next()
        #expect(head.hasPrefix("\(method) /path?query=1 HTTP/1.1\r\n"))
        #expect(
            head.contains("Content-Length: 0\r\n") == ["POST", "PUT", "PATCH"].contains(method))
        #expect(!head.contains("chunked"))
    }

    @Test func `a response to HEAD has headers and no body`() async throws {
        let server = try ScriptedServer { connection in
            while true {
                _ = try connection.readRequest()
                try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
            }
        }
        for _ in 1...2 {
            let response = try await client.send(HTTPRequest(method: "HEAD", url: server.url))
            #expect(response.headers["Content-Length"] == "99")
            #expect(response.body.isEmpty)
        }
        #expect(server.accepted == 1)
    }

    @Test func `the caller's headers arrive, and Expect is never sent`() async throws {
        let seen = Reports<ServerRequest>()
        let server = try ScriptedServer { connection in
            seen.report(try connection.readRequest())
            try connection.respond()
        }
        // libcurl adds Expect to bodies above a megabyte.
        let body = [UInt8](repeating: 7, count: 2 << 20)
        _ = try await client.send(
            HTTPRequest(
                method: "POST", url: server.url,
                headers: ["Authorization": "Bearer x", "X-Empty": "", "Content-Type": "a/b"],
                body: .bytes(body)))
        let request = try await seen.next()
        #expect(request.header("authorization") == "Bearer x")
        #expect(request.header("x-empty") == "")
        #expect(request.header("content-type") == "a/b")
        #expect(request.header("user-agent") == "meterflow-jobs")
        #expect(request.header("content-length") == "\(body.count)")
        #expect(request.header("expect") == nil)
        #expect(Digest(request.body) == Digest(body))
    }

    @Test func `interim responses are passed over and trailers ignored`() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write(
                """
                HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n\
                HTTP/1.1 200 OK\r\nX-A: 1\r\nTransfer-Encoding: chunked\r\n\r\n\
                2\r\nhi\r\n0\r\nX-Trailer: late\r\n\r\n
                """)
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        #expect(response.status == 200)
        #expect(response.headers.fields.map(\.name) == ["X-A", "Transfer-Encoding"])
        #expect(response.body == Array("hi".utf8))
    }

    @Test func `a redirect is a response and is not followed`() async throws {
        let server = try ScriptedServer { connection in
            while true {
                _ = try connection.readRequest()
                try connection.respond("302 Found", headers: "Location: /elsewhere\r\n")
            }
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        #expect(response.status == 302)
        #expect(response.headers["location"] == "/elsewhere")
        #expect(server.accepted == 1)
    }

    @Test func `a hundred requests one after the other use one connection`() async throws {
        let server = try ScriptedServer { connection in
            while true {
                _ = try connection.readRequest()
                try connection.respond()
            }
        }
        for _ in 1...50 {
            _ = try await client.send(HTTPRequest(url: server.url))
            try await client.withResponse(to: HTTPRequest(url: server.url)) { response in
                let body = try await response.collect(maximumBytes: 2)
                #expect(body == Array("ok".utf8))
            }
        }
        #expect(server.accepted == 1)
    }

    @Test func `a thousand requests are in flight at once`() async throws {
        let waiting = Mutex(0)
        let gate = Gate()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            if waiting.withLock({ count in
                count += 1
                return count == 1_000
            }) {
                gate.open()
            }
            // Nobody is answered before everybody has asked.
            try gate.pass()
            try connection.respond()
        }
        let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 1...1_000 {
                group.addTask {
                    try await client.send(HTTPRequest(method: "POST", url: server.url)).status
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        #expect(statuses == Array(repeating: 200, count: 1_000))
        #expect(server.accepted == 1_000)
    }

    @Test func `requests beyond the limit of connections wait in line`() async throws {
        let open = Mutex((now: 0, most: 0))
        let server = try ScriptedServer { connection in
            while true {
                _ = try connection.readRequest()
                open.withLock {
                    $0.now += 1
                    $0.most = max($0.most, $0.now)
                }
                open.withLock { $0.now -= 1 }
                try connection.respond()
            }
        }
        let narrow = try HTTPClient(configuration: .init(maximumConnectionsPerHost: 3))
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...60 {
                group.addTask { _ = try await narrow.send(HTTPRequest(url: server.url)) }
            }
            try await group.waitForAll()
        }
        #expect(open.withLock { $0.most } <= 3)
        #expect(server.accepted <= 3)
    }

    @Test func `proxies from the environment are ignored`() async {
        // In a process of its own: the environment belongs to every test in this one.
        await #expect(processExitsWith: .success) {
            let server = try ScriptedServer { connection in
                _ = try connection.readRequest()
                try connection.respond()
            }
            let proxy = try ScriptedServer { _ in }
            setenv("http_proxy", proxy.url, 1)
            setenv("ALL_PROXY", proxy.url, 1)
            let response = try await HTTPClient().send(HTTPRequest(url: server.url))
            try #require(response.status == 200)
            try #require(proxy.accepted == 0)
        }
    }

    @Test func `a client raises the soft limit of open files to the hard one`() async {
        await #expect(processExitsWith: .success) {
            var limits = rlimit()
            let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
            getrlimit(resource, &limits)
            limits.rlim_cur = 64
            setrlimit(resource, &limits)
            try #require(raiseFileLimit(to: 100) == 100)
            try #require(raiseFileLimit(to: 80) == 100)
            _ = try HTTPClient()
            getrlimit(resource, &limits)
            try #require(limits.rlim_cur == limits.rlim_max)
        }
    }
}
