import Foundation
import Glibc
import StripeSimulation
import Testing

/// Takes webhooks on loopback: a connection each, answered with the next of the statuses.
final class Receiver: Sendable {
    struct Received: Sendable {
        let signature: String
        let body: [UInt8]
    }

    let url: String
    let requests: AsyncStream<Received>
    private let listener: Int32

    struct NoPort: Error {}

    init(statuses: [String]) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        guard isBound else { throw NoPort() }
        self.listener = listener
        url = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))/hook"
        let (stream, continuation) = AsyncStream.makeStream(of: Received.self)
        requests = stream
        Thread.detachNewThread {
            for status in statuses {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else { break }
                if let received = Self.answer(connection, status) { continuation.yield(received) }
                close(connection)
            }
            continuation.finish()
        }
    }

    deinit {
        // Wakes the thread, if it still waits.
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func answer(_ connection: Int32, _ status: String) -> Received? {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = read(connection, &buffer, buffer.count)
            guard count > 0 else { return nil }
            bytes += buffer[..<count]
            let text = String(decoding: bytes, as: UTF8.self)
            guard let end = text.range(of: "\r\n\r\n") else { continue }
            let head = text[..<end.lowerBound]
            func header(_ name: String) -> String {
                let line = head.split(separator: "\r\n").first {
                    $0.lowercased().hasPrefix(name.lowercased() + ":")
                }
                return line.map {
                    $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces)
                }
                    ?? ""
            }
            let body = bytes.dropFirst(head.utf8.count + 4)
            guard body.count == Int(header("Content-Length")) else { continue }
            let answer = "HTTP/1.1 \(status)\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            _ = answer.withCString { write(connection, $0, strlen($0)) }
            return Received(signature: header("Stripe-Signature"), body: Array(body))
        }
    }
}
