internal import CLibpq
internal import Dispatch
internal import Synchronization

/// A PQcancel under way on a thread of its own: it opens a connection, which a vanished server blocks.
///
/// Until it has returned, the session must not run another statement, or that one is hit.
final class CancelRequest: Sendable {
    private static let queue = DispatchQueue(
        label: "meterflow.postgres.cancel", attributes: .concurrent)

    /// The `PGcancel`, as a number because a pointer may not cross threads; owned here.
    private let address: UInt
    private let finished = Mutex(false)

    /// - Parameter handle: from `PQgetCancel`; nil if there is nothing to cancel.
    init(_ handle: OpaquePointer?) {
        address = UInt(bitPattern: handle)
    }

    deinit {
        PQfreeCancel(OpaquePointer(bitPattern: address))
    }

    var isFinished: Bool { finished.withLock { $0 } }

    func send(thenSignal wakeup: Wakeup) {
        Self.queue.async {
            withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { problem in
                if let handle = OpaquePointer(bitPattern: self.address) {
                    _ = PQcancel(handle, problem.baseAddress, 256)
                }
            }
            self.finished.withLock { $0 = true }
            wakeup.signal()
        }
    }
}
