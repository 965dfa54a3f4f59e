import Dispatch
import Glibc
import Synchronization

@testable import HTTP

/// A TCP server on loopback whose every byte the test writes: each connection runs the script on
/// its own thread.
final class ScriptedServer: Sendable {
    private struct State {
        var connections: Set<Int32> = []
        var accepted = 0
        var isStopped = false
    }

    let port: UInt16
    private let listener: Int32
    private let state: Mutex<State>

    var url: String { "http://127.0.0.1:\(port)" }
    /// How many connections were opened so far.
    var accepted: Int { state.withLock { $0.accepted } }

    /// A script that throws, or returns, closes its connection.
    init(
        sendBufferBytes: Int32? = nil, receiveBufferBytes: Int32? = nil,
        _ script: @escaping @Sendable (ServerConnection) throws -> Void
    ) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try check(listener)
        // Inherited by the accepted ones; setting it also keeps the kernel from growing them.
        if let sendBufferBytes { setOption(listener, SO_SNDBUF, sendBufferBytes) }
        if let receiveBufferBytes { setOption(listener, SO_RCVBUF, receiveBufferBytes) }
        port = try bindToLoopback(listener)
        try check(listen(listener, 2_048))
        self.listener = listener
        state = Mutex(State())
        let started = startThread { [weak self] in
            // Closed here and nowhere else: its number could be another server's the moment it is
            // free.
            defer { Glibc.close(listener) }
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0, errno == EINTR { continue }
                guard connection >= 0 else { return }
                guard let self, self.open(connection) else {
                    Glibc.close(connection)
                    return
                }
                let code = startThread { [weak self] in
                    try? script(ServerConnection(connection))
                    if let self { self.close(connection) } else { _ = Glibc.close(connection) }
                }
                precondition(code == 0, "no thread for a connection: \(code)")
            }
        }
        precondition(started == 0)
    }

    deinit {
        stop()
    }

    /// Breaks every connection off, so that scripts end.
    func stop() {
        let (isFirst, connections) = state.withLock { state in
            defer { state.isStopped = true }
            return (!state.isStopped, state.connections)
        }
        guard isFirst else { return }
        shutdown(listener, Int32(SHUT_RDWR))
        for connection in connections { shutdown(connection, Int32(SHUT_RDWR)) }
    }

    private func open(_ connection: Int32) -> Bool {
        state.withLock { state in
            guard !state.isStopped else { return false }
            state.accepted += 1
            state.connections.insert(connection)
            return true
        }
    }

    private func close(_ connection: Int32) {
        // Under the lock, so that `stop` cannot hit a number that is already somebody else's.
        state.withLock { state in
            state.connections.remove(connection)
            _ = Glibc.close(connection)
        }
    }
}

/// What the server got, taken out of its framing.
struct ServerRequest {
    var head: String
    var body: [UInt8]

    func header(_ name: String) -> String? {
        for line in head.split(separator: "\r\n").dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            if parts[0].lowercased() == name.lowercased() {
                return parts.count > 1 ? String(parts[1].drop { $0 == " " }) : ""
            }
        }
        return nil
    }
}

/// One accepted connection; used by its script's thread only.
final class ServerConnection {
    struct Closed: Error {}

    let socket: Int32
    private var buffer: [UInt8] = []

    init(_ socket: Int32) {
        self.socket = socket
        setOption(socket, TCP_NODELAY, 1, level: Int32(IPPROTO_TCP))
    }

    // MARK: Reading

    /// The next request with its body; throws `Closed` if the client has gone.
    func readRequest() throws -> ServerRequest {
        var request = ServerRequest(head: try readHead(), body: [])
        if request.header("Transfer-Encoding") == "chunked" {
            while let chunk = try readChunk() { request.body += chunk }
        } else if let length = request.header("Content-Length").flatMap({ Int($0) }) {
            request.body = try read(length)
        }
        return request
    }

    func readHead() throws -> String {
        let end = Array("\r\n\r\n".utf8)
        return String(decoding: try read(through: end), as: UTF8.self)
    }

    /// One chunk of a chunked body; nil for the last.
    func readChunk() throws -> [UInt8]? {
        let line = String(decoding: try read(through: [0x0D, 0x0A]).dropLast(2), as: UTF8.self)
        guard let count = Int(line, radix: 16) else { throw Closed() }
        let chunk = try read(count + 2).dropLast(2)
        return count == 0 ? nil : Array(chunk)
    }

    /// Exactly so many bytes.
    func read(_ count: Int) throws -> [UInt8] {
        while buffer.count < count { try fill() }
        defer { buffer.removeFirst(count) }
        return Array(buffer.prefix(count))
    }

    /// Blocks until the client has closed the connection.
    func awaitClose() {
        while (try? fill()) != nil { buffer = [] }
    }

    private func read(through mark: [UInt8]) throws -> [UInt8] {
        var from = 0
        while true {
            if buffer.count >= mark.count {
                for start in from...(buffer.count - mark.count)
                where buffer[start..<start + mark.count].elementsEqual(mark) {
                    return try read(start + mark.count)
                }
                from = buffer.count - mark.count + 1
            }
            try fill()
        }
    }

    private func fill() throws {
        let piece = [UInt8](unsafeUninitializedCapacity: 64 << 10) { into, count in
            count = max(0, recv(socket, into.baseAddress, into.count, 0))
        }
        if piece.isEmpty { throw Closed() }
        buffer += piece
    }

    /// How many bytes lie unread in the kernel, once some have arrived and no more do.
    func settledUnreadBytes() -> Int {
        var unread: Int32 = -1
        while true {
            var now: Int32 = 0
            _ = ioctl(socket, UInt(FIONREAD), &now)
            if now > 0, now == unread { return Int(now) }
            unread = now
            // Nothing to wait for by a signal: that nothing comes is the point.
            poll(nil, 0, 300)
        }
    }

    // MARK: Writing

    func write(_ text: String) throws {
        try write(Array(text.utf8))
    }

    func write(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes { all in
                send(
                    socket, all.baseAddress! + sent, all.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Closed() }
            sent += count
        }
    }

    func writeChunk(_ bytes: [UInt8]) throws {
        try write(Array((String(bytes.count, radix: 16) + "\r\n").utf8) + bytes + [0x0D, 0x0A])
    }

    /// A complete response with its length.
    func respond(
        _ status: String = "200 OK", headers: String = "", body: [UInt8] = Array("ok".utf8)
    ) throws {
        let head = "HTTP/1.1 \(status)\r\nContent-Length: \(body.count)\r\n\(headers)\r\n"
        try write(Array(head.utf8) + body)
    }

    /// Writes zeros until the other side takes no more for a while, or `limit` is reached; returns
    /// how many.
    func writeUntilBlocked(limit: Int) throws -> Int {
        let piece = [UInt8](repeating: 0, count: 64 << 10)
        var total = 0
        while total < limit {
            var wait = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
            if poll(&wait, 1, 500) == 0 { return total }
            let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)
            let count = send(socket, piece, min(piece.count, limit - total), flags)
            if count > 0 { total += count } else if errno != EAGAIN { throw Closed() }
        }
        return total
    }

    /// Closes with a reset (RST) instead of an orderly end; the script returns next.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}

/// Values that server threads report and a test awaits, in order.
final class Reports<Value: Sendable>: Sendable {
    struct Ended: Error {}

    private let stream: AsyncStream<Value>
    private let continuation: AsyncStream<Value>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func report(_ value: Value) {
        continuation.yield(value)
    }

    /// Throws when the test's time limit strikes.
    func next() async throws -> Value {
        for await value in stream { return value }
        throw Ended()
    }
}

/// Holds server threads until the test opens it.
final class Gate: Sendable {
    struct StayedShut: Error {}

    private let semaphore = DispatchSemaphore(value: 0)

    func open() {
        semaphore.signal()
    }

    func pass() throws {
        guard semaphore.wait(timeout: .now() + .seconds(30)) == .success else {
            throw StayedShut()
        }
        semaphore.signal()
    }
}

struct SystemError: Error {
    let number: Int32
}

private func check(_ result: Int32) throws {
    if result < 0 { throw SystemError(number: errno) }
}

private func setOption(
    _ socket: Int32, _ option: Int32, _ value: Int32, level: Int32 = SOL_SOCKET
) {
    var value = value
    setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
}

/// Binds to a free port on 127.0.0.1 and returns it.
func bindToLoopback(_ socket: Int32) throws -> UInt16 {
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    try withGenericAddress(&address) { pointer in
        try check(bind(socket, pointer, length))
        try check(getsockname(socket, pointer, &length))
    }
    return UInt16(bigEndian: address.sin_port)
}

/// Whether somebody accepts on that port.
func connect(_ socket: Int32, toLoopbackPort port: UInt16) -> Bool {
    var address = loopback(port: port)
    return withGenericAddress(&address) { pointer in
        connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
}

private func loopback(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    address.sin_port = port.bigEndian
    return address
}

private func withGenericAddress<R>(
    _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) throws -> R
) rethrows -> R {
    try withUnsafeMutablePointer(to: &address) { pointer in
        try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
}
