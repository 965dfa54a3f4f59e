internal import CLibpq
internal import Glibc

/// Ends another thread's `poll`: how a task's cancellation reaches a thread that waits for a server.
///
/// It carries no meaning. Whoever wakes up looks for itself at what changed, so a signal too many is
/// harmless.
final class Wakeup: Sendable {
    let descriptor: Int32

    init() {
        descriptor = eventfd(0, Int32(EFD_NONBLOCK | EFD_CLOEXEC))
        precondition(descriptor >= 0, "no file descriptor left for a Postgres connection")
    }

    deinit {
        _ = Glibc.close(descriptor)
    }

    func signal() {
        var one: UInt64 = 1
        _ = Glibc.write(descriptor, &one, MemoryLayout<UInt64>.size)
    }

    func drain() {
        var count: UInt64 = 0
        _ = Glibc.read(descriptor, &count, MemoryLayout<UInt64>.size)
    }
}
