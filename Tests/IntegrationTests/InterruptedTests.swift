import Glibc
import Postgres
import Testing

/// A run is stopped where it is known to be: while it waits for a table that the test holds.
struct InterruptedTests {
    /// The table at which a run stops. `plan`: the invoices are committed, the plan is not written yet.
    enum Point: String, CaseIterable {
        case catalog = "catalog_versions"
        case customers
        case terms = "customer_terms"
        case invoices
        case lines = "invoice_lines"
        case journal = "invoice_events"
        case plan
    }

    private static let bill = ["run", "bill", "--slot", "2015-01", "--requests", "plan.jsonl"]

    @Test(arguments: Point.allCases)
    func `a run that is killed while it waits leaves nothing that the next run minds`(point: Point)
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 10)
            try await stack.stopped(Self.bill, at: point) { process in
                process.kill()
                let result = try await process.result()
                #expect(result.signal == SIGKILL)
                #expect(try !stack.files().contains("plan.jsonl"))
            }
            try await stack.expectCleanRun(Self.bill)
        }
    }

    @Test(arguments: Point.allCases)
    func `a run that loses its session and may not try again is 69, and the next one is clean`(
        point: Point
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 10)
            try await stack.stopped(Self.bill, at: point, with: ["RUN_ATTEMPTS": "1"]) { process in
                try await stack.endSessions()
                let result = try await process.result()
                #expect(result.status == 69, "\(result.errors)")
                #expect(result.errors.contains("DATABASE_URL"))
                #expect(try !stack.files().contains("plan.jsonl"))
            }
            try await stack.expectCleanRun(Self.bill)
        }
    }

    @Test(arguments: Point.allCases)
    func `a run that loses its session takes the month up again by itself`(point: Point)
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 10)
            var run: JobsProcess?
            try await stack.stopped(Self.bill, at: point, with: ["RUN_RETRY_SECONDS": "0"]) {
                run = $0
                try await stack.endSessions()
            }
            let result = try await #require(run).result()
            #expect(result.status == 0, "\(result.errors)")
            let attempts = try await stack.attempts("bill-dry-run", "2015-01")
            // Asking when the month is due is no attempt yet.
            let hasBegun = point != .customers && point != .terms
            #expect(attempts.map(\.status) == (hasBegun ? ["failed"] : []) + ["succeeded"])
            try await stack.expectCleanRun(Self.bill)
        }
    }

    @Test func `of two runs of a month one works, and the other says at once who does`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 10)
            try await stack.stopped(Self.bill, at: .journal) { first in
                let second = try await stack.jobs(Self.bill)
                #expect(second.status == 75)
                #expect(second.output.isEmpty)
                #expect(second.errors.contains("bill-dry-run is held by another run"))
                #expect(second.errors.contains("process \(first.id) on "))
                first.kill()
            }
        }
    }

    @Test func `a month that another session holds is 75 until it lets go`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 10)
            try await stack.postgres.withConnection { holder in
                try await holder.query("BEGIN")
                let row = try await holder.query(
                    """
                    SELECT pg_backend_pid() AS pid, pg_advisory_xact_lock(
                        hashtextextended(current_schema() || ' bill 2015-01', 0))
                    """
                ).rows[0]
                let held = try await stack.jobs(Self.bill)
                #expect(held.status == 75)
                #expect(try held.errors.contains("process \(row.decode("pid", as: Int.self))"))
                #expect(held.errors.contains("on 127.0.0.1, since 20"))
                #expect(try await stack.count("invoices") == 0)
                let other = try await stack.jobs("run", "bill", "--slot", "2015-02")
                #expect(other.status == 0, "\(other.errors)")
                try await holder.query("COMMIT")
            }
            try await stack.expectCleanRun(Self.bill)
        }
    }
}

extension Stack {
    /// Starts the program, and calls `body` when it waits at the point.
    fileprivate func stopped(
        _ arguments: [String], at point: InterruptedTests.Point,
        with changes: [String: String?] = [:],
        _ body: (JobsProcess) async throws -> Void
    ) async throws {
        try await postgres.withConnection { holder in
            let table = point == .plan ? InterruptedTests.Point.journal.rawValue : point.rawValue
            try await holder.query("BEGIN")
            try await holder.query("LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE")
            let process = try start(arguments, with: changes)
            try await untilRunWaits(on: table)
            if point == .plan {
                try await stoppedAfterCommit(of: holder) { try await body(process) }
            } else {
                try await body(process)
                try await holder.query("ROLLBACK")
            }
        }
    }

    /// The run waits at the journal, with its invoices written. A lock on these is queued behind it: the run
    /// can commit, but not read them again for the plan.
    private func stoppedAfterCommit(
        of holder: PostgresConnection, _ body: () async throws -> Void
    ) async throws {
        try await postgres.withConnection { next in
            try await next.query("BEGIN")
            async let lock = next.query("LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE")
            try await until(
                """
                SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted
                    AND relation = 'invoices'::regclass AND mode = 'AccessExclusiveLock') AS value
                """)
            try await holder.query("ROLLBACK")
            _ = try await lock
            try await untilRunWaits(on: "invoices")
            try await body()
            try await next.query("ROLLBACK")
        }
    }

    func untilRunWaits(on table: String) async throws {
        try await until(
            """
            SELECT EXISTS (
                SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid)
                WHERE NOT granted AND relation = '\(table)'::regclass AND application_name = $1
            ) AS value
            """, [name])
    }

    /// The server ends every session of the program.
    func endSessions() async throws {
        try await postgres.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            [name])
    }

    /// The month is billed as if nothing had happened, and nothing else lies about.
    fileprivate func expectCleanRun(_ arguments: [String]) async throws {
        let files = try files()
        let result = try await jobsOnceFree(arguments)
        #expect(result.status == 0, "\(result.errors)")
        let invoices = try await invoices("--slot", "2015-01")
        #expect(invoices.map(\.totalMinor) == (0..<10).map { $0 * 100 })
        #expect(try await count("invoices WHERE slot = '2015-01'") == 10)
        #expect(
            try await count(
                "invoice_events JOIN invoices USING (invoice_id) WHERE slot = '2015-01'") == 10)
        #expect(String(decoding: try bytes("plan.jsonl"), as: UTF8.self).lineCount == 1 + 4 * 9)
        #expect(Set(try self.files()) == ["catalog.yaml", "plan.jsonl"], "left before: \(files)")
        try await until(
            "SELECT NOT EXISTS (SELECT 1 FROM pg_stat_activity WHERE application_name = $1) AS value",
            [name])
    }
}
