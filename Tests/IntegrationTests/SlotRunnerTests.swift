import ClickHouse
import Exact
import HTTP
import Ledger
import Logging
import Postgres
import Synchronization
import Testing

@testable import jobs

/// Testing has one, too.
private typealias Status = jobs.ExitStatus

/// The runner with jobs of the tests' own, hourly ones and others, by the ledger's clock.
struct SlotRunnerTests {
    private static let name = "probe"

    /// What a test's job was given, in order.
    private final class Log: Sendable {
        private let slots = Mutex<[String]>([])
        var all: [String] { slots.withLock { $0 } }
        var count: Int { all.count }
        func add(_ slot: Slot) { slots.withLock { $0.append("\(slot)") } }
    }

    private static func job(
        _ cadence: Cadence = .hourly, _ catchUp: CatchUp = .all, first: Slot? = nil,
        graceSeconds: Int64 = 600, timeoutSeconds: Int64 = 3600,
        _ body: @escaping @Sendable (SlotRun) async throws -> Status
    ) -> SlotJob {
        let description = JobDescription(
            name: name, summary: "be a test", cadence: cadence, graceSeconds: graceSeconds,
            timeoutSeconds: timeoutSeconds,
            timer: .init(
                calendar: "hourly", cron: "0 * * * *", randomizedDelaySeconds: 0,
                promisedDelaySeconds: 3600, memoryMax: "1G"))
        return SlotJob(
            name: name, description: description, cadence: cadence, catchUp: catchUp,
            firstSlot: first, dueAt: { $0.end.adding(seconds: graceSeconds) },
            body: { SlotOutcome(isComplete: true, status: try await body($0), figures: nil) })
    }

    @discardableResult
    private func run(
        _ stack: Stack, _ job: SlotJob, _ asked: String? = nil
    ) async throws -> Status {
        try await stack.withLive { live in
            try await SlotRunner(job: job, live: live, stop: StopRequest(graceSeconds: 30))
                .run(asked.flatMap { SlotRange($0) })
        }
    }

    /// A policy, and what becomes of three days of hours.
    struct Policy: Sendable, CustomTestStringConvertible {
        let catchUp: CatchUp
        let run: Int
        let reason: String?

        var testDescription: String { "\(catchUp)" }
    }

    @Test(arguments: [
        Policy(catchUp: .all, run: 72, reason: nil),
        Policy(catchUp: .latest, run: 1, reason: "latest"),
        Policy(catchUp: CatchUp(maxSlots: 24), run: 24, reason: "max_slots"),
        Policy(catchUp: CatchUp(maxAgeSeconds: 12 * 3600), run: 12, reason: "max_age"),
    ])
    func `after three days off every hour is run or left out, and on record`(policy: Policy)
        async throws
    {
        try await withStack { stack in
            let log = Log()
            let job = Self.job(.hourly, policy.catchUp) { run in
                log.add(run.slot)
                return .done
            }
            try await stack.setLedgerClock("2026-10-29T12:10:30Z")
            try await run(stack, job)
            #expect(log.all == ["2026-10-29T11"])
            try await stack.setLedgerClock("2026-11-01T12:10:30Z")
            try await run(stack, job)
            let runs = try await stack.runs("--job", Self.name, "--limit", "1000")
            #expect(runs.count == 73)
            let skipped = runs.filter { $0.status == "skipped" }
            #expect(skipped.count == 72 - policy.run)
            #expect(skipped.allSatisfy { $0.skipReason == policy.reason && $0.attempts == 0 })
            let done = runs.filter { $0.status == "succeeded" }.compactMap(\.slot)
            // Oldest first, up to the hour that has just become due.
            #expect(log.all == done && done.last == "2026-11-01T11" && done.count == 1 + policy.run)
            try await run(stack, job)
            #expect(log.count == 1 + policy.run)
        }
    }

    /// A time by the ledger's clock, and the first slot that is taken up then.
    struct First: Sendable, CustomTestStringConvertible {
        let cadence: Cadence
        let now: String
        let slot: String

        var testDescription: String { "\(now) \(slot)" }
    }

    @Test(arguments: [
        First(cadence: .hourly, now: "2026-11-22T12:09:30Z", slot: "2026-11-22T10"),
        First(cadence: .hourly, now: "2026-11-22T12:10:00Z", slot: "2026-11-22T11"),
        First(cadence: .hourly, now: "2027-01-01T00:10:00Z", slot: "2026-12-31T23"),
        First(cadence: .daily, now: "2028-03-01T00:10:00Z", slot: "2028-02-29"),
        First(cadence: .daily, now: "2028-03-01T00:09:30Z", slot: "2028-02-28"),
        First(cadence: .daily, now: "2027-03-01T00:10:00Z", slot: "2027-02-28"),
        // The night in which Europe's clocks change: days are UTC's.
        First(cadence: .daily, now: "2026-10-26T00:10:00Z", slot: "2026-10-25"),
        First(cadence: .weekly, now: "2027-01-04T00:10:00Z", slot: "2026-W53"),
        First(cadence: .weekly, now: "2027-01-04T00:09:30Z", slot: "2026-W52"),
        First(cadence: .weekly, now: "2027-01-11T00:10:00Z", slot: "2027-W01"),
        First(cadence: .monthly, now: "2027-01-01T00:10:00Z", slot: "2026-12"),
    ])
    func `the first run ever takes the last slot that is due`(first: First) async throws {
        try await withStack { stack in
            let log = Log()
            try await stack.setLedgerClock(first.now)
            try await run(
                stack,
                Self.job(first.cadence) { run in
                    log.add(run.slot)
                    return .done
                })
            #expect(log.all == [first.slot])
        }
    }

    @Test func `a job with a first slot takes up all since then, and none before`() async throws {
        try await withStack { stack in
            let log = Log()
            let job = Self.job(.monthly, first: Slot("2026-07")) { run in
                log.add(run.slot)
                if run.slot == Slot("2026-02") { throw Failure(.badInput, "no") }
                return .done
            }
            try await stack.setLedgerClock("2026-10-05T00:00:00Z")
            // By name it may fail; by itself it is not taken up.
            #expect(try await run(stack, job, "2026-02") == .badInput)
            #expect(try await run(stack, job) == .done)
            #expect(log.all == ["2026-02", "2026-07", "2026-08", "2026-09"])
        }
    }

    @Test func `a job that takes longer than its interval neither overlaps nor loses slots`()
        async throws
    {
        try await withStack { stack in
            let log = Log()
            let others = Log()
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            let other = Self.job { run in
                others.add(run.slot)
                return .done
            }
            try await run(
                stack,
                Self.job { run in
                    log.add(run.slot)
                    guard log.count == 1 else { return .done }
                    await #expect(throws: LedgerError.self) { try await self.run(stack, other) }
                    // The lease is extended; hours go by.
                    try await stack.passLedgerTime("3 hours")
                    try await stack.postgres.query(
                        "UPDATE leases SET expires_at = expires_at + interval '3 hours'")
                    return .done
                })
            #expect(
                log.all == ["2026-11-22T11", "2026-11-22T12", "2026-11-22T13", "2026-11-22T14"])
            #expect(others.count == 0)
        }
    }

    @Test func `what may pass is tried again, as often as it may be`() async throws {
        try await withStack { stack in
            let log = Log()
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            let job = Self.job { run in
                log.add(run.slot)
                if log.count < 3 { throw Failure(.unavailable, "away") }
                return .needsAPerson
            }
            #expect(try await run(stack, job) == .needsAPerson)
            let attempts = try await stack.attempts(Self.name, "2026-11-22T11")
            #expect(attempts.map(\.status) == ["failed", "failed", "succeeded"])
            #expect(attempts.map(\.exitCode) == [69, 69, 1])
            #expect(attempts[0].error == "away")

            let broken = Self.job { run in
                log.add(run.slot)
                throw Failure(.unavailable, "away")
            }
            #expect(try await run(stack, broken, "2026-11-22T09..2026-11-22T10") == .unavailable)
            // The second hour would meet the same: it is not begun.
            #expect(log.count == 6)
            #expect(
                try await stack.slots(Self.name) == [
                    "2026-11-22T09 failed", "2026-11-22T11 succeeded",
                ])
        }
    }

    @Test func `pauses double up to five minutes, and are by chance up to half shorter`() {
        var backoff = Backoff(firstSeconds: 5)
        for longest in [5, 10, 20, 40, 80, 160, 300, 300, 300] as [Double] {
            let seconds = backoff.nextSeconds()
            #expect((longest / 2...longest).contains(seconds))
        }
    }

    @Test func `who loses the lease of something else has its slot still, and tries again`()
        async throws
    {
        try await withStack { stack in
            let log = Log()
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            let job = Self.job { run in
                log.add(run.slot)
                guard log.count == 1 else { return .done }
                return try await Lease.with("seal-usage", holder: "us", pool: stack.postgres) { _ in
                    // Another host takes it.
                    try await stack.postgres.query(
                        "UPDATE leases SET token = token + 1 WHERE name = 'seal-usage'")
                    throw Failure(.bug, "it cleared away what we had begun")
                }
            }
            #expect(try await run(stack, job) == .done)
            let attempts = try await stack.attempts(Self.name, "2026-11-22T11")
            #expect(attempts.map(\.status) == ["failed", "succeeded"])
            #expect(attempts.map(\.exitCode) == [69, 0])
            #expect(attempts[0].error?.hasPrefix("seal-usage: another run took over") == true)
        }
    }

    @Test func `unfinished work that fails is on record, and keeps no slot from its turn`()
        async throws
    {
        try await withStack { stack in
            let log = Log()
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            var job = Self.job { run in
                log.add(run.slot)
                return .done
            }
            job.resume = { _ in throw Failure(.refused, "billing is paused") }
            #expect(try await run(stack, job) == .refused)
            #expect(log.all == ["2026-11-22T11"])
            let runs = try await stack.runs("--job", Self.name)
            #expect(
                runs.map { "\($0.slot ?? "-") \($0.status)" } == [
                    "2026-11-22T11 succeeded", "- failed",
                ])
            #expect(runs[1].exitCode == 77 && runs[1].error == "billing is paused")
            // Of slots that somebody asks for it is no part.
            #expect(try await run(stack, job, "2026-11-22T10") == .done)
        }
    }

    @Test func `unfinished work is tried again, and what a person must see ends the run with 1`()
        async throws
    {
        try await withStack { stack in
            let tries = Mutex(0)
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            var job = Self.job { _ in .done }
            job.resume = { _ in
                let count = tries.withLock { tries in
                    tries += 1
                    return tries
                }
                if count < 3 { throw Failure(.unavailable, "away") }
                let outcome: Unattended.Outcome = (.needsAPerson, #"{"held": 1}"#)
                return outcome
            }
            #expect(try await run(stack, job) == .needsAPerson)
            #expect(
                try await stack.slots(Self.name) == ["2026-11-22T11 succeeded", "- incomplete"])
            // It is no success of the job.
            let success = try await stack.value(
                "SELECT count(*) AS value FROM job_attempts WHERE status = 'succeeded'",
                as: Int.self)
            #expect(success == 1)
        }
    }

    @Test func `what cannot pass is not tried again, and does not stop other slots`() async throws {
        try await withStack { stack in
            let log = Log()
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            let job = Self.job { run in
                log.add(run.slot)
                if run.slot == Slot("2026-11-22T09") { throw Failure(.badInput, "broken") }
                return .done
            }
            #expect(try await run(stack, job, "2026-11-22T09..2026-11-22T11") == .badInput)
            #expect(log.count == 3)
            #expect(
                try await stack.slots(Self.name) == [
                    "2026-11-22T09 failed", "2026-11-22T10 succeeded", "2026-11-22T11 succeeded",
                ])
        }
    }

    @Test func `a slot that takes longer than its time-out is stopped, and due again`() async throws
    {
        try await withStack { stack in
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            let job = Self.job(timeoutSeconds: 1) { _ in
                for await _ in AsyncStream<Never>.makeStream().stream {}
                try Task.checkCancellation()
                return .done
            }
            #expect(try await run(stack, job) == .unavailable)
            let run = try #require(try await stack.runs().first)
            #expect(run.status == "failed" && run.attempts == 1)
            #expect(run.error?.contains("not done after 1 s") == true)
        }
    }

    @Test func `what was done is written down although all sessions were lost meanwhile`()
        async throws
    {
        try await withStack { stack in
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            let job = Self.job { _ in
                try await stack.endSessions()
                return .done
            }
            #expect(try await run(stack, job) == .done)
            #expect(try await stack.slots(Self.name) == ["2026-11-22T11 succeeded"])
        }
    }

    @Test func `who lost its lease writes nothing, whatever it does`() async throws {
        try await withStack { stack in
            try await stack.setLedgerClock("2026-11-22T12:10:30Z")
            let other = Self.job { _ in .needsAPerson }
            let job = Self.job { run in
                // Its lease runs out while it is at work, and another one works on the slot.
                try await stack.passLedgerTime("16 seconds")
                #expect(try await self.run(stack, other) == .needsAPerson)
                return .done
            }
            let error = await #expect(throws: LedgerError.self) { try await run(stack, job) }
            #expect(error?.code == .leaseLost)
            let attempts = try await stack.attempts(Self.name, "2026-11-22T11")
            #expect(attempts.map(\.status) == ["lost", "succeeded"])
            #expect(attempts.map(\.exitCode) == [nil, 1])
        }
    }
}

extension Stack {
    /// What the program works with, by the ledger's clock.
    fileprivate func withLive<R>(_ body: (Live) async throws -> R) async throws -> R {
        let url = withLedgerClock["DATABASE_URL"] ?? nil
        let settings = try Settings(environment: ["RUN_RETRY_SECONDS": "0"], file: nil)
        let http = try HTTPClient()
        let live = Live(
            settings: settings, logger: Logger(label: name) { _ in SwiftLogNoOpLogHandler() },
            pool: PostgresPool(
                configuration: PostgresConfiguration(url: url ?? "", applicationName: name)),
            clickHouse: clickHouse, http: http)
        do {
            let result = try await body(live)
            await live.close()
            return result
        } catch {
            await live.close()
            throw error
        }
    }
}
