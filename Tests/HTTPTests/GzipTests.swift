import HTTP
import Testing

/// gzip both ways; the packed side is checked against the gzip program.
@Suite(.timeLimit(.minutes(1)))
struct GzipTests {
    let client: HTTPClient

    init() throws {
        client = try HTTPClient()
    }

    enum Body: CaseIterable {
        case empty, oneByte, zeros, mixed

        var bytes: [UInt8] {
            switch self {
            case .empty: []
            case .oneByte: [1]
            case .zeros: Array(repeating: 0, count: 3 << 20)
            case .mixed:
                (0..<1_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) }
            }
        }
    }

    @Test(arguments: Body.allCases)
    func `a packed body has its length and unpacks to the same bytes`(kind: Body) async throws {
        let body = kind.bytes
        let seen = Reports<ServerRequest>()
        let server = try ScriptedServer { connection in
            seen.report(try connection.readRequest())
            try connection.respond()
        }
        _ = try await client.send(
            HTTPRequest(
                method: "POST", url: server.url, body: .bytes(body), compressesBody: true))
        let request = try await seen.next()
        #expect(request.header("content-encoding") == "gzip")
        #expect(request.header("content-length") == "\(request.body.count)")
        #expect(Digest(try unpacked(request.body)) == Digest(body))
    }

    @Test(arguments: Body.allCases, [false, true])
    func `a packed response is given unpacked`(kind: Body, inChunks: Bool) async throws {
        let body = kind.bytes
        let packed = try packed(body)
        let accepts = Reports<String?>()
        let server = try ScriptedServer { connection in
            while true {
                accepts.report(try connection.readRequest().header("accept-encoding"))
                let kind = "Content-Encoding: gzip\r\n"
                if inChunks {
                    try connection.write(
                        "HTTP/1.1 200 OK\r\n\(kind)Transfer-Encoding: chunked\r\n\r\n")
                    try connection.writeChunk(packed)
                    try connection.write("0\r\n\r\n")
                } else {
                    try connection.respond(headers: kind, body: packed)
                }
            }
        }
        let response = try await client.send(HTTPRequest(url: server.url))
        #expect(Digest(response.body) == Digest(body))
        #expect(response.headers["content-encoding"] == "gzip")
        #expect(try await accepts.next() == "gzip")

        // Read as a stream, it passes the window many times.
        let streamed = try await client.withResponse(to: HTTPRequest(url: server.url)) { response in
            try await response.collect(maximumBytes: .max)
        }
        #expect(Digest(streamed) == Digest(body))

        let plain = try await client.send(
            HTTPRequest(url: server.url, decodesResponse: false))
        #expect(Digest(plain.body) == Digest(packed))
        _ = try await accepts.next()
        #expect(try await accepts.next() == nil)
    }
}
