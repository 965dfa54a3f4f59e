import HTTP
import Testing

/// gzip both ways; the packed side is checked against the gzip program.
@Suite(.timeLimit(.minutes(1)))
struct GzipTests {
    let client: HTTPClient

    init() throws {
        client = try HTTPClient()
    }

    static let bodies: [[UInt8]] = [
        [], [1], Array(repeating: 0, count: 3 << 20),
        (0..<1_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 13) },
    ]

    @Test(arguments: bodies)
    func `a packed body has its length and unpacks to the same bytes`(body: [UInt8]) async throws {
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
        #expect(try unpacked(request.body) == body)
    }

    @Test(arguments: bodies, [false, true])
    func `a packed response is given unpacked`(body: [UInt8], inChunks: Bool) async throws {
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
        #expect(response.body == body)
        #expect(response.headers["content-encoding"] == "gzip")
        #expect(try await accepts.next() == "gzip")

        // Read as a stream, it passes the window many times.
        let streamed = try await client.withResponse(to: HTTPRequest(url: server.url)) { response in
            try await response.collect(maximumBytes: .max)
        }
        #expect(streamed == body)

        let plain = try await client.send(
            HTTPRequest(url: server.url, decodesResponse: false))
        #expect(plain.body == packed)
        _ = try await accepts.next()
        #expect(try await accepts.next() == nil)
    }
}
