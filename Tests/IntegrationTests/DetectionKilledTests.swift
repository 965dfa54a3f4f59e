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
}
