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
            for lost in try await store.recover() {
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
                do {
                    try await stop.cancelling { try await job.resume(stop) }
                } catch let error where stop.isRequested {
                    live.logger.info("stopped", metadata: ["error": "\(error)"])
                }
                try await work.runDue()
            }
            if let signal = stop.signalName { work.report(stoppedBy: signal, asked: asked) }
            return stop.isRequested ? .gravest(work.status, .held) : work.status
        }
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

    /// Looks anew after each slot: while a long one ran, others may have become due.
    mutating func runDue() async throws {
        while !stop.isRequested {
            let now = try await store.now()
            try await plan(at: now)
            let due = try await store.undone(at: now).filter { $0.slot >= job.firstSlot ?? $0.slot }
            let decision = job.catchUp.decide(due, now: now)
            try await store.skip(decision.skipped)
            guard let slot = decision.run.first(where: { !tried.contains($0) }) else { break }
            guard try await runNext(slot) else { return }
        }
        if tried.isEmpty && !stop.isRequested {
            runner.live.logger.info("nothing is due", metadata: ["job": "\(job.name)"])
            if isatty(STDOUT_FILENO) == 1 {
                try printLine("\(job.name): nothing is due; jobs runs list shows what was done")
            }
        }
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
