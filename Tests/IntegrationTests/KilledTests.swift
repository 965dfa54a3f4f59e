import Foundation
import Glibc
import Postgres
import TestSupport
import Testing

/// Kill it anywhere, run it again: the result is that of a run that nothing disturbed.
struct KilledTests {
    private static let customers = 120
    private static let rounds = 20

    @Test
    func
        `a bill that is killed at any moment leaves all of its month or nothing, and the next run the right one`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(Self.rounds + 1, customers: Self.customers)
            let start = ContinuousClock.now
            _ = try await stack.bill("2015-01", "--requests", "undisturbed.jsonl")
            let duration = (ContinuousClock.now - start) / .milliseconds(1)
            let undisturbed = try await stack.invoices("--slot", "2015-01").map(Self.amounts)
            #expect(undisturbed.count == Self.customers)
            let planLines = String(decoding: try stack.bytes("undisturbed.jsonl"), as: UTF8.self)
                .lineCount

            var moments = SeededNumbers(seed: 20_150_501)
            var killed = 0
            for round in 1...Self.rounds {
                let slot = String(format: "%d-%02d", 2015 + round / 12, round % 12 + 1)
                let bill = ["run", "bill", "--slot", slot, "--requests", "\(slot).jsonl"]
                let process = try stack.start(bill)
                // Each round has its part of a run's time, and a random moment in it.
                let moment =
                    (Double(round - 1) + .random(in: 0..<1, using: &moments)) / Double(Self.rounds)
                await process.live(milliseconds: Int(moment * duration))
                process.kill()
                killed += try await process.result().signal == SIGKILL ? 1 : 0

                let left = try await stack.count("invoices WHERE slot = '\(slot)'")
                #expect(left == 0 || left == Self.customers)
                let plan = (try? stack.bytes("\(slot).jsonl")).map {
                    String(decoding: $0, as: UTF8.self)
                }
                #expect(plan == nil || plan?.lineCount == planLines)

                let again = try await stack.jobsOnceFree(bill)
                #expect(again.status == 0, "\(again.errors)")
                let invoices = try await stack.invoices("--slot", slot)
                #expect(invoices.map(Self.amounts) == undisturbed)
                let whole = String(decoding: try stack.bytes("\(slot).jsonl"), as: UTF8.self)
                #expect(whole.lineCount == planLines)
            }
            #expect(killed >= Self.rounds / 4, "too few runs were killed for this to mean anything")
            #expect(try await stack.count("invoices") == Self.customers * (Self.rounds + 1))
            #expect(try await stack.count("invoice_events") == Self.customers * (Self.rounds + 1))
        }
    }

    @Test func `an import that is killed at any moment is completed by the next one`() async throws
    {
        try await withStack { stack in
            let lines = 800
            func log(_ customer: String) throws -> String {
                let line =
                    #"10.0.0.1 - \#(customer) [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 100"#
                    + "\n"
                return try stack.file("\(customer).log", String(repeating: line, count: lines))
            }
            let options = ["--customer", "user"]
            let start = ContinuousClock.now
            try await stack.done("import", "access-log", log("round-0"), "--customer", "user")
            let duration = (ContinuousClock.now - start) / .milliseconds(1)
            var moments = SeededNumbers(seed: 20_150_502)
            var killed = 0
            for round in 1...Self.rounds {
                let command = ["import", "access-log", try log("round-\(round)")] + options
                let process = try stack.start(command)
                let moment =
                    (Double(round - 1) + .random(in: 0..<1, using: &moments)) / Double(Self.rounds)
                await process.live(milliseconds: Int(moment * duration))
                process.kill()
                killed += try await process.result().signal == SIGKILL ? 1 : 0
                let again = try await stack.jobs(command)
                #expect(again.status == 0, "\(again.errors)")
            }
            #expect(
                killed >= Self.rounds / 4, "too few imports were killed for this to mean anything")
            let usage = try await stack.usage("2015-05").filter { $0.metric == "api_calls" }
            #expect(usage.map(\.quantity) == Array(repeating: "\(lines)", count: Self.rounds + 1))
            let report = try await stack.bill("2015-05", "--default-plan", "standard")
            #expect(report.events == lines * (Self.rounds + 1))
            #expect(report.conflicts == 0 && report.duplicates == 0)
        }
    }

    private static func amounts(_ invoice: ListedInvoice) -> [String] {
        [invoice.customerID, invoice.status, "\(invoice.totalMinor)"]
            + invoice.lines.map { "\($0.description) \($0.amountMinor)" }
    }
}

extension Stack {
    /// Customers with terms, and one event each in each month from January 2015 on.
    func fillMonths(_ months: Int, customers: Int) async throws {
        try await importCustomers(
            (0..<customers).reduce("customer_id,plan,currency\n") { $0 + "c\($1),basic,usd\n" })
        try await clickHouse(
            """
            INSERT INTO events
            SELECT 't' || toString(number), 'c' || toString(number % \(customers)), 'storage',
                toDateTime64('2015-01-10 00:00:00', 3, 'UTC') + toIntervalMonth(intDiv(number, \(customers))),
                '{"gb":' || toString(number % \(customers)) || '}', now64(3, 'UTC')
            FROM numbers(\(months * customers))
            """)
    }

    /// Runs the program after another one was killed: again as long as the dead one's session holds
    /// something. Its lease runs out; here at once.
    func jobsOnceFree(_ arguments: [String]) async throws -> JobsProcess.Result {
        try await postgres.query("UPDATE leases SET expires_at = clock_timestamp()")
        let deadline = ContinuousClock.now + patience
        while true {
            let result = try await jobs(arguments)
            if result.status != 75 || ContinuousClock.now > deadline { return result }
        }
    }
}
