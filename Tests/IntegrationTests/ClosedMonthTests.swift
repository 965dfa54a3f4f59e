import Foundation
import Testing

/// A month is billed when it is over.
struct ClosedMonthTests {
    private static let terms = "customer_id,plan,currency\nann,basic,usd\nbob,basic,usd\n"

    /// The month of the calendar in UTC, so many months from now.
    private static func month(_ offset: Int) throws -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        let day = try #require(calendar.date(byAdding: .month, value: offset, to: Date()))
        let parts = calendar.dateComponents([.year, .month], from: day)
        return String(format: "%04d-%02d", parts.year ?? 0, parts.month ?? 0)
    }

    @Test(arguments: [0, 1, 900])
    func `a month that is not over is not closed, and nothing is billed`(monthsAhead: Int)
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(Self.terms)
            let slot = try Self.month(monthsAhead)
            let report = try await stack.bill(slot, status: 1)
            #expect(report.notClosed == 2 && report.customers == 2 && report.added == 0)
            let table = try await stack.jobs("run", "bill", "--slot", slot)
            #expect(table.status == 1)
            #expect(table.output.contains("not closed before"))
            #expect(try await stack.count("invoices") == 0)
        }
    }

    @Test func `usage of customers without terms in a month that is not over is not passed over`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            let file = try stack.file(
                "events.jsonl",
                #"{"transaction_id":"t","customer_id":"eve","event_type":"storage","timestamp":\#(now),"properties":{"gb":9}}"#
                    + "\n")
            try await stack.done("import", "events", file)
            let result = try await stack.jobs("run", "bill", "--slot", Self.month(0))
            #expect(result.status == 1, "\(result.output)")
        }
    }

    @Test func `a month before the first catalog cannot be billed`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let result = try await stack.jobs("run", "bill", "--slot", "2014-12")
            #expect(result.status == 78)
            #expect(result.errors.contains("no catalog is in force on 2014-12-01"))
            #expect(result.errors.contains("jobs catalog apply"))
        }
    }
}
