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
        return Totals(
            events: try row.decode("events"), duplicates: try row.decode("duplicates"),
            conflicts: try row.decode("conflicts"), quarantined: try row.decode("quarantined"),
            quantities: try await quantities(stack))
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

    @Test func `who is stopped while it hands over quarantined rows is replaced at once`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.insertEvents(Self.rows(1))
            var stopped: JobsProcess?
            try await stack.waiting(at: "quarantine", ["run", "seal-usage"]) { process in
                process.pause()
                stopped = process
            }
            let zombie = try #require(stopped)
            // Nothing of the lease is locked in its transaction, and the next holder ends its session.
            try await stack.postgres.query(
                "UPDATE leases SET expires_at = clock_timestamp()", timeoutSeconds: 10)
            let next = try await stack.jobs("run", "seal-usage")
            #expect(next.status == 1, "\(next.errors)")
            #expect(try await Self.totals(stack) == Self.expected(rounds: 1))
            zombie.send(SIGCONT)
            let result = try await zombie.result()
            #expect(result.status == 75, "\(result.errors)")
            #expect(result.errors.contains("another run took over"))
            #expect(try await Self.totals(stack) == Self.expected(rounds: 1))
            #expect(try await stack.count("quarantine") == 1)
        }
    }

    @Test func `quarantined rows may take longer to hand over than a lease lasts`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.insertEvents(Self.rows(1))
            var slow: JobsProcess?
            try await stack.waiting(at: "quarantine", ["run", "seal-usage"]) { process in
                slow = process
                try await stack.until(
                    """
                    SELECT clock_timestamp() > acquired_at + interval '17 seconds'
                        AND clock_timestamp() < expires_at AS value
                    FROM leases WHERE name = 'seal-usage'
                    """)
                let other = try await stack.jobs("run", "seal-usage")
                #expect(other.status == 75 && other.errors.contains("process \(process.id) on "))
            }
            let result = try await #require(slow).result()
            #expect(result.status == 1, "\(result.errors)")
            #expect(try await Self.totals(stack) == Self.expected(rounds: 1))
        }
    }

    /// What becomes of a process at a statement; another one takes over.
    enum Fate: CaseIterable {
        case isKilled
        /// It goes on when the other one is done.
        case isReplaced
    }

    @Test(arguments: Fate.allCases)
    func `a rebuild that ends at any statement changes nothing that is read`(fate: Fate)
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            for round in 1...2 {
                try await stack.insertEvents(Self.rows(round))
                #expect(try await stack.jobs("run", "seal-usage").status == 1)
            }
            let expected = try await Self.quantities(stack)
            #expect(expected == Self.expected(rounds: 2).quantities)
            let rebuild = ["run", "seal-usage", "--rebuild"]
            var statement = 2
            while try await end(rebuild, at: statement, fate, stack) {
                #expect(try await Self.quantities(stack) == expected)
                statement += 5
            }
            #expect(statement > 40, "a rebuild has more statements than that")
            // The broken rows wait, also in what was rebuilt.
            let rebuilt = try await stack.jobs(rebuild)
            #expect(rebuilt.status == 1, "\(rebuilt.errors)")
            #expect(rebuilt.output.contains("nothing differs; the rebuilt usage is active"))
            #expect(try await Self.quantities(stack) == expected)
        }
    }

    @Test(arguments: Fate.allCases)
    func `a metric that is added up over sealed batches is so once, whoever ends in between`(
        fate: Fate
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            for round in 1...2 {
                try await stack.insertEvents(Self.rows(round))
                #expect(try await stack.jobs("run", "seal-usage").status == 1)
            }
            // The tables are made, then the metric is added up, then the log is looked through.
            var ended = 0
            for (least, statement) in zip(1..., 12...16) {
                let catalog = """
                    version: v\(least)
                    effective_from: 2015-02-0\(least)
                    metrics:
                      - {code: large, event_type: storage, aggregation: sum, property: gb, unit: GB, where: {gb: {gte: \(least)}}}
                    plans:
                      - {code: basic, currency: usd, charges: [{metric: large, model: per_unit, unit_amount: "1"}]}
                    """
                try await stack.done("catalog", "apply", stack.file("next.yaml", catalog))
                ended += try await end(["run", "seal-usage"], at: statement, fate, stack) ? 1 : 0
                try await stack.done("run", "seal-usage")
                let expected = (0..<3).map { customer in
                    let large = (0..<12).filter { $0 % 3 == customer && $0 >= least }
                    return "c\(customer) \(2 * large.reduce(0, +)) of \(2 * large.count)"
                }
                #expect(try await Self.quantities(stack) == expected)
            }
            #expect(ended >= 4, "most of these statements are of adding up")
        }
    }

    private static func quantities(_ stack: Stack) async throws -> [String] {
        let usage: [ListedUsage] = try await stack.done(
            "usage", "show", "--slot", "2015-05", "--format", "json"
        ).objects()
        return usage.map { "\($0.customerID) \($0.quantity) of \($0.events)" }
    }

    /// Runs a command until it comes to a statement of ClickHouse, where it ends, or another run takes over.
    ///
    /// - Returns: false if it ended before.
    private func end(
        _ command: [String], at statement: Int, _ fate: Fate, _ stack: Stack
    ) async throws -> Bool {
        let isHeld = DispatchSemaphore(value: 0)
        let mayGoOn = DispatchSemaphore(value: 0)
        let gate = try stack.gate {
            isHeld.signal()
            mayGoOn.wait()
        }
        defer { gate.stop() }
        gate.aim(at: statement, .beforeStatement)
        let process = try stack.start(command, with: stack.through(gate))
        guard await wait(isHeld, or: process) else {
            #expect([0, 1].contains(try await process.result().status))
            return false
        }
        if fate == .isKilled { process.kill() }
        var next: JobsProcess.Result
        repeat {
            // A paused process' heart may beat in between.
            try await stack.postgres.query("UPDATE leases SET expires_at = clock_timestamp()")
            next = try await stack.jobs("run", "seal-usage")
        } while next.status == 75
        #expect([0, 1].contains(next.status), "\(next.errors)")
        mayGoOn.signal()
        let result = try await process.result()
        switch fate {
        case .isKilled: #expect(result.signal == SIGKILL)
        case .isReplaced: #expect([0, 1, 69, 75].contains(result.status), "\(result.errors)")
        }
        return true
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
