internal import Exact
internal import Ledger
internal import Logging
internal import Postgres

/// One slot: tried until it is done, the attempts or the time are used up, or trying again is no use.
struct SlotAttempts: Sendable {
    let runner: SlotRunner
    let store: SlotStore
    let lease: Lease
    let slot: Slot

    private var job: SlotJob { runner.job }
    private var live: Live { runner.live }
    private var stop: StopRequest { runner.stop }

    /// What goes wrong with the slot is reported here and returned as a status.
    ///
    /// - Throws: only what keeps the slot from being recorded.
    func run() async throws -> ExitStatus {
        let deadline = ContinuousClock.now + .seconds(job.description.timeoutSeconds)
        var pause = Double(live.settings.retrySeconds)
        for number in 1... {
            let dueAt = try await job.dueAt(slot)
            let attempt = try await persisting {
                try await store.begin(slot, dueAt: dueAt, programVersion: programVersion)
            }
            do {
                let outcome = try await bounded(by: deadline) {
                    try await job.body(
                        SlotRun(slot: slot, lease: lease, now: attempt.begunAt, stop: stop))
                }
                try await persisting {
                    try await store.finish(
                        attempt, outcome.isComplete ? .succeeded : .incomplete,
                        exitCode: outcome.status.rawValue, figures: outcome.figures)
                }
                return outcome.status
            } catch let error where (error as? LedgerError)?.code == .leaseLost || Task.isCancelled
            {
                // Another run has the slot: what it records counts.
                throw error
            } catch let error where stop.isRequested {
                live.logger.info("stopped", metadata: metadata(error))
                try await persisting {
                    try await store.finish(attempt, .stopped, exitCode: nil)
                }
                return .held
            } catch {
                let status = ExitStatus(error)
                try await persisting {
                    try await store.finish(
                        attempt, .failed, exitCode: status.rawValue,
                        error: String("\(error)".prefix(2000)))
                }
                let wait = pause * .random(in: 0.5...1)
                guard status == .unavailable, number < live.settings.attempts,
                    ContinuousClock.now + .seconds(wait) < deadline
                else {
                    Main.report(error, of: "\(job.name) \(slot)")
                    return status
                }
                live.logger.warning("trying again", metadata: metadata(error))
                try? await stop.cancelling { try await Task.sleep(for: .seconds(wait)) }
                if stop.isRequested { return .held }
                pause = min(pause * 2, 300)
            }
        }
        preconditionFailure("the loop has no end")
    }

    private func metadata(_ error: any Error) -> Logger.Metadata {
        ["job": "\(job.name)", "slot": "\(slot)", "error": "\(error)"]
    }

    /// Cancels the body at the deadline, and when the process is asked to stop.
    private func bounded<Result: Sendable>(
        by deadline: ContinuousClock.Instant,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        return try await stop.cancelling {
            try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask { try await body() }
                group.addTask {
                    try await Task.sleep(until: deadline)
                    return nil
                }
                defer { group.cancelAll() }
                if let result = try await group.next() ?? nil { return result }
                throw Failure(
                    .unavailable,
                    "not done after \(job.description.timeoutSeconds) s, and stopped; it is due again"
                )
            }
        }
    }

    /// What was done must be written down: as long as the lease can last, a database that is away may
    /// come back.
    private func persisting<Result>(_ body: () async throws -> Result) async throws -> Result {
        let deadline = ContinuousClock.now + .seconds(Lease.seconds)
        while true {
            do {
                return try await body()
            } catch let error as PostgresError
                where ExitStatus(error) == .unavailable && ContinuousClock.now < deadline
            {
                try await Task.sleep(for: .milliseconds(500))
            }
        }
    }
}
