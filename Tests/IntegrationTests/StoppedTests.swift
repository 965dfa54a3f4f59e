import Foundation
import Glibc
import Postgres
import Testing

/// Many processes, and processes that are killed, paused or asked to stop while they work on a slot.
@Suite(.timeLimit(.minutes(5))) struct StoppedTests {
    private static let job = "bill-dry-run"
    private static let bill = ["run", "bill", "--slot", "2015-01"]
    private static let journal = "invoice_events"

    private func withMonths(
        _ months: Int = 1, _ body: (Stack) async throws -> Void
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(months, customers: 10)
            try await body(stack)
        }
    }

    private func statuses(_ stack: Stack) async throws -> [String] {
        try await stack.attempts(Self.job, "2015-01").map(\.status)
    }

    @Test func `of twenty that are launched at once one works, and nineteen say who does`()
        async throws
    {
        try await withMonths { stack in
            try await stack.postgres.withConnection { holder in
                try await holder.query("BEGIN")
                try await holder.query("LOCK TABLE \(Self.journal) IN ACCESS EXCLUSIVE MODE")
                let processes = try (0..<20).map { _ in try stack.start(Self.bill) }
                try await stack.untilRunWaits(on: Self.journal)
                let name: String = try await stack.value(
                    "SELECT holder AS value FROM leases WHERE name = 'job \(Self.job)'")
                var others = processes
                let winner = try #require(
                    processes.firstIndex { name.hasPrefix("process \($0.id) on ") })
                others.remove(at: winner)
                for other in others {
                    let result = try await other.result()
                    #expect(result.status == 75)
                    #expect(result.errors.contains("held by another run (\(name), since 20"))
                    #expect(result.output.isEmpty)
                }
                try await holder.query("ROLLBACK")
                #expect(try await processes[winner].result().status == 0)
            }
            #expect(try await statuses(stack) == ["succeeded"])
            #expect(try await stack.count(Self.journal) == 10)
        }
    }

    @Test func `who was killed is replaced when the lease has run out, and not before`()
        async throws
    {
        try await withMonths { stack in
            try await stack.setLedgerClock("2026-11-20T00:00:00Z")
            try await stack.waiting(at: Self.journal, Self.bill, with: stack.withLedgerClock) {
                process in
                process.kill()
                #expect(try await process.result().signal == SIGKILL)
                let early = try await stack.launched("run", "bill", "--slot", "2015-01")
                #expect(early.status == 75)
                #expect(early.errors.contains("process \(process.id) on "))
            }
            try await stack.passLedgerTime("16 seconds")
            let next = try await stack.launched("run", "bill", "--slot", "2015-01")
            #expect(next.status == 0, "\(next.errors)")
            #expect(try await statuses(stack) == ["lost", "succeeded"])
            #expect(try await stack.count(Self.journal) == 10)
        }
    }

    @Test func `who works keeps its lease, however long that takes`() async throws {
        try await withMonths { stack in
            try await stack.waiting(at: Self.journal, Self.bill) { process in
                // Longer than the lease, by the server's own clock.
                try await stack.until(
                    """
                    SELECT clock_timestamp() > acquired_at + interval '17 seconds' AS value
                    FROM leases WHERE name = 'job \(Self.job)'
                    """)
                let second = try await stack.jobs(Self.bill)
                #expect(second.status == 75)
                #expect(second.errors.contains("process \(process.id) on "))
                process.kill()
            }
        }
    }

    @Test func `who was paused past its lease writes nothing when it goes on`() async throws {
        try await withMonths { stack in
            var paused: JobsProcess?
            try await stack.waiting(at: Self.journal, Self.bill) { process in
                process.pause()
                paused = process
            }
            let zombie = try #require(paused)
            // Its session holds the month and its rows until the next holder ends it.
            try await stack.postgres.query("UPDATE leases SET expires_at = clock_timestamp()")
            let next = try await stack.jobs(Self.bill)
            #expect(next.status == 0, "\(next.errors)")
            let journal = try await stack.count(Self.journal)
            zombie.send(SIGCONT)
            let result = try await zombie.result()
            #expect(result.status == 75, "\(result.errors)")
            #expect(result.errors.contains("another run took over"))
            #expect(result.output.isEmpty)
            #expect(try await statuses(stack) == ["lost", "succeeded"])
            #expect(try await stack.count(Self.journal) == journal && journal == 10)
        }
    }

    @Test func `who is paused before its commit holds up the next one for no longer than a lease`()
        async throws
    {
        try await withMonths { stack in
            let lease = "leases WHERE name = 'job \(Self.job)'"
            let zombie = try await stack.postgres.withConnection { row in
                var paused: JobsProcess?
                try await stack.waiting(at: Self.journal, Self.bill) { process in
                    try await row.query("BEGIN")
                    try await row.query("SELECT FROM \(lease) FOR UPDATE")
                    paused = process
                }
                // The last statement before COMMIT waits for the lease's row; whoever sent it is paused.
                try await stack.until(
                    """
                    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = $1
                        AND query LIKE '%FROM leases%FOR SHARE%' AND wait_event_type = 'Lock') AS value
                    """, [stack.name])
                let process = try #require(paused)
                process.pause()
                try await row.query("ROLLBACK")
                return process
            }
            // Waits for the paused transaction, which Postgres ends.
            try await stack.postgres.query(
                "UPDATE leases SET expires_at = clock_timestamp()", timeoutSeconds: 40)
            #expect(try await stack.count(Self.journal) == 0)
            let next = try await stack.jobs(Self.bill)
            #expect(next.status == 0, "\(next.errors)")
            zombie.send(SIGCONT)
            #expect(try await zombie.result().status == 75)
            #expect(try await statuses(stack) == ["lost", "succeeded"])
            #expect(try await stack.count(Self.journal) == 10)
        }
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `who is asked to stop gives the slot back at once, and that is no attempt`(signal: Int32)
        async throws
    {
        try await withMonths(3) { stack in
            let range = ["run", "bill", "--slot", "2015-01..2015-03"]
            try await stack.waiting(at: Self.journal, range) { process in
                process.send(signal)
                let result = try await process.result()
                #expect(result.status == 75, "\(result.errors)")
                let name = signal == SIGINT ? "SIGINT" : "SIGTERM"
                #expect(result.errors.contains("stopped by \(name)"))
                #expect(
                    result.errors.contains(
                        "2015-01 given back, due again; 2015-02, 2015-03 not begun"))
                #expect(result.errors.contains("run it again"))
            }
            #expect(try await stack.slots(Self.job) == ["2015-01 pending"])
            #expect(try await stack.runs()[0].attempts == 0)
            // No lease is left to wait for.
            let next = try await stack.jobs(range)
            #expect(next.status == 0, "\(next.errors)")
            #expect(try await statuses(stack) == ["stopped", "succeeded"])
            #expect(try await stack.runs("--slot", "2015-01")[0].attempts == 1)
            #expect(try await stack.count(Self.journal) == 30)
        }
    }

    /// What ends a process that cannot even give back what it holds.
    enum Insistence: CaseIterable {
        case secondSignal
        case endOfGrace
    }

    @Test(arguments: Insistence.allCases)
    func `who cannot stop in time is ended at once`(insistence: Insistence) async throws {
        try await withMonths { stack in
            let grace = insistence == .endOfGrace ? "1" : "3600"
            try await stack.waiting(
                at: Self.journal, Self.bill, with: ["RUN_STOP_GRACE_SECONDS": grace]
            ) { process in
                try await stack.postgres.withConnection { second in
                    try await second.query("BEGIN")
                    try await second.query("LOCK TABLE job_attempts IN ACCESS EXCLUSIVE MODE")
                    process.send(SIGTERM)
                    try await stack.untilRunWaits(on: "job_attempts")
                    if insistence == .secondSignal { process.send(SIGTERM) }
                    let result = try await process.result()
                    #expect(result.signal == SIGTERM)
                    #expect(result.errors.contains("bill-dry-run 2015-01 was at work"))
                    try await second.query("ROLLBACK")
                }
            }
            let next = try await stack.jobsOnceFree(Self.bill)
            #expect(next.status == 0, "\(next.errors)")
            #expect(try await statuses(stack).last == "succeeded")
            #expect(try await stack.count(Self.journal) == 10)
        }
    }

    @Test func `sealing that is asked to stop ends, and the next run goes on`() async throws {
        try await withMonths { stack in
            try await stack.waiting(at: "usage_batches", ["run", "seal-usage"]) { process in
                process.send(SIGTERM)
                let result = try await process.result()
                #expect(result.status == 75)
                #expect(result.errors.contains("stopped by SIGTERM. seal-usage"))
            }
            try await stack.done("run", "seal-usage")
            #expect(try await stack.slots("seal-usage") == ["- stopped", "- succeeded"])
        }
    }

    @Test func `a server that takes no more sessions is 69, and the month is due again`()
        async throws
    {
        try await withMonths { stack in
            let url = stack.environment["DATABASE_URL"] ?? ""
            let port = try #require(URLComponents(string: url)?.port)
            let server = try LoopbackServer()
            defer { server.stop() }
            server.serve { client, count in
                // For the run, and for no other question that it has.
                count < 1 ? Self.relay(client, to: port) : Self.refuse(client)
            }
            let full = try await stack.jobs(
                Self.bill,
                with: [
                    "DATABASE_URL": url.replacing(":\(port)/", with: ":\(server.port)/"),
                    "RUN_ATTEMPTS": "1",
                ])
            #expect(full.status == 69, "\(full.errors)")
            #expect(full.errors.contains("too many clients"))
            #expect(try await stack.count(Self.journal) == 0)
            let next = try await stack.jobs(Self.bill)
            #expect(next.status == 0, "\(next.errors)")
        }
    }

    @Test func `a launch that meets no database asks again, as often as a slot is tried`()
        async throws
    {
        try await withMonths { stack in
            let url = stack.environment["DATABASE_URL"] ?? ""
            let port = try #require(URLComponents(string: url)?.port)
            let server = try LoopbackServer()
            defer { server.stop() }
            server.serve { client, count in
                count < 2 ? Self.refuse(client) : Self.relay(client, to: port)
            }
            let settings: [String: String?] = [
                "DATABASE_URL": url.replacing(":\(port)/", with: ":\(server.port)/"),
                "RUN_RETRY_SECONDS": "0",
            ]
            let run = try await stack.jobs(Self.bill, with: settings)
            #expect(run.status == 0, "\(run.errors)")
            #expect(run.errors.contains("trying again"), "\(run.errors)")
            #expect(try await statuses(stack) == ["succeeded"])
        }
    }

    /// As a server answers whose `max_connections` are taken.
    private static func refuse(_ client: Int32) {
        defer { close(client) }
        // A request for TLS comes first.
        if LoopbackServer.receive(client)?.count == 8 {
            LoopbackServer.send(Array("N".utf8), to: client)
            _ = LoopbackServer.receive(client)
        }
        let fields = "SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0"
        let length = UInt32(4 + fields.utf8.count).bigEndian
        let bytes = withUnsafeBytes(of: length) { Array("E".utf8) + Array($0) } + Array(fields.utf8)
        LoopbackServer.send(bytes, to: client)
    }

    private static func relay(_ client: Int32, to port: Int) {
        let server = LoopbackServer.connect(to: port)
        Thread.detachNewThread {
            while let bytes = LoopbackServer.receive(server),
                LoopbackServer.send(bytes, to: client)
            {}
            shutdown(client, Int32(SHUT_RDWR))
        }
        while let bytes = LoopbackServer.receive(client), LoopbackServer.send(bytes, to: server) {}
        shutdown(server, Int32(SHUT_RDWR))
    }
}
