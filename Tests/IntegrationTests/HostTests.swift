import Foundation
import Glibc
import Postgres
import Testing

/// Hosts whose clocks are wrong, and a host on which the program is replaced while it works.
struct HostTests {
    private static let job = "bill-dry-run"
    private static let bill = ["run", "bill", "--slot", "2015-01"]

    /// What a program is started with so that its host's clock is wrong.
    private static func clock(seconds: Int, _ stack: Stack) async throws -> [String: String?] {
        let (source, library) = (#filePath, "\(stack.folder)/wrong_clock.so")
        let folder = URL(filePath: source).deletingLastPathComponent().path
        let made = try await Tool.run(
            "clang", "-shared", "-fPIC", "-O1", "-o", library, "\(folder)/wrong_clock.c")
        try #require(made.status == 0, "\(made.errors)")
        return ["LD_PRELOAD": library, "WRONG_CLOCK_SECONDS": "\(seconds)"]
    }

    @Test func `hosts whose clocks differ by minutes share one month as others do`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 10)
            let late = try await Self.clock(seconds: -600, stack)
            let early = try await Self.clock(seconds: 600, stack)
            try await stack.waiting(at: "invoice_events", Self.bill, with: late) { slow in
                let fast = try await stack.jobs(Self.bill, with: early)
                #expect(fast.status == 75, "\(fast.errors)")
                #expect(fast.errors.contains("process \(slow.id) on "))
                // It works for longer than a lease lives, and keeps it.
                try await stack.until(
                    """
                    SELECT clock_timestamp() > acquired_at + interval '17 seconds'
                        AND expires_at > clock_timestamp() AS value
                    FROM leases WHERE name = 'job \(Self.job)'
                    """)
                slow.kill()
            }
            try await stack.postgres.query("UPDATE leases SET expires_at = clock_timestamp()")
            let next = try await stack.jobs(Self.bill, with: early)
            #expect(next.status == 0, "\(next.errors)")
            let attempts = try await stack.attempts(Self.job, "2015-01")
            #expect(attempts.map(\.status) == ["lost", "succeeded"])
            // On record is the ledger's time, whoever worked.
            let isNow: Bool = try await stack.value(
                """
                SELECT bool_and(started_at BETWEEN clock_timestamp() - interval '5 minutes'
                    AND clock_timestamp()) AS value FROM job_attempts
                """)
            #expect(isNow)
            #expect(try await stack.count("invoice_events") == 10)
        }
    }

    @Test(arguments: [40, -40])
    func `a host whose clock is in another month bills what is due, and nothing else`(
        days: Int
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: 3)
            try await stack.setLedgerClock("2015-02-03T12:00:00Z")
            let clock = try await Self.clock(seconds: days * 86_400, stack)
                .merging(stack.withLedgerClock) { $1 }
            let result = try await stack.jobs(["run", "bill"], with: clock)
            #expect(result.status == 0, "\(result.errors)")
            #expect(try await stack.slots(Self.job) == ["2015-01 succeeded"])
            #expect(try await stack.count("invoices WHERE slot = '2015-01'") == 3)
        }
    }

    @Test func `a program that is replaced while it works is followed by the new one`() async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(2, customers: 10)
            let range = ["run", "bill", "--slot", "2015-01..2015-02"]
            let installed = "\(stack.folder)/jobs"
            try await Self.copyProgram(to: installed)
            try await stack.waiting(at: "invoice_events", range, program: installed) { old in
                // As a package manager does it: the new file takes the name, the old one lives on unnamed.
                let new = installed + ".new"
                try await Self.copyProgram(to: new)
                #expect(rename(new, installed) == 0)
                old.send(SIGTERM)
                #expect(try await old.result().status == 75)
            }
            let new = try await stack.start(range, program: installed).result()
            #expect(new.status == 0, "\(new.errors)")
            let attempts = try await stack.attempts(Self.job, "2015-01")
            #expect(attempts.map(\.status) == ["stopped", "succeeded"])
            #expect(attempts.allSatisfy { $0.programVersion != nil })
            #expect(try await stack.slots(Self.job) == ["2015-01 succeeded", "2015-02 succeeded"])
            #expect(try await stack.count("invoice_events") == 20)
        }
    }

    /// By a process of its own: what is open for writing here, and in children, cannot be run.
    private static func copyProgram(to path: String) async throws {
        let copied = try await Tool.run("cp", JobsProcess.executable, path)
        try #require(copied.status == 0, "\(copied.errors)")
    }
}
