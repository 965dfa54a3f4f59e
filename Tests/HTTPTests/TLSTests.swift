import Glibc
import HTTP
import Synchronization
import Testing

/// TLS and HTTP/2, against a server that is not ours.
@Suite(.timeLimit(.minutes(1)))
struct TLSTests {
    let certificate: Certificate

    init() throws {
        certificate = try Certificate()
    }

    @Test func `a certificate of an unknown authority is refused, and nothing is sent`()
        async throws
    {
        let server = try HTTP2Server(certificate: certificate)
        let error = await #expect(throws: HTTPError.self) {
            try await HTTPClient().send(
                HTTPRequest(method: "POST", url: "https://127.0.0.1:\(server.port)/"))
        }
        #expect(error?.code == .tls)
        #expect(error?.phase == .connecting)
        #expect(error?.serverMayHaveActed == false)
        #expect(server.connections == 0)
    }

    @Test func `a certificate for another name is refused`() async throws {
        let server = try HTTP2Server(certificate: certificate)
        let client = try HTTPClient(configuration: .init(caFile: certificate.file))
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest(url: "https://localhost:\(server.port)/"))
        }
        #expect(error?.code == .tls)
    }

    @Test func `with its authority the server is trusted and HTTP 2 negotiated`() async throws {
        let server = try HTTP2Server(
            certificate: certificate, files: ["hello": Array("hi".utf8)])
        let client = try HTTPClient(configuration: .init(caFile: certificate.file))
        let url = "https://127.0.0.1:\(server.port)/hello"
        let response = try await client.send(HTTPRequest(url: url))
        #expect(response.version == "2")
        #expect(response.status == 200)
        #expect(response.body == Array("hi".utf8))
        #expect(response.headers["content-length"] == "2")
    }

    @Test func `many requests share one HTTP 2 connection`() async throws {
        let file = [UInt8](repeating: 3, count: 300_000)
        let server = try HTTP2Server(
            certificate: certificate, files: ["file": file])
        let client = try HTTPClient(configuration: .init(caFile: certificate.file))
        let url = "https://127.0.0.1:\(server.port)/file"
        // Several rounds, for libcurl 7.88 forgets about one in two thousand unless it is nudged.
        for _ in 1...5 {
            try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
                for index in 1...80 {
                    let body: HTTPBody = index % 4 == 0 ? .none : .bytes(file)
                    let method = index % 4 == 0 ? "GET" : "POST"
                    group.addTask {
                        try await client.send(HTTPRequest(method: method, url: url, body: body))
                    }
                }
                for try await response in group {
                    #expect(response.version == "2")
                    #expect(response.body.count == file.count)
                }
            }
        }
        #expect(server.connections == 1)
        #expect(server.mostOpenStreams > 1)
    }

    @Test func `a stream keeps an HTTP 1 connection of its own`() async throws {
        let server = try HTTP2Server(certificate: certificate)
        let client = try HTTPClient(configuration: .init(caFile: certificate.file))
        // nghttpd speaks nothing but HTTP/2, so that the refusal shows what was asked for.
        let error = await #expect(throws: HTTPError.self) {
            try await client.withResponse(
                to: HTTPRequest(url: "https://127.0.0.1:\(server.port)/")
            ) { _ in }
        }
        #expect(error != nil)
        #expect(server.connections == 0)
    }

    @Test func `cancelling one HTTP 2 request leaves the others alone`() async throws {
        let file = [UInt8](repeating: 3, count: 8 << 20)
        let server = try HTTP2Server(
            certificate: certificate, files: ["file": file, "small": [1]])
        let client = try HTTPClient(configuration: .init(caFile: certificate.file))
        let url = "https://127.0.0.1:\(server.port)/"
        func send(_ path: String) async throws -> HTTPResponse {
            try await client.send(HTTPRequest(url: url + path))
        }
        for _ in 1...20 {
            async let kept = send("file")
            let dropped = Task { try await send("file") }
            _ = try await send("small")
            dropped.cancel()
            _ = try? await dropped.value
            #expect(try await kept.body.count == file.count)
        }
        #expect(server.connections == 1)
    }

    @Test func `a TLS server that dies in mid-upload does not end the process`() async {
        await #expect(processExitsWith: .success) {
            // Where OpenSSL writes for itself, a second write to a dead connection raises SIGPIPE.
            let certificate = try Certificate()
            let server = try TLSSink(certificate: certificate)
            // The client's thread inherits this one's signals, which the runner may have blocked.
            var signals = sigset_t()
            sigemptyset(&signals)
            sigaddset(&signals, SIGPIPE)
            pthread_sigmask(SIG_UNBLOCK, &signals, nil)
            signal(SIGPIPE, SIG_DFL)
            let client = try HTTPClient(configuration: .init(caFile: certificate.file))
            let count = Mutex(0)
            do {
                _ = try await client.send(
                    HTTPRequest(
                        method: "POST", url: "https://127.0.0.1:\(server.port)/",
                        body: .stream {
                            let now = count.withLock { count in
                                count += 1
                                return count
                            }
                            if now == 20 { server.end() }
                            return [UInt8](repeating: 0, count: 100_000)
                        }))
                Issue.record("no error")
            } catch let error as HTTPError {
                try #require(error.code == .send || error.code == .receive, "\(error)")
                try #require(error.serverMayHaveActed)
            }
        }
    }
}
