import Foundation
import Postgres
import Synchronization
import Testing

/// Sealing that dies, or is paused, at any statement: every row is accounted for once.
@Suite(.timeLimit(.minutes(10))) struct SealingKilledTests {
    private static let header = "customer_id,plan,currency\n"

    /// Twelve events of three customers, one of them twice, one with a conflict, and a broken row.
    private static func rows(_ round: Int) -> [String] {
        func row(_ id: String, _ customer: String, _ properties: String) -> String {
            let text = properties.replacing("\"", with: "\\\"")
            return """
                {"transaction_id":"\(id)-\(round)","customer_id":"\(customer)","event_type":"storage",\
                "timestamp":"2015-05-10 00:00:00.000","properties":"\(text)",\
                "ingested_at":"2015-05-10 00:00:00.000"}
                """
        }
        let good = (0..<12).map { row("t\($0)", "c\($0 % 3)", #"{"gb":\#($0)}"#) }
        return good + [good[0], row("t1", "c1", #"{"gb":99}"#), row("x", "c2", "broken")]
    }

    private struct Totals: Equatable {
        var events: Int64
        var duplicates: Int64
        var conflicts: Int64
        var quarantined: Int64
        var quantities: [String]
    }

    private static func totals(_ stack: Stack) async throws -> Totals {
        let row = try await stack.postgres.query(
            """
            SELECT coalesce(sum(events), 0)::bigint AS events, coalesce(sum(duplicates), 0)::bigint AS duplicates,
                coalesce(sum(conflicts), 0)::bigint AS conflicts,
                coalesce(sum(quarantined), 0)::bigint AS quarantined
            FROM usage_batches WHERE state = 'sealed'
            """
        ).rows[0]
        let usage: [ListedUsage] = try await stack.done(
            "usage", "show", "--slot", "2015-05", "--format", "json"
        ).objects()
        return Totals(
            events: try row.decode("events"), duplicates: try row.decode("duplicates"),
            conflicts: try row.decode("conflicts"), quarantined: try row.decode("quarantined"),
            quantities: usage.map { "\($0.customerID) \($0.quantity) of \($0.events)" })
    }

    private static func expected(rounds: Int) -> Totals {
        // A maximum does not grow with the rounds; of t0 the first copy counts.
        Totals(
            events: Int64(12 * rounds), duplicates: Int64(rounds), conflicts: Int64(rounds),
            quarantined: Int64(rounds),
            quantities: (0..<3).map { "c\($0) \($0 + 9) of \(4 * rounds)" })
    }

    @Test(arguments: StatementGate.Moment.allCases)
    func `a process that is killed at any statement loses nothing and counts nothing twice`(
        _ moment: StatementGate.Moment
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let process = Mutex<JobsProcess?>(nil)
            let gate = try stack.gate { process.withLock { $0?.kill() } }
            defer { gate.stop() }
            var rounds = 0
            var killed = 0
            while true {
                rounds += 1
                try await stack.insertEvents(Self.rows(rounds))
                gate.aim(at: rounds, moment)
                let sealing = try stack.start(
                    ["run", "seal-usage"], with: stack.through(gate))
                process.withLock { $0 = sealing }
                let result = try await sealing.result()
                // The dead process' lease runs out; here at once.
                try await stack.postgres.query("UPDATE leases SET expires_at = clock_timestamp()")
                let again = try await stack.jobs("run", "seal-usage")
                #expect([0, 1].contains(again.status), "\(again.errors)")
                #expect(try await Self.totals(stack) == Self.expected(rounds: rounds))
                guard result.signal == SIGKILL else { break }
                killed += 1
            }
            #expect(killed >= 25, "every statement of a run has its turn")
            let left = try await stack.value(
                "SELECT count(*) AS value FROM usage_batches WHERE state = 'open'", as: Int.self)
            #expect(left == 0)
        }
    }

    @Test func `a paused process that another one replaced writes nothing that counts`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let isHeld = DispatchSemaphore(value: 0)
            let mayGoOn = DispatchSemaphore(value: 0)
            let gate = try stack.gate {
                isHeld.signal()
                mayGoOn.wait()
            }
            defer { gate.stop() }
            var rounds = 0
            var fenced = 0
            while true {
                rounds += 1
                try await stack.insertEvents(Self.rows(rounds))
                gate.aim(at: rounds, .beforeStatement)
                let zombie = try stack.start(["run", "seal-usage"], with: stack.through(gate))
                guard await wait(isHeld, or: zombie) else {
                    #expect([0, 1].contains(try await zombie.result().status))
                    break
                }
                try await stack.postgres.query("UPDATE leases SET expires_at = clock_timestamp()")
                let other = try await stack.jobs("run", "seal-usage")
                #expect([0, 1].contains(other.status), "\(other.errors)")
                mayGoOn.signal()
                let result = try await zombie.result()
                // 69: the server had closed the connection meanwhile.
                #expect([0, 1, 69, 75].contains(result.status), "\(result.errors)")
                if result.status == 75 { fenced += 1 }
                #expect(try await Self.totals(stack) == Self.expected(rounds: rounds))
            }
            #expect(rounds >= 25 && fenced >= 15)
        }
    }

    /// - Returns: false if the process ended without coming to the statement.
    private func wait(_ semaphore: DispatchSemaphore, or process: JobsProcess) async -> Bool {
        while semaphore.wait(timeout: .now()) == .timedOut {
            if !process.isRunning { return false }
            await Task.yield()
        }
        return true
    }
}

extension Stack {
    func gate(onTarget: @escaping @Sendable () -> Void) throws -> StatementGate {
        let url = try #require(environment["CLICKHOUSE_URL"].flatMap { URLComponents(string: $0) })
        return try StatementGate(to: try #require(url.port), onTarget: onTarget)
    }

    /// The way to ClickHouse through a gate.
    func through(_ gate: StatementGate) -> [String: String?] {
        var url = environment["CLICKHOUSE_URL"].flatMap { URLComponents(string: $0) }
        url?.port = gate.port
        url?.host = "127.0.0.1"
        return ["CLICKHOUSE_URL": url?.string]
    }
}
