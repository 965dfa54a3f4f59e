internal import Exact
internal import Foundation
internal import Ledger
internal import Logging
internal import Postgres

/// Runs a job for the slots that are due, or for those that somebody asks for, one after the other.
///
/// Under the job's lease: no two processes work on the same job, however long it takes. Nothing here
/// reads the host's clock to decide what to do.
struct SlotRunner: Sendable {
    let job: SlotJob
    let live: Live
    let stop: StopRequest

    /// - Parameter asked: `nil`: every slot that is due.
    /// - Returns: the gravest of what the slots ended with.
    func run(_ asked: SlotRange?) async throws -> ExitStatus {
        try await Lease.with(
            SlotStore.leaseName(ofJob: job.name), holder: Live.processName, pool: live.pool
        ) { lease in
            let store = SlotStore(job: job.name, lease: lease, pool: live.pool)
            await Ping(live).start(of: job.name)
            for lost in try await retries.run({ try await store.recover() }) {
                live.logger.warning(
                    "an earlier run died",
                    metadata: [
                        "job": "\(job.name)", "slot": "\(lost.slot)", "was": "\(lost.holder)",
                    ]
                )
            }
            var work = SlotWork(runner: self, store: store, lease: lease)
            if let asked {
                try await work.run(asked.slots)
            } else {
                try await work.resume()
                try await work.runDue()
            }
            if let signal = stop.signalName { work.report(stoppedBy: signal, asked: asked) }
            return stop.isRequested ? .gravest(work.status, .held) : work.status
        }
    }

    fileprivate var retries: Retries {
        Retries(job: job.name, settings: live.settings, logger: live.logger, stop: stop)
    }
}

/// The slots of one run.
private struct SlotWork {
    let runner: SlotRunner
    let store: SlotStore
    let lease: Lease
    var status = ExitStatus.done
    private var done: [Slot] = []
    private var tried: Set<Slot> = []

    init(runner: SlotRunner, store: SlotStore, lease: Lease) {
        (self.runner, self.store, self.lease) = (runner, store, lease)
    }

    private var job: SlotJob { runner.job }
    private var stop: StopRequest { runner.stop }

    mutating func run(_ slots: [Slot]) async throws {
        for slot in slots {
            guard try await runNext(slot) else { return }
        }
    }

    /// Goes on with what earlier runs began. Whatever comes of that, slots have their turn.
    mutating func resume() async throws {
        let begin = ContinuousClock.now
        let (job, stop) = (runner.job, runner.stop)
        let resumed: Unattended.Outcome
        var failure: (any Error)?
        do {
            let outcome = try await runner.retries.run {
                try await stop.cancelling(
                    at: ContinuousClock.now + .seconds(job.description.timeoutSeconds),
                    or: Failure(.unavailable, "not done in time, and stopped")
                ) { try await job.resume(stop) }
            }
            guard let outcome, outcome.status != .done else { return }
            resumed = outcome
        } catch {
            // Another run has the job.
            if Task.isCancelled { throw error }
            guard !stop.isRequested else {
                return runner.live.logger.info("stopped", metadata: ["error": "\(error)"])
            }
            Main.report(error, of: "\(job.name), what earlier runs began")
            resumed = (ExitStatus(error), nil)
            failure = error
        }
        status = .gravest(status, resumed.status)
        let milliseconds = Int64((ContinuousClock.now - begin) / .milliseconds(1))
        // It has no slot, and is no success of the job either.
        try await runner.retries.run { [failure] in
            try await RunHistory(pool: runner.live.pool).record(
                job: job.name, holder: Live.processName, programVersion: programVersion,
                milliseconds: milliseconds, end: failure == nil ? .incomplete : .failed,
                exitCode: resumed.status.rawValue,
                error: failure.map { String("\($0)".prefix(2000)) }, figures: resumed.figures)
        }
    }

    mutating func runDue() async throws {
        while !stop.isRequested {
            guard let slot = try await runner.retries.run({ try await next() }) else { break }
            guard try await runNext(slot) else { return }
        }
        if tried.isEmpty && !stop.isRequested {
            runner.live.logger.info("nothing is due", metadata: ["job": "\(job.name)"])
            if isatty(STDOUT_FILENO) == 1 {
                try printLine("\(job.name): nothing is due; jobs runs list shows what was done")
            }
        }
    }

    /// The next slot that is due. Looks anew after each one: while it ran, others may have become due.
    private func next() async throws -> Slot? {
        let now = try await store.now()
        try await plan(at: now)
        let due = try await store.undone(at: now).filter { $0.slot >= job.firstSlot ?? $0.slot }
        let decision = job.catchUp.decide(due, now: now)
        try await store.skip(decision.skipped)
        return decision.run.first { !tried.contains($0) }
    }

    /// Puts the slots on record that have become due since the last run.
    private func plan(at now: Instant) async throws {
        var due: [CatchUp.Due] = []
        var slot: Slot
        if let last = try await store.plannedThrough() {
            slot = max(last.next, job.firstSlot ?? last.next)
        } else if let first = job.firstSlot {
            slot = first
        } else {
            // The first run ever.
            slot = Slot(job.cadence, containing: now)
            while try await dueAt(slot, ifBefore: now) == nil { slot = slot.previous }
        }
        while let dueAt = try await dueAt(slot, ifBefore: now) {
            due.append(CatchUp.Due(slot: slot, dueAt: dueAt))
            slot = slot.next
        }
        try await store.plan(due)
    }

    /// - Returns: `nil` if the slot is not due yet, which is mostly told without asking the ledger.
    private func dueAt(_ slot: Slot, ifBefore now: Instant) async throws -> Instant? {
        let earliest = slot.end.adding(
            seconds: job.description.graceSeconds - job.description.dueLeadSeconds)
        guard earliest <= now else { return nil }
        let dueAt = try await job.dueAt(slot)
        return dueAt <= now ? dueAt : nil
    }

    /// - Returns: whether to go on with others.
    private mutating func runNext(_ slot: Slot) async throws -> Bool {
        if stop.isRequested { return false }
        tried.insert(slot)
        stop.note(
            situation:
                "\(job.name) \(slot) was at work: it is due again when its lease has run out, in at most \(Int(Lease.seconds)) s"
        )
        let end = try await SlotAttempts(runner: runner, store: store, lease: lease, slot: slot)
            .run()
        stop.note(situation: "")
        status = .gravest(status, end)
        if stop.isRequested && end == .held { return false }
        done.append(slot)
        // What stands in the way of one slot would stand in the way of all.
        return ![.unavailable, .configuration, .refused, .held].contains(end)
    }

    /// In what state everything is.
    func report(stoppedBy signal: String, asked: SlotRange?) {
        var parts: [String] = []
        if !done.isEmpty { parts.append("\(Self.text(done)) finished") }
        let givenBack = tried.subtracting(done).sorted()
        if !givenBack.isEmpty { parts.append("\(Self.text(givenBack)) given back, due again") }
        let left = (asked?.slots ?? []).filter { !tried.contains($0) }
        if !left.isEmpty { parts.append("\(Self.text(left)) not begun") }
        let state = parts.isEmpty ? "nothing was begun" : parts.joined(separator: "; ")
        writeText(
            "jobs: stopped by \(signal). \(job.name): \(state). Nothing is lost: run it again.\n",
            to: STDERR_FILENO)
    }

    private static func text(_ slots: [Slot]) -> String {
        slots.count > 3
            ? "\(slots[0]) to \(slots[slots.count - 1]) (\(slots.count))"
            : slots.map(String.init(describing:)).joined(separator: ", ")
    }
}
