internal import Dispatch

/// Runs one connection's jobs one after the other on a thread that Dispatch lends it.
///
/// libpq blocks; the cooperative pool has one thread a core and must never wait for a server. A
/// serial executor, not a task executor: only the former keeps two jobs from running at once.
final class ConnectionExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "meterflow.postgres.connection")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }
}
