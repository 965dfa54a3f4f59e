import Foundation
import Glibc
import Synchronization
import Testing

/// A relay in front of ClickHouse that counts statements, and tells a test of the one it waits for: before
/// it is passed on, or before its answer comes back.
///
/// Threads and blocking sockets: it lives for one test.
final class StatementGate: Sendable {
    enum Moment: Sendable, CaseIterable {
        case beforeStatement
        case beforeAnswer
    }

    private struct State {
        var statements = 0
        var target: Int?
        var moment = Moment.beforeStatement
    }

    let port: Int
    private let listener: Int32
    private let upstream: Int
    private let state = Mutex(State())
    private let onTarget: @Sendable () -> Void

    /// - Parameter onTarget: runs on a thread of its own when the target comes; nothing passes until it ends.
    init(to upstream: Int, onTarget: @escaping @Sendable () -> Void) throws {
        self.upstream = upstream
        self.onTarget = onTarget
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        var address = Self.loopback(port: 0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        try #require(bound, "cannot listen on the loopback interface")
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [self] in
            while case let client = accept(listener, nil, nil), client >= 0 {
                Thread.detachNewThread { [self] in serve(client) }
            }
        }
    }

    /// Starts to count anew, and waits for this statement; `nil`: for none.
    func aim(at target: Int?, _ moment: Moment) {
        state.withLock { $0 = State(statements: 0, target: target, moment: moment) }
    }

    var statements: Int { state.withLock { $0.statements } }

    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private func serve(_ client: Int32) {
        let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = Self.loopback(port: upstream)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(server, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let isDone = DispatchSemaphore(value: 0)
        let holdsAnswer = Mutex(false)
        Thread.detachNewThread { [self] in
            while connected, let bytes = Self.receive(server) {
                let holds = holdsAnswer.withLock { holds in
                    defer { holds = false }
                    return holds
                }
                if holds { onTarget() }
                guard Self.send(bytes, to: client) else { break }
            }
            shutdown(client, Int32(SHUT_RDWR))
            isDone.signal()
        }
        while connected, let bytes = Self.receive(client) {
            if bytes.starts(with: Array("POST ".utf8)) {
                let (isTarget, moment) = state.withLock { state in
                    state.statements += 1
                    return (state.statements == state.target, state.moment)
                }
                if isTarget && moment == .beforeStatement { onTarget() }
                if isTarget && moment == .beforeAnswer { holdsAnswer.withLock { $0 = true } }
            }
            guard Self.send(bytes, to: server) else { break }
        }
        shutdown(server, Int32(SHUT_RDWR))
        isDone.wait()
        close(client)
        close(server)
    }

    private static func receive(_ socket: Int32) -> [UInt8]? {
        let bytes = [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
            count = max(0, recv(socket, buffer.baseAddress, 65_536, 0))
        }
        return bytes.isEmpty ? nil : bytes
    }

    private static func send(_ bytes: [UInt8], to socket: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { return false }
            rest = rest.dropFirst(sent)
        }
        return true
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        return address
    }
}
