import Foundation
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// May 2015 of the sample log, with the sample prices. The numbers are those of a count by hand (awk)
/// over the log.
struct DemoTests {
    @Test func `the sample log's usage is counted to the last byte, and only once`() async throws {
        try await withStack { stack in
            let first = try await stack.done("import", "access-log", Sample.accessLog)
            #expect(first.contains("10,000 lines: 10,000 events, 0 rejected"))
            #expect(first.contains("10,000 added, 0 known already"))
            let again = try await stack.done("import", "access-log", Sample.accessLog)
            #expect(again.contains("0 added, 10,000 known already"))
            #expect(try await stack.eventRows() == 10_000)

            let usage = try await stack.usage("2015-05")
            let calls = usage.filter { $0.metric == "api_calls" }
            let bandwidth = usage.filter { $0.metric == "bandwidth" }
            #expect(calls.compactMap { Int($0.quantity) }.reduce(0, +) == 8_149)
            #expect(bandwidth.compactMap { Int($0.quantity) }.reduce(0, +) == 3_344_031_558)
            #expect(Set(usage.map(\.customerID)).count == 1_733)
            #expect(calls.count == 1_733 && bandwidth.count == 1_733 && usage.count == 2 * 1_733)
            #expect(usage.allSatisfy { $0.unparsable == 0 })
        }
    }

    @Test func `the sample month is billed to the cent, and twice is the same as once`()
        async throws
    {
        try await withStack { stack in
            try await stack.done("import", "access-log", Sample.accessLog)
            let first = try await stack.bill(
                "2015-05", "--default-plan", "standard", "--requests", "first.jsonl")
            #expect(first.customers == 1_850)
            #expect(first.events == 10_000 && first.duplicates == 0 && first.conflicts == 0)
            #expect(first.due == .init(count: 1_259, totalMinor: ["usd": 3_339_999]))
            #expect(first.carried == .init(count: 291, totalMinor: ["usd": 3_994]))
            #expect(first.skippedZero == .init(count: 183, totalMinor: ["usd": 0]))
            #expect(first.nothingBillable == 117 && first.unmapped.isEmpty && first.held.isEmpty)
            #expect(first.added == 1_733 && first.changed == 0 && first.unchanged == 0)

            let list = try await stack.done(
                "invoices", "list", "--slot", "2015-05", "--format", "json")
            let groups = Dictionary(grouping: try list.objects(ListedInvoice.self), by: \.status)
            #expect(
                groups.mapValues(\.count) == [
                    "computed": 1_259, "carried": 291, "skipped_zero": 183,
                ])
            let totals = groups.mapValues { $0.reduce(0) { $0 + $1.totalMinor } }
            #expect(totals == ["computed": 3_339_999, "carried": 3_994, "skipped_zero": 0])
            for invoice in groups.values.joined() {
                #expect(invoice.lines.reduce(0) { $0 + $1.amountMinor } == invoice.totalMinor)
            }

            var second = try await stack.bill(
                "2015-05", "--default-plan", "standard", "--requests", "second.jsonl")
            #expect(second.added == 0 && second.changed == 0 && second.superseded == 0)
            #expect(second.unchanged == 1_733)
            (second.added, second.unchanged) = (first.added, first.unchanged)
            #expect(second == first)
            #expect(try stack.bytes("first.jsonl") == stack.bytes("second.jsonl"))
            #expect(try stack.bytes("first.jsonl").count > 1_000_000)
            #expect(
                try await stack.done("invoices", "list", "--slot", "2015-05", "--format", "json")
                    == list)
            #expect(try await stack.count("invoice_events") == 1_733)
        }
    }

    @Test func `the sample month is sent once, to the last invoice, and what was sent stays`()
        async throws
    {
        try await withStack { stack in
            try await stack.done("import", "access-log", Sample.accessLog)
            _ = try await stack.bill("2015-05", "--default-plan", "standard")
            let stripe = try ServerProcess()
            let customers = try await stack.madeCustomers(at: stripe)
            #expect(
                try await stack.done(
                    "import", "customers", customers, "--effective-from", "2015-05-01"
                ).hasPrefix("1733 customers: 1733 added"))
            // Those that are there are found again.
            let made = try stack.bytes("customers.csv")
            _ = try await stack.madeCustomers(at: stripe)
            #expect(try stack.bytes("customers.csv") == made)

            let submitted = SubmittedStack(stack: stack, stripe: stripe, customers: [:])
            let first = try await submitted.bill()
            #expect(first.status == 0, "\(first.errors)")
            #expect(first.output.contains("\nsent      1,259  by this run\n"))
            #expect(first.output.contains("\nowed      291  carried into the next invoice\n"))
            let effects = try await submitted.effects()
            #expect(effects["customers_created"] == 1_733)
            #expect(effects["finalized"] == 1_259 && effects["invoices_created"] == 1_259)
            #expect(effects["sent"] == Self.mailed && effects["charges"] == 1_259 - Self.mailed)
            let atStripe = try await stack.postgres.query(
                """
                SELECT sum(total_minor)::bigint AS total FROM invoices
                WHERE mode = 'test' AND recovery_point = 'collected'
                """)
            #expect(try atStripe.rows[0].decode("total", as: Int64.self) == 3_339_999)

            let second = try await submitted.bill()
            #expect(second.status == 0, "\(second.errors)")
            #expect(second.output.contains("\nsent      0  by this run\n"))
            // The 291 that are owed from now on stay, too.
            #expect(second.output.contains("1,550 settled before and left as they are"))
            #expect(try await submitted.effects() == effects)
            stripe.end(SIGTERM)
        }
    }

    /// Every second customer is mailed, the others' cards are charged.
    private static let mailed = 634

    @Test func `a log that has grown, has another name, or is piped in adds nothing twice`()
        async throws
    {
        try await withStack(catalog: nil) { stack in
            let log = try String(contentsOfFile: Sample.accessLog, encoding: .utf8)
            let head = log.split(separator: "\n", omittingEmptySubsequences: false).prefix(3_000)
            // Its last line has no newline yet, as if the server were still at it.
            let grown = try stack.file("grown.log", head.joined(separator: "\n"))
            let start = try await stack.done("import", "access-log", grown)
            #expect(start.contains("3,000 added, 0 known already"))
            try stack.file("grown.log", log)
            let rest = try await stack.done("import", "access-log", grown)
            #expect(rest.contains("7,000 added, 3,000 known already"))
            let piped = try await stack.done(
                "import", "access-log", "-", input: .file(Sample.accessLog))
            #expect(piped.contains("0 added, 10,000 known already"))
            #expect(try await stack.eventRows() == 10_000)
        }
    }

    @Test func `without terms and without a default plan everybody is named, and nobody is billed`()
        async throws
    {
        try await withStack { stack in
            try await stack.done("import", "access-log", Sample.accessLog)
            let report = try await stack.bill("2015-05", status: 1)
            #expect(report.customers == 1_850 && report.nothingBillable == 117)
            #expect(report.unmapped.count == 1_733 && report.added == 0)
            let calls = report.unmapped.compactMap { $0.usage["api_calls"].flatMap { Int($0) } }
            let bytes = report.unmapped.compactMap { $0.usage["bandwidth"].flatMap { Int($0) } }
            #expect(calls.reduce(0, +) == 8_149 && bytes.reduce(0, +) == 3_344_031_558)
            let table = try await stack.jobs("run", "bill", "--slot", "2015-05")
            #expect(table.status == 1)
            let named = table.output.matches(
                of: #/\n  ([^ ]+)  api_calls [0-9,]+ call, bandwidth /#
            ).map {
                String($0.1)
            }
            #expect(named == report.unmapped.map(\.customerID))
            #expect(try await stack.count("invoices") == 0)
        }
    }
}

extension Stack {
    /// Runs `dev/sample/make_customers` for everybody who has an invoice.
    ///
    /// - Returns: the file for the import.
    fileprivate func madeCustomers(at stripe: ServerProcess) async throws -> String {
        let list = try await done("invoices", "list", "--slot", "2015-05", "--format", "json")
        let (listed, made) = (try file("listed.jsonl", list), "\(folder)/customers.csv")
        let result = try await Tool.run(
            "sh", "-c",
            """
            STRIPE_API_BASE=\(stripe.url) STRIPE_API_KEY=sk_test_simulator \
                '\(Sample.makeCustomers)' <'\(listed)' >'\(made)'
            """)
        try #require(result.status == 0, "\(result.errors)")
        return made
    }

    func bytes(_ name: String) throws -> Data {
        try Data(contentsOf: URL(filePath: "\(folder)/\(name)"))
    }
}
