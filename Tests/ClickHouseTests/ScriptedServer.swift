import Glibc
import Synchronization

/// An HTTP server on loopback that answers as the test says, to the byte: one request a connection.
final class ScriptedServer: Sendable {
    let port: UInt16
    private let listener: Int32
    private let heads = Mutex<[String]>([])

    var url: String { "http://me:secret@127.0.0.1:\(port)/usage" }
    /// The request lines and headers that came so far.
    var requests: [String] { heads.withLock { $0 } }

    /// - Parameters:
    ///   - readsFirst: whether the whole request is read before the answer is written.
    ///   - answer: everything that is written, status line and headers included; then the connection is closed.
    init(readsFirst: Bool = true, answer: @escaping @Sendable (_ head: String) -> [UInt8]) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = try bindToLoopback(listener)
        guard listen(listener, 64) == 0 else { throw SystemError(number: errno) }
        // It answers for as long as the tests run: a server that went with its last mention could leave a
        // connection that it had accepted without an answer.
        try startThread { [self] in
            while true {
                let connection = accept(listener, nil, nil)
                if connection < 0, errno == EINTR { continue }
                guard connection >= 0 else { return }
                serve(connection, readsFirst: readsFirst, answer)
                close(connection)
            }
        }
    }

    private func serve(
        _ connection: Int32, readsFirst: Bool, _ answer: (_ head: String) -> [UInt8]
    ) {
        var request: [UInt8] = []
        let headEnd = Array("\r\n\r\n".utf8)
        while request.suffix(4) != headEnd[...], let byte = receive(1, from: connection) {
            request += byte
        }
        let head = String(decoding: request, as: UTF8.self)
        heads.withLock { $0.append(head) }
        if readsFirst { readBody(head, from: connection) }
        var rest = closing(answer(head))[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return }
            rest = rest.dropFirst(sent)
        }
        guard !readsFirst else { return }
        // To the end, since closing a connection with unread bytes takes the answer back.
        shutdown(connection, Int32(SHUT_WR))
        while receive(65_536, from: connection) != nil {}
    }

    /// Says that the connection ends with the answer: a client that kept it could only meet its end.
    private func closing(_ answer: [UInt8]) -> [UInt8] {
        guard let end = answer.firstIndex(of: 10) else { return answer }
        return answer[...end] + Array("Connection: close\r\n".utf8) + answer[(end + 1)...]
    }

    private func readBody(_ head: String, from connection: Int32) {
        if let match = head.firstMatch(of: /Content-Length: (\d+)/) {
            var left = Int(match.1) ?? 0
            while left > 0, let bytes = receive(left, from: connection) { left -= bytes.count }
        } else {
            var tail: [UInt8] = []
            while tail != Array("0\r\n\r\n".utf8), let byte = receive(1, from: connection) {
                tail = (tail + byte).suffix(5)
            }
        }
    }

    private func receive(_ count: Int, from connection: Int32) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, received in
            received = max(0, recv(connection, buffer.baseAddress, count, 0))
        }
        return bytes.isEmpty ? nil : bytes
    }
}

/// A 200 whose body is written in chunks, with the last one or broken off before it.
func chunked(_ pieces: [[UInt8]], tag: String?, isComplete: Bool = true) -> [UInt8] {
    var answer = Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n".utf8)
    if let tag { answer += Array("X-ClickHouse-Exception-Tag: \(tag)\r\n".utf8) }
    answer += Array("\r\n".utf8)
    for piece in pieces where !piece.isEmpty {
        answer += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [13, 10]
    }
    return answer + (isComplete ? Array("0\r\n\r\n".utf8) : [])
}

struct SystemError: Error {
    let number: Int32
}

/// Binds to a free port on 127.0.0.1 and returns it.
func bindToLoopback(_ descriptor: Int32) throws -> UInt16 {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 ? getsockname(descriptor, $0, &length) : -1
        }
    }
    guard result == 0 else { throw SystemError(number: errno) }
    return UInt16(bigEndian: address.sin_port)
}

private func startThread(_ body: @escaping @Sendable () -> Void) throws {
    final class Box {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    let box = Unmanaged.passRetained(Box(body))
    let code = pthread_create(
        &thread, nil,
        { context in
            Unmanaged<Box>.fromOpaque(context!).takeRetainedValue().body()
            return nil
        }, box.toOpaque())
    guard code == 0 else {
        box.release()
        throw SystemError(number: code)
    }
    pthread_detach(thread)
}
