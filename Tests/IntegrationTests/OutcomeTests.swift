import Foundation
import Testing

/// What needs a person never keeps others from being billed, and is never silent.
struct OutcomeTests {
    private static let terms = "customer_id,plan,currency\nann,basic,usd\nbob,premium,usd\n"

    /// Two customers whose month is in order, and a third one with something of their own.
    private static func withThird(
        _ prepare: (Stack) async throws -> Void, _ body: (Stack) async throws -> Void
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await prepare(stack)
            try await stack.importCustomers(terms)
            try await stack.importEvents([
                stored("1", of: "ann", id: "a"),
                stored("1", of: "bob", id: "b"),
            ])
            try await body(stack)
            let others = try await stack.invoices("--slot", "2015-05")
                .filter { ["ann", "bob"].contains($0.customerID) && $0.status == "computed" }
            #expect(others.map(\.totalMinor) == [100, 200])
        }
    }

    @Test func `usage without terms is unmapped, with what was used`() async throws {
        try await Self.withThird { stack in
            try await stack.importEvents([
                stored("2.5", of: "eve", id: "e")
            ])
        } _: { stack in
            let report = try await stack.bill("2015-05", status: 1)
            #expect(report.unmapped == [.init(customerID: "eve", usage: ["storage": "2.5"])])
            #expect(report.due == .init(count: 2, totalMinor: ["usd": 300]))
            let table = try await stack.jobs("run", "bill", "--slot", "2015-05")
            #expect(table.status == 1)
            #expect(table.output.contains("\n  eve  storage 2.5 GB\n"))
        }
    }

    private static let unreadable = [
        #"{"gb":"12abc"}"#, #"{"gb":1e30}"#, #"{"gb":null}"#, #"{"other":1}"#, #"{"gb":true}"#,
        #"{"gb":"0.1234567891"}"#, #"{"gb":"123456789012345678901"}"#, #"{"gb":[1]}"#,
        #"{"gb":""}"#,
    ]

    @Test func `a quantity that cannot be read holds its invoice, and is listed`() async throws {
        let count = Self.unreadable.count
        try await Self.withThird { stack in
            try await stack.importCustomers(
                (0..<count).reduce("customer_id,plan,currency\n") { $0 + "eve\($1),basic,usd\n" })
            try await stack.importEvents(
                Self.unreadable.enumerated().flatMap { index, properties in
                    [
                        stored("7", of: "eve\(index)", id: "good"),
                        eventLine("bad", of: "eve\(index)", at: "2015-05-10T00:00:00Z", properties),
                    ]
                })
        } _: { stack in
            let report = try await stack.bill("2015-05", "--requests", "plan.jsonl", status: 1)
            #expect(
                report.held == [
                    "quarantined_usage": .init(
                        count: count, totalMinor: ["usd": Int64(700 * count)])
                ])
            #expect(report.due.count == 2)
            let plan = String(decoding: try stack.bytes("plan.jsonl"), as: UTF8.self)
            #expect(plan.contains("_ann_2015-05") && !plan.contains("_eve"))
            let listed = try await stack.done(
                "usage", "show", "--slot", "2015-05", "--only", "quarantined", "--format", "json")
            #expect(listed.lineCount == count)
            #expect(listed.matches(of: #/"transaction_id":"bad"/#).count == count)
        }
    }

    /// Rows that another pipeline wrote: transaction, customer, properties.
    private static let broken = [
        ("", "eve", "{}"), ("e1", "", "{}"), ("e2", "eve", "no JSON"), ("e3", "eve", "[1]"),
        ("e4", "eve", ""),
    ]

    @Test func `a row without ids or without a JSON object is quarantined`() async throws {
        try await Self.withThird { stack in
            try await stack.insertEvents(
                Self.broken.map { transaction, customer, properties in
                    """
                    {"transaction_id":"\(transaction)","customer_id":"\(customer)","event_type":"storage",\
                    "timestamp":"2015-05-10 00:00:00.000","properties":"\(properties)",\
                    "ingested_at":"2015-05-10 00:00:00.000"}
                    """
                })
        } _: { stack in
            let report = try await stack.bill("2015-05", status: 1)
            #expect(report.quarantined == Self.broken.count && report.events == 2)
            #expect(report.due.count == 2 && report.customers == 2)
            let listed = try await stack.done(
                "usage", "show", "--slot", "2015-05", "--only", "quarantined", "--format", "json")
            #expect(listed.lineCount == Self.broken.count)
        }
    }

    /// Customers' ids that another pipeline wrote, as ClickHouse writes them: Postgres and JSON cannot.
    @Test(arguments: [["char(0)"], ["unhex('ff')", "unhex('fe')"]])
    func `an id that is no text needs a person, and does not stop everybody's month`(ids: [String])
        async throws
    {
        try await Self.withThird { stack in
            for id in ids {
                try await stack.clickHouse(
                    """
                    INSERT INTO events SELECT 't', 'eve' || \(id), 'storage',
                        toDateTime64('2015-05-10 00:00:00', 3, 'UTC'), '{"gb":1}', now64(3, 'UTC')
                    """)
            }
        } _: { stack in
            let result = try await stack.jobs(
                "run", "bill", "--slot", "2015-05", "--default-plan", "basic")
            #expect(result.status == 1, "\(result.errors)")
        }
    }

    @Test func `usage after the end of service needs a person, no usage does not`() async throws {
        try await Self.withThird { stack in
            try await stack.importCustomers(
                "customer_id,plan,currency,active_until\neve,basic,usd,2015-05-01\nfay,basic,usd,2015-05-01\n"
            )
        } _: { stack in
            let quiet = try await stack.bill("2015-05")
            #expect(quiet.inactive == 2 && quiet.inactiveWithUsage.isEmpty)
            try await stack.importEvents([
                stored("3", of: "eve", id: "e")
            ])
            let report = try await stack.bill("2015-05", status: 1)
            #expect(report.inactive == 2)
            #expect(
                report.inactiveWithUsage == [.init(customerID: "eve", usage: ["storage": "3"])])
        }
    }

    /// Why, under which plan, with which usage.
    private static let held = [
        ("negative_quantity", "basic", #"{"gb":-1}"#),
        ("amount_too_large", "basic", #"{"gb":1000000}"#),
        ("amount_overflow", "basic", #"{"gb":"99999999999999999999"}"#),
        ("unknown_plan", "legacy", #"{"gb":1}"#), ("currency_mismatch", "euro", #"{"gb":1}"#),
    ]

    @Test func `an invoice that must not be sent is held, and left out of the plan`() async throws {
        try await withStack(catalog: nil) { stack in
            // Without a catalog plans cannot be checked yet.
            try await stack.importCustomers(
                Self.held.reduce("customer_id,plan,currency\nann,basic,usd\n") {
                    $0 + "\($1.0),\($1.1),usd\n"
                })
            try await stack.done(
                "catalog", "apply", stack.file("catalog.yaml", Sample.simpleCatalog))
            try await stack.importEvents(
                [stored("1", of: "ann", id: "a")]
                    + Self.held.map { eventLine("t", of: $0.0, at: "2015-05-10T00:00:00Z", $0.2) })
            let report = try await stack.bill("2015-05", "--requests", "plan.jsonl", status: 1)
            #expect(report.due == .init(count: 1, totalMinor: ["usd": 100]))
            let plan = String(decoding: try stack.bytes("plan.jsonl"), as: UTF8.self)
            #expect(plan.contains("_ann_2015-05"))
            for (reason, _, _) in Self.held {
                #expect(report.held[reason]?.count == 1)
                #expect(try await stack.invoice(of: reason, "2015-05").holdReason == reason)
                #expect(!plan.contains("_\(reason)_2015-05"))
            }
        }
    }
}
