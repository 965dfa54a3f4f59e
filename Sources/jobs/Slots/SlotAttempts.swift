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
        var backoff = Backoff(firstSeconds: live.settings.retrySeconds)
        for number in 1... {
            let error: any Error
            do {
                return try await tryOnce(by: deadline)
            } catch let failed as FailedAttempt {
                error = failed.cause
            }
            if stop.isRequested { return .held }
            let wait = backoff.nextSeconds()
            guard status(of: error) == .unavailable, number < live.settings.attempts,
                ContinuousClock.now + .seconds(wait) < deadline
            else {
                Main.report(error, of: "\(job.name) \(slot)")
                return status(of: error)
            }
            live.logger.warning("trying again", metadata: metadata(error))
            try? await stop.cancelling { try await Task.sleep(for: .seconds(wait)) }
            if stop.isRequested { return .held }
        }
        preconditionFailure("the loop has no end")
    }

    /// The attempt went wrong, which is written down; another one may not.
    private struct FailedAttempt: Error {
        let cause: any Error
    }

    private func tryOnce(by deadline: ContinuousClock.Instant) async throws -> ExitStatus {
        let attempt: SlotStore.Attempt
        do {
            let dueAt = try await job.dueAt(slot)
            attempt = try await store.begin(slot, dueAt: dueAt, programVersion: programVersion)
        } catch {
            throw isLost(error) ? error : FailedAttempt(cause: error)
        }
        do {
            let outcome = try await stop.cancelling(
                at: deadline,
                or: Failure(
                    .unavailable,
                    "not done after \(job.description.timeoutSeconds) s, and stopped; it is due again"
                )
            ) {
                try await job.body(
                    SlotRun(slot: slot, lease: lease, now: attempt.begunAt, stop: stop))
            }
            try await persisting {
                try await store.finish(
                    attempt, outcome.isComplete ? .succeeded : .incomplete,
                    exitCode: outcome.status.rawValue, figures: outcome.figures)
            }
            return outcome.status
        } catch {
            // Another run has the slot: what it records counts.
            if isLost(error) { throw error }
            try await persisting { try await record(error, of: attempt) }
            throw FailedAttempt(cause: error)
        }
    }

    private func record(_ error: any Error, of attempt: SlotStore.Attempt) async throws {
        guard !stop.isRequested else {
            live.logger.info("stopped", metadata: metadata(error))
            return try await store.finish(attempt, .stopped, exitCode: nil)
        }
        try await store.finish(
            attempt, .failed, exitCode: status(of: error).rawValue,
            error: String("\(error)".prefix(2000)))
    }

    /// Whether another run has the slot.
    private func isLost(_ error: any Error) -> Bool {
        let error = error as? LedgerError
        return error?.code == .leaseLost && error?.lease == lease.name || Task.isCancelled
    }

    /// A lease of something else that was lost, such as that of sealing, can be taken again.
    private func status(of error: any Error) -> ExitStatus {
        (error as? LedgerError)?.code == .leaseLost ? .unavailable : ExitStatus(error)
    }

    private func metadata(_ error: any Error) -> Logger.Metadata {
        ["job": "\(job.name)", "slot": "\(slot)", "error": "\(error)"]
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
