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
    private let server: LoopbackServer
    private let upstream: Int
    private let state = Mutex(State())
    private let onTarget: @Sendable () -> Void

    /// - Parameter onTarget: runs on a thread of its own when the target comes; nothing passes until it ends.
    init(to upstream: Int, onTarget: @escaping @Sendable () -> Void) throws {
        self.upstream = upstream
        self.onTarget = onTarget
        let server = try LoopbackServer()
        self.server = server
        port = server.port
        server.serve { [self] client, _ in serve(client) }
    }

    /// Starts to count anew, and waits for this statement; `nil`: for none.
    func aim(at target: Int?, _ moment: Moment) {
        state.withLock { $0 = State(statements: 0, target: target, moment: moment) }
    }

    var statements: Int { state.withLock { $0.statements } }

    func stop() { server.stop() }

    private func serve(_ client: Int32) {
        let server = LoopbackServer.connect(to: upstream)
        let isDone = DispatchSemaphore(value: 0)
        let holdsAnswer = Mutex(false)
        Thread.detachNewThread { [self] in
            while let bytes = LoopbackServer.receive(server) {
                let holds = holdsAnswer.withLock { holds in
                    defer { holds = false }
                    return holds
                }
                if holds { onTarget() }
                guard LoopbackServer.send(bytes, to: client) else { break }
            }
            shutdown(client, Int32(SHUT_RDWR))
            isDone.signal()
        }
        while let bytes = LoopbackServer.receive(client) {
            if bytes.starts(with: Array("POST ".utf8)) {
                let (isTarget, moment) = state.withLock { state in
                    state.statements += 1
                    return (state.statements == state.target, state.moment)
                }
                if isTarget && moment == .beforeStatement { onTarget() }
                if isTarget && moment == .beforeAnswer { holdsAnswer.withLock { $0 = true } }
            }
            guard LoopbackServer.send(bytes, to: server) else { break }
        }
        shutdown(server, Int32(SHUT_RDWR))
        isDone.wait()
        close(client)
        close(server)
    }
}
