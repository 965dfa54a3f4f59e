import Glibc
import Synchronization
import Testing

@testable import HTTP

/// Time-outs, cancellation and shutdown. The limits are short; a test fails by waiting, not by
/// racing.
@Suite(.timeLimit(.minutes(1)))
struct TimeoutTests {
    let client: HTTPClient

    init() throws {
        client = try HTTPClient()
    }

    /// Sends, and gives the error and the seconds it took.
    private func fail(
        _ request: HTTPRequest, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> (error: HTTPError, seconds: Double) {
        let start = ContinuousClock.now
        let error = await #expect(throws: HTTPError.self, sourceLocation: sourceLocation) {
            try await client.send(request)
        }
        return (try #require(error), (ContinuousClock.now - start) / .seconds(1))
    }

    @Test func `a connection that is never accepted is a connect time-out`() async throws {
        // TLS never begins: the connection stands, and nobody answers.
        let server = try ScriptedServer { connection in connection.awaitClose() }
        let (error, seconds) = try await fail(
            HTTPRequest(
                method: "POST", url: "https://127.0.0.1:\(server.port)/",
                timeouts: .init(connectSeconds: 0.3)))
        #expect(error.code == .timeoutConnect)
        #expect(error.phase == .connecting)
        #expect(!error.serverMayHaveActed)
        #expect(seconds >= 0.3)
    }

    @Test func `a server that drips is cut off by the total time-out, not by the stall`()
        async throws
    {
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
            while true {
                try connection.write("x")
                poll(nil, 0, 20)
            }
        }
        let (error, seconds) = try await fail(
            HTTPRequest(
                method: "POST", url: server.url,
                timeouts: .init(totalSeconds: 1.5, stalledSeconds: 1)))
        #expect(error.code == .timeoutTotal)
        #expect(error.phase == .receiving)
        #expect(error.serverMayHaveActed)
        #expect(seconds >= 1.5)
    }

    @Test func `waiting in line counts for the total time-out only, and nothing was sent`()
        async throws
    {
        let arrived = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            arrived.report(())
            connection.awaitClose()
        }
        let narrow = try HTTPClient(configuration: .init(maximumConnectionsPerHost: 1))
        let first = Task { try await narrow.send(HTTPRequest(url: server.url)) }
        try await arrived.next()
        let error = await #expect(throws: HTTPError.self) {
            try await narrow.send(
                HTTPRequest(
                    method: "POST", url: server.url,
                    timeouts: .init(connectSeconds: 0.1, totalSeconds: 0.6, stalledSeconds: 0.1)))
        }
        #expect(error?.code == .timeoutTotal)
        #expect(error?.serverMayHaveActed == false)
        first.cancel()
        await #expect(throws: HTTPError.self) { try await first.value }
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!"])
    func `a server that falls silent is a stall`(said: String) async throws {
        let closed = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write(said)
            connection.awaitClose()
            closed.report(())
        }
        let (error, seconds) = try await fail(
            HTTPRequest(
                method: "POST", url: server.url, timeouts: .init(stalledSeconds: 0.4)))
        #expect(error.code == .stalled)
        #expect(error.phase == (said.isEmpty ? .awaitingResponse : .receiving))
        #expect(error.serverMayHaveActed)
        #expect(seconds >= 0.4)
        try await closed.next()
    }

    @Test func `a server that stops reading is a stall`() async throws {
        let closed = Reports<Void>()
        let hold = Gate()
        let server = try ScriptedServer(receiveBufferBytes: 64 << 10) { connection in
            _ = try connection.readHead()
            try hold.pass()
            connection.awaitClose()
            closed.report(())
        }
        let (error, _) = try await fail(
            HTTPRequest(
                method: "POST", url: server.url,
                body: .stream { [UInt8](repeating: 1, count: 100_000) },
                timeouts: .init(stalledSeconds: 0.4)))
        #expect(error.code == .stalled)
        #expect(error.phase == .sending)
        hold.open()
        try await closed.next()
    }

    @Test func `a reader that takes its time is no stall`() async throws {
        let blocked = Reports<Void>()
        let total = 16 << 20
        let server = try ScriptedServer(sendBufferBytes: 64 << 10) { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: \(total)\r\n\r\n")
            let first = try connection.writeUntilBlocked(limit: total)
            poll(nil, 0, 1_000)
            blocked.report(())
            try connection.write([UInt8](repeating: 0, count: total - first))
        }
        let received = try await client.withResponse(
            to: HTTPRequest(url: server.url, timeouts: .init(stalledSeconds: 0.2))
        ) { response in
            try await blocked.next()
            var received = 0
            while let chunk = try await response.nextChunk() { received += chunk.count }
            return received
        }
        #expect(received == total)
    }

    @Test func `a source that takes its time is no stall`() async throws {
        let quiet = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            _ = try connection.readChunk()
            poll(nil, 0, 1_000)
            quiet.report(())
            while try connection.readChunk() != nil {}
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
                    if now == 2 { try await quiet.next() }
                    return now <= 2 ? [1] : nil
                }, timeouts: .init(stalledSeconds: 0.2)))
        #expect(response.status == 200)
    }

    // MARK: Cancellation

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!"])
    func `cancelling the task closes the connection at once`(said: String) async throws {
        let arrived = Reports<Void>()
        let closed = Reports<ContinuousClock.Instant>()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write(said)
            arrived.report(())
            connection.awaitClose()
            closed.report(.now)
        }
        let task = Task {
            try await client.send(HTTPRequest(method: "POST", url: server.url))
        }
        try await arrived.next()
        let start = ContinuousClock.now
        task.cancel()
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.serverMayHaveActed == true)
        // Milliseconds in truth; the bound leaves room for a busy machine.
        #expect(try await closed.next() - start < .seconds(5))
    }

    @Test func `cancelling while the response is read closes the connection`() async throws {
        let closed = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nfive!")
            connection.awaitClose()
            closed.report(())
        }
        let reading = Reports<Void>()
        let task = Task {
            try await client.withResponse(to: HTTPRequest(url: server.url)) { response in
                _ = try await response.nextChunk()
                reading.report(())
                _ = try await response.nextChunk()
            }
        }
        try await reading.next()
        task.cancel()
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        try await closed.next()
    }

    @Test func `a task that is already cancelled sends nothing`() async throws {
        let server = try ScriptedServer { _ in }
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.send(HTTPRequest(method: "POST", url: server.url))
        }
        let error = await #expect(throws: HTTPError.self) { try await task.value }
        #expect(error?.code == .cancelled)
        #expect(error?.serverMayHaveActed == false)
    }

    @Test func `cancelling a thousand requests leaves the client working`() async throws {
        let arrived = Reports<Void>()
        let server = try ScriptedServer { connection in
            let head = try connection.readRequest().head
            if head.contains("/quick") { return try connection.respond() }
            arrived.report(())
            connection.awaitClose()
        }
        let wide = try HTTPClient(
            configuration: .init(maximumConnections: 1_000, maximumConnectionsPerHost: 1_000))
        await withTaskGroup(of: HTTPError.Code?.self) { group in
            for _ in 1...1_000 {
                group.addTask {
                    do throws(HTTPError) {
                        _ = try await wide.send(HTTPRequest(url: server.url))
                        return nil
                    } catch {
                        return error.code
                    }
                }
            }
            for _ in 1...500 { _ = try? await arrived.next() }
            group.cancelAll()
            for await code in group { #expect(code == .cancelled) }
        }
        #expect(try await wide.send(HTTPRequest(url: server.url + "/quick")).status == 200)
    }

    // MARK: Shutdown

    @Test func `shutdown fails what is in flight and whatever comes later`() async throws {
        let arrived = Reports<Void>()
        let closed = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readHead()
            arrived.report(())
            connection.awaitClose()
            closed.report(())
        }
        let url = server.url
        let requests = [
            HTTPRequest(method: "POST", url: url),
            HTTPRequest(
                method: "POST", url: url,
                body: .stream { [UInt8](repeating: 0, count: 100_000) }),
        ]
        try await withThrowingTaskGroup(of: HTTPError.Code?.self) { group in
            for request in requests {
                group.addTask { [client] in
                    await #expect(throws: HTTPError.self) { try await client.send(request) }?.code
                }
                group.addTask { [client] in
                    await #expect(throws: HTTPError.self) {
                        try await client.withResponse(to: request) { _ in }
                    }?.code
                }
            }
            for _ in 1...4 { try await arrived.next() }
            await client.shutdown()
            for try await code in group { #expect(code == .closed) }
        }
        for _ in 1...4 { try await closed.next() }
        let error = await #expect(throws: HTTPError.self) {
            try await client.send(HTTPRequest(url: url))
        }
        #expect(error?.code == .closed)
        #expect(error?.serverMayHaveActed == false)
        // A second time returns as well.
        await client.shutdown()
    }

    @Test func `a client that nobody holds ends its thread and connections`() async throws {
        let closed = Reports<Void>()
        let server = try ScriptedServer { connection in
            _ = try connection.readRequest()
            try connection.respond()
            connection.awaitClose()
            closed.report(())
        }
        func once() async throws {
            let client = try HTTPClient()
            _ = try await client.send(HTTPRequest(url: server.url))
        }
        try await once()
        try await closed.next()
    }

    @Test func `requests that race a shutdown all end`() async throws {
        let server = try ScriptedServer { connection in
            while true {
                _ = try connection.readRequest()
                try connection.respond()
            }
        }
        for _ in 1...20 {
            let client = try HTTPClient()
            await withTaskGroup(of: Void.self) { group in
                for _ in 1...50 {
                    group.addTask { _ = try? await client.send(HTTPRequest(url: server.url)) }
                }
                group.addTask { await client.shutdown() }
            }
        }
    }
}

/// The arithmetic of time-outs, with instants that the test makes up.
struct TransferWatchTests {
    private let start = ContinuousClock.now

    private func watch(total: Double? = nil, stalled: Double? = nil, multiplexed: Bool = false)
        -> TransferWatch
    {
        TransferWatch(
            totalDeadline: total.map { start + .seconds($0) }, stalledSeconds: stalled,
            isMultiplexed: multiplexed, now: start)
    }

    @Test func `without time-outs nobody looks`() {
        #expect(watch().nextLook == nil)
    }

    @Test func `the total time-out is looked for at its moment, whatever moves`() {
        var watch = watch(total: 8, stalled: 60)
        #expect(watch.nextLook == start + .seconds(8))
        #expect(watch.look(at: start + .seconds(7.9), movedBytes: 1, canStall: true) == .fine)
        #expect(watch.look(at: start + .seconds(8), movedBytes: 2, canStall: true) == .overdue)
    }

    @Test func `a stall is noticed within one and a half limits`() {
        var watch = watch(stalled: 4)
        // The last byte moves just after the first look.
        var (now, moved): (ContinuousClock.Instant, Int64) = (start, 0)
        while let next = watch.nextLook {
            now = next
            if watch.look(at: now, movedBytes: moved, canStall: true) == .stalled { break }
            moved = 10
        }
        #expect(now - start >= .seconds(4))
        #expect(now - (start + .seconds(1)) <= .seconds(6))
    }

    @Test func `time in which this side holds up does not count`() {
        var watch = watch(stalled: 4)
        for second in 1...20 {
            let now = start + .seconds(second)
            #expect(watch.look(at: now, movedBytes: 5, canStall: false) == .fine)
        }
        #expect(watch.look(at: start + .seconds(23), movedBytes: 5, canStall: true) == .silent)
        #expect(watch.look(at: start + .seconds(24), movedBytes: 5, canStall: true) == .stalled)
    }

    @Test func `a multiplexed transfer is looked at ten times a second`() {
        #expect(watch(stalled: 60, multiplexed: true).nextLook == start + .seconds(0.1))
    }
}
