import Foundation
import Postgres
import Testing

/// `jobs report`: a month on one page.
struct ReportTests {
    private static let report = ["report", "--slot", "2015-05", "--html", "may.html"]

    private func page(_ stack: Stack) throws -> String {
        String(decoding: try stack.bytes("may.html"), as: UTF8.self)
    }

    @Test func `the page has every sum, and says that they tie out`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                """
                customer_id,plan,currency
                ann,basic,usd
                bob,basic,usd
                emma,euro,eur

                """)
            try await stack.importEvents([
                stored("1000", of: "ann", on: "2015-04-10"), stored("10", of: "ann", id: "may"),
                stored("20", of: "bob"), stored("7.5", of: "emma"),
            ])
            for month in ["2015-04", "2015-05"] {
                #expect(
                    try await stack.jobs("run", "bill", "--slot", month, "--dry-run").status == 0)
            }
            try await stack.postgres.query(
                "UPDATE invoices SET hold_reason = '<script>alert(1)</script>' WHERE customer_id = 'bob'"
            )
            let result = try await stack.jobs(Self.report)
            #expect(result.status == 0, "\(result.errors)")
            #expect(
                result.output == """
                    2015-05: 1 invoices, 7.50 EUR; 2 invoices, 30.00 USD
                    lines, invoices and states tie out

                    """)
            let page = try page(stack)
            #expect(page.contains("2 invoices come to 30.00 USD, their lines to 30.00 USD"))
            #expect(
                page.contains(
                    "<td>computed</td><td></td><td class=\"n\">1</td><td class=\"n\">10.00 USD</td>"
                ))
            #expect(page.contains("<td>storage</td><td class=\"n\">2</td><td class=\"n\">30</td>"))
            // Ann moved most: down by 990.
            #expect(
                page.contains(
                    "<td>ann</td><td class=\"n\">1,000.00 USD</td><td class=\"n\">10.00 USD</td><td class=\"n\">-990.00 USD</td>"
                ))
            #expect(page.contains("<td>2015-04</td><td class=\"n\">1</td>"))
            #expect(page.contains("<td>Counted</td><td class=\"n\">3</td>"))
            #expect(page.contains("<td>Invoices due</td><td class=\"n\">3</td>"))
            #expect(page.contains("<td>All customers</td><td class=\"n\">3</td>"))
            #expect(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"))
            #expect(!page.contains("<script"))
        }
    }

    @Test func `a month that does not tie out is 1, and says so`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let empty = try await stack.jobs(Self.report)
            #expect(empty.status == 65)
            #expect(empty.errors.contains("2015-05 has no invoices yet"))
            try await stack.importCustomers("customer_id,plan,currency\nann,basic,usd\n")
            try await stack.importEvents([stored("10", of: "ann")])
            #expect(
                try await stack.jobs("run", "bill", "--slot", "2015-05", "--dry-run").status == 0)
            for statement in [
                "ALTER TABLE invoice_lines DISABLE TRIGGER USER",
                "UPDATE invoice_lines SET amount_minor = 999",
                "ALTER TABLE invoice_lines ENABLE TRIGGER USER",
            ] { try await stack.postgres.query(statement) }
            let result = try await stack.jobs(Self.report)
            #expect(result.status == 1)
            #expect(result.output.hasSuffix("LINES, INVOICES AND STATES DO NOT TIE OUT\n"))
            #expect(try page(stack).contains("They do not tie out."))
            let nowhere = try await stack.jobs(
                "report", "--slot", "2015-05", "--html", "/nowhere/may.html")
            #expect(nowhere.status == 64)
        }
    }
}
