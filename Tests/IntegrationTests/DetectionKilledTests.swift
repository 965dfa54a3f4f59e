import Foundation
import Glibc
import Postgres
import Synchronization
import Testing

/// Kill a job of detection anywhere, run it again: the anomalies and states are those of an undisturbed run.
struct DetectionKilledTests {
    private static let hours = 30 * 24..<30 * 24 + 3

    private static func fleet() -> DetectedFleet {
        var fleet = DetectedFleet(days: 31)
        fleet.add("a", mean: 20, seed: 71)
        fleet.add("b", mean: 20, seed: 72)
        fleet.change("a", 30 * 24 + 1..<30 * 24 + 3) { $0 * 6 + 40 }
        return fleet
    }

    /// The jobs of a day that begins, in turn.
    private static let commands = [
        ["run", "detect-anomalies", "--slot", DetectedFleet.slot(hours.lowerBound)],
        ["run", "detect-anomalies", "--slot", DetectedFleet.slot(hours.upperBound - 1)],
        ["run", "rebuild-baselines", "--slot", "2026-W13"],
        ["run", "check-patterns", "--slot", DetectedFleet.day(30)],
    ]

    @Test(arguments: StatementGate.Moment.allCases)
    func `a job that is killed at any statement changes nothing about the outcome`(
        moment: StatementGate.Moment
    ) async throws {
        let fleet = Self.fleet()
        try await withStack(catalog: DetectionTests.catalog) { clean in
            try await fleet.append(clean, 0..<31 * 24)
            for command in Self.commands { _ = try await clean.jobs(command) }
            let expected = (try await clean.anomalies(), try await clean.states())
            #expect(expected.0.contains { $0.customerID == "a" })
            try await withStack(catalog: DetectionTests.catalog) { stack in
                try await fleet.append(stack, 0..<31 * 24)
                try await stack.done("run", "seal-usage")
                let process = Mutex<JobsProcess?>(nil)
                let gate = try stack.gate { process.withLock { $0?.kill() } }
                defer { gate.stop() }
                var killed = 0
                for command in Self.commands {
                    // Every so many statements a run is killed, each time a little later.
                    var target = 5
                    while true {
                        gate.aim(at: target, moment)
                        let run = try stack.start(command, with: stack.through(gate))
                        process.withLock { $0 = run }
                        let result = try await run.result()
                        try await stack.postgres.query(
                            "UPDATE leases SET expires_at = clock_timestamp()")
                        guard result.signal == SIGKILL else {
                            #expect(result.status == 0, "\(command) \(result.errors)")
                            break
                        }
                        killed += 1
                        target += 9
                    }
                }
                #expect(killed >= 8)
                #expect(try await stack.anomalies() == expected.0)
                #expect(try await stack.states() == expected.1)
                let alerts = try await stack.count("alerts")
                #expect(try await clean.count("alerts") == alerts)
            }
        }
    }

    /// It stops at the last statements of its hour: before it reads, between reading and writing, and when
    /// all that is left is to clear up. Meanwhile the hour and the next are another one's.
    @Test func `who was paused past its lease changes nothing when it goes on`() async throws {
        let fleet = Self.fleet()
        let (first, pauses) = (30 * 24, 8)
        func command(_ hours: Range<Int>) -> [String] {
            let slots = hours.map { DetectedFleet.slot($0) }
            return ["run", "detect-anomalies", "--slot", "\(slots[0])..\(slots[slots.count - 1])"]
        }
        try await withStack(catalog: DetectionTests.catalog) { clean in
            try await fleet.append(clean, 0..<31 * 24)
            let gate = try clean.gate {}
            defer { gate.stop() }
            try await clean.detect(first..<first + 1)
            gate.aim(at: nil, .beforeAnswer)
            let counted = try await clean.jobs(
                command(first + 1..<first + 2), with: clean.through(gate))
            #expect(counted.status == 0, "\(counted.errors)")
            let statements = gate.statements
            try #require(statements > pauses)
            try await clean.detect(first + 2..<first + 1 + 2 * pauses)
            try await withStack(catalog: DetectionTests.catalog) { stack in
                try await fleet.append(stack, 0..<31 * 24)
                try await stack.detect(first..<first + 1)
                for pause in 0..<pauses {
                    let hour = first + 1 + 2 * pause
                    try await Self.pausing(
                        command(hour..<hour + 1), at: statements - pause, in: stack
                    ) {
                        let next = try await stack.jobs(command(hour..<hour + 2))
                        #expect(next.status == 0, "\(next.errors)")
                    }
                }
                #expect(try await stack.states() == clean.states())
                let anomalies = try await stack.anomalies()
                #expect(anomalies.contains { $0.customerID == "a" })
                #expect(try await anomalies == clean.anomalies())
                #expect(try await stack.count("alerts") == clean.count("alerts"))
            }
        }
    }

    /// Stops a run at a statement, which reaches the engine only when its lease is another one's.
    private static func pausing(
        _ command: [String], at statement: Int, in stack: Stack, _ body: () async throws -> Void
    ) async throws {
        let process = Mutex<JobsProcess?>(nil)
        let (isPaused, goesOn) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
        let gate = try stack.gate {
            process.withLock { $0?.pause() }
            isPaused.signal()
            goesOn.wait()
        }
        defer {
            goesOn.signal()
            gate.stop()
        }
        gate.aim(at: statement, .beforeStatement)
        let zombie = try process.withLock { process in
            let started = try stack.start(command, with: stack.through(gate))
            process = started
            return started
        }
        let isWaiting = await offThePool { isPaused.wait(timeout: .now() + 60) }
        try #require(isWaiting == .success, "statement \(statement) never came")
        try await stack.postgres.query("UPDATE leases SET expires_at = clock_timestamp()")
        try await body()
        goesOn.signal()
        zombie.send(SIGCONT)
        let result = try await zombie.result()
        #expect(result.status == 75, "\(statement): \(result.output)\(result.errors)")
    }
}
