import HTTP
import Synchronization
import Testing

/// Bodies that are read, or supplied, piece by piece.
@Suite(.timeLimit(.minutes(1)))
struct StreamTests {
    let client: HTTPClient

    init() throws {
        client = try HTTPClient()
    }

    // MARK: Down

    @Test func `chunks are given as they arrive`() async throws {
        let gate = Gate()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            try connection.writeChunk(Array("first".utf8))
            try gate.pass()
            try connection.writeChunk(Array("second".utf8))
            try connection.write("0\r\n\r\n")
        }
        try await client.withResponse(to: HTTPRequest(url: server.url)) { response in
            #expect(response.status == 200)
            let first = try await response.nextChunk()
            #expect(first == Array("first".utf8))
            gate.open()
            let second = try await response.nextChunk()
            #expect(second == Array("second".utf8))
            for _ in 1...2 {
                let end = try await response.nextChunk()
                #expect(end == nil)
            }
        }
    }

    @Test func `a reader that stops makes the server wait`() async throws {
        let written = Reports<Int>()
        let server = try ScriptedServer(sendBufferBytes: 64 << 10) { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let first = try connection.writeUntilBlocked(limit: total)
            written.report(first)
            try connection.write([UInt8](repeating: 0, count: total - first))
        }
        try await client.withResponse(to: HTTPRequest(url: server.url)) { response in
            // The window, and what the kernel holds on both sides of a connection that nobody
            // reads.
            #expect(try await written.next() < 8 << 20)
            var received = 0
            while let chunk = try await response.nextChunk() {
                #expect(chunk.count <= HTTPClient.windowBytes)
                received += chunk.count
            }
            #expect(received == total)
        }
    }

    @Test func `a large download takes little memory`() async {
        await #expect(processExitsWith: .success) {
            let piece = [UInt8](repeating: 1, count: 1 << 20)
            let server = try ScriptedServer { connection in
                _ = try connection.readRequest()
                try connection.write(
                    "HTTP/1.1 200 OK\r\nContent-Length: \(512 * piece.count)\r\n\r\n")
                for _ in 1...512 { try connection.write(piece) }
            }
            let client = try HTTPClient()
            let before = peakMemoryBytes()
            let received = try await client.withResponse(
                to: HTTPRequest(url: server.url)
            ) { response in
                var received = 0
                while let chunk = try await response.nextChunk() { received += chunk.count }
                return received
            }
            try #require(received == 512 << 20)
            try #require(peakMemoryBytes() - before < 32 << 20)
        }
    }

    @Test func `leaving the closure early closes the connection`() async throws {
        let closed = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome")
            connection.awaitClose()
            closed.report(())
        }
        let status = try await client.withResponse(to: HTTPRequest(url: server.url)) { response in
            _ = try await response.nextChunk()
            return response.status
        }
        #expect(status == 200)
        try await closed.next()

        struct Enough: Error {}
        await #expect(throws: Enough.self) {
            try await client.withResponse(to: HTTPRequest(url: server.url)) { _ in throw Enough() }
        }
        try await closed.next()
    }

    @Test func `collect refuses more than it was allowed`() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.respond(body: [UInt8](repeating: 1, count: 101))
        }
        let error = await #expect(throws: HTTPError.self) {
            try await client.withResponse(to: HTTPRequest(url: server.url)) { response in
                _ = try await response.collect(maximumBytes: 100)
            }
        }
        #expect(error?.code == .responseTooLarge)
    }

    // MARK: Up

    @Test(arguments: [false, true])
    func `a body in chunks arrives whole`(packed: Bool) async throws {
        let seen = Reports<ServerRequest>()
        let server = try ScriptedServer { connection in
            seen.report(try connection.readRequest())
            try connection.respond()
        }
        // Sizes around every boundary: empty, one byte, beyond the window.
        let sizes = [0, 1, 100, 65_536, 0, 300_000, 1_000_000, 3]
        let chunks = sizes.enumerated().map { index, size in
            (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
        }
        let response = try await client.send(
            HTTPRequest(
                method: "POST", url: server.url, body: .stream(supply(chunks)),
                compressesBody: packed))
        #expect(response.status == 200)
        let request = try await seen.next()
        #expect(request.header("transfer-encoding") == "chunked")
        #expect(request.header("content-length") == nil)
        #expect(request.header("content-encoding") == (packed ? "gzip" : nil))
        let body = packed ? try unpacked(request.body) : request.body
        #expect(Digest(body) == Digest(chunks.flatMap { $0 }))
    }

    @Test func `a slow source pauses the upload and resumes it`() async throws {
        let seen = Reports<[UInt8]?>()
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            while let chunk = try connection.readChunk() { seen.report(chunk) }
            try connection.respond()
        }
        let step = Mutex(0)
        let response = try await client.send(
            HTTPRequest(
                method: "POST", url: server.url,
                body: .stream {
                    let now = step.withLock { step in
                        step += 1
                        return step
                    }
                    // The next piece exists only when the server has the one before.
                    if now > 1 {
                        let got = try await seen.next()
                        #expect(got == [UInt8(now - 1)])
                    }
                    return now <= 20 ? [UInt8(now)] : nil
                }))
        #expect(response.status == 200)
    }

    @Test func `a server that does not read makes the source wait`() async throws {
        let unread = Reports<Int>()
        let gate = Gate()
        let arrived = Reports<Int>()
        let server = try ScriptedServer(receiveBufferBytes: 64 << 10) { connection in
            _ = try connection.readHead()
            unread.report(connection.settledUnreadBytes())
            try gate.pass()
            var count = 0
            while let chunk = try connection.readChunk() { count += chunk.count }
            arrived.report(count)
            try connection.respond()
        }
        let supplied = Mutex(0)
        let piece = [UInt8](repeating: 5, count: 64 << 10)
        let request = HTTPRequest(
            method: "POST", url: server.url,
            body: .stream {
                supplied.withLock { count in
                    guard count < total else { return nil }
                    count += piece.count
                    return piece
                }
            })
        async let response = client.send(request)
        #expect(try await unread.next() > 0)
        // The window, libcurl's buffer, and what the kernel holds on both sides.
        #expect(supplied.withLock { $0 } < 8 << 20)
        gate.open()
        #expect(try await arrived.next() == total)
        #expect(try await response.status == 200)
    }

    @Test(arguments: [false, true])
    func `a large upload takes little memory`(packed: Bool) async {
        await #expect(processExitsWith: .success) { [packed] in
            let server = try ScriptedServer { connection in
                _ = try connection.readHead()
                while try connection.readChunk() != nil {}
                try connection.respond()
            }
            let client = try HTTPClient()
            let piece = noise(1 << 20)
            let pieces = Mutex(packed ? 64 : 256)
            let before = peakMemoryBytes()
            _ = try await client.send(
                HTTPRequest(
                    method: "POST", url: server.url,
                    body: .stream {
                        pieces.withLock { left in
                            left -= 1
                            return left >= 0 ? piece : nil
                        }
                    }, compressesBody: packed))
            try #require(peakMemoryBytes() - before < 32 << 20)
        }
    }

    @Test func `both directions stream at once`() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            try connection.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while let chunk = try connection.readChunk() { try connection.writeChunk(chunk) }
            try connection.write("0\r\n\r\n")
        }
        let piece = [UInt8](repeating: 9, count: 50_000)
        let left = Mutex(400)
        let echoed = try await client.withResponse(
            to: HTTPRequest(
                method: "POST", url: server.url,
                body: .stream {
                    left.withLock { left in
                        left -= 1
                        return left >= 0 ? piece : nil
                    }
                })
        ) { response in
            var count = 0
            while let chunk = try await response.nextChunk() { count += chunk.count }
            return count
        }
        #expect(echoed == 400 * piece.count)
    }

    @Test func `a refusal in mid-upload is the response`() async throws {
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            _ = try connection.readChunk()
            try connection.respond("400 Bad Request", body: Array("row 3".utf8))
            connection.awaitClose()
        }
        let response = try await client.send(
            HTTPRequest(
                method: "POST", url: server.url,
                body: .stream { [UInt8](repeating: 1, count: 10_000) }))
        #expect(response.status == 400)
        #expect(response.body == Array("row 3".utf8))
    }

    @Test func `a source that throws breaks the request off`() async throws {
        struct NoMoreRows: Error {}
        let isWhole = Reports<Bool>()
        let headRead = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            headRead.report(())
            do {
                while try connection.readChunk() != nil {}
                isWhole.report(true)
            } catch {
                isWhole.report(false)
            }
        }
        let left = Mutex(3)
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(
                HTTPRequest(
                    method: "POST", url: server.url,
                    body: .stream {
                        let now = left.withLock { left in
                            left -= 1
                            return left
                        }
                        if now < 0 {
                            // Else the request may end before it has set out.
                            try await headRead.next()
                            throw NoMoreRows()
                        }
                        return [1, 2, 3]
                    }))
        }
        #expect(error?.code == .requestBodyFailed)
        #expect(error?.underlying is NoMoreRows)
        #expect(try await isWhole.next() == false)
    }

    @Test func `a cancelled source that returns nil does not end the body`() async throws {
        let isWhole = Reports<Bool>()
        let started = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            do {
                while try connection.readChunk() != nil { started.report(()) }
                isWhole.report(true)
            } catch {
                isWhole.report(false)
            }
        }
        let (rows, feed) = AsyncStream<[UInt8]>.makeStream()
        feed.yield([1])
        let task = Task {
            try await client.send(
                HTTPRequest(
                    method: "POST", url: server.url,
                    body: .stream {
                        // Returns nil once the task is cancelled.
                        for await row in rows { return row }
                        return nil
                    }))
        }
        try await started.next()
        task.cancel()
        #expect(try await isWhole.next() == false)
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
    }

    /// What both sides send where back-pressure is looked at: far beyond any buffer.
    private let total = 64 << 20
}
