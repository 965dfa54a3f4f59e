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

    @Test func `what is void or carried is told from what is charged, in each currency`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.add(1, "gone", "usd", 500, status: "void")
            try await stack.add(1, "small", "usd", 30, status: "carried")
            try await stack.add(1, "paid", "usd", 1_000, status: "paid")
            try await stack.add(1, "euro", "eur", 700, status: "open")
            let result = try await stack.jobs(Self.report)
            #expect(result.status == 0, "\(result.output)")
            #expect(
                result.output == """
                    2015-05: 1 invoices, 7.00 EUR; 3 invoices, 15.30 USD (10.00 USD charged, 0.30 USD carried, 5.00 USD void)
                    What is carried is charged with a later invoice, and counts in its month; what is void charges nothing.
                    lines, invoices and states tie out

                    """)
            let page = try page(stack)
            #expect(
                page.contains(
                    "3 invoices come to 15.30 USD, their lines to 15.30 USD (10.00 USD charged, 0.30 USD carried, 5.00 USD void)"
                ))
            #expect(page.contains("What is carried is charged with a later invoice"))
            // By metric, by month, and by who moved: what is charged.
            let charged = "<td class=\"n\">1</td><td class=\"n\">10.00 USD</td>"
            #expect(page.contains("<td>storage</td><td class=\"n\">1</td>\(charged)"))
            #expect(page.contains("<td>2015-05</td>\(charged)"))
            #expect(page.contains("<td>paid1</td>") && !page.contains("<td>small1</td>"))
            // It needs attention, and did not move.
            #expect(page.components(separatedBy: "<td>gone1</td>").count == 2)
        }
    }

    @Test func `amounts of one currency are not ranked among those of another`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.add(25, "won", "krw", 1_000_000, status: "paid")
            try await stack.add(205, "held", "usd", 100, hold: "quarantined_usage")
            try await stack.add(1, "large", "usd", 5_000, status: "paid")
            try await stack.add(3, "wait", "krw", 2_000_000, hold: "quarantined_usage")
            #expect(try await stack.jobs(Self.report).status == 0)
            let page = try page(stack)
            #expect(page.contains("Who moved most since 2015-04, KRW: 20 of 28"))
            #expect(page.contains("Who moved most since 2015-04, USD: 20 of 206"))
            #expect(page.contains("<td>large1</td>"))
            // The largest of each: each amount is one more than the one before.
            #expect(page.contains("203 of 208 that need attention: the largest of each currency"))
            #expect(page.contains("<td>wait1</td>") && page.contains("<td>held6</td>"))
            #expect(!page.contains("<td>held5</td>"))
        }
    }

    @Test func `late events and duplicates are on the page`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers("customer_id,plan,currency\nann,basic,usd\n")
            try await stack.importEvents([stored("10", of: "ann")])
            _ = try await stack.bill("2015-05")
            try await stack.importEvents([stored("20", of: "ann", id: "late")])
            try await stack.clickHouse(
                """
                INSERT INTO events SELECT transaction_id, customer_id, event_type, timestamp, properties,
                    ingested_at + INTERVAL 1 HOUR
                FROM events WHERE transaction_id = 't'
                """)
            let again = try await stack.bill("2015-05")
            #expect(again.late == 1 && again.duplicates == 1)
            #expect(try await stack.jobs(Self.report).status == 0)
            let page = try page(stack)
            #expect(
                page.contains("<td>Late, after the month was billed</td><td class=\"n\">1</td>"))
            #expect(page.contains("<td>Duplicates, not counted</td><td class=\"n\">1</td>"))
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

extension Stack {
    /// Puts invoices of May on record as if they had been billed: of `name1`, `name2` and so on, the first over
    /// so much, each over one minor unit more than the one before.
    fileprivate func add(
        _ count: Int, _ name: String, _ currency: String, _ minor: Int, status: String = "computed",
        hold: String? = nil
    ) async throws {
        try await postgres.query(
            """
            WITH added AS (
                INSERT INTO invoices (invoice_id, customer_id, slot, timezone, period_start, period_end,
                    kind, revision, mode, status, hold_reason, currency, total_minor, plan,
                    collection_method, catalog_version, input_hash, tzdata_version)
                SELECT 'inv_' || $2::text || number, $2::text || number, '2015-05', 'UTC', '2015-05-01Z',
                    '2015-06-01Z', 'regular', 0, 'test', $5::text, $6::text, $3::text, $4::bigint + number - 1, 'basic',
                    'send_invoice', 'simple', '', ''
                FROM generate_series(1, $1::integer) AS number
                RETURNING invoice_id, total_minor
            )
            INSERT INTO invoice_lines (invoice_id, position, line_id, metric, quantity, amount_minor,
                description, tiers)
            SELECT invoice_id, 0, invoice_id || '_0', 'storage', 1, total_minor, 'storage', '[]' FROM added
            """, [count, name, currency, minor, status, hold])
    }
}
