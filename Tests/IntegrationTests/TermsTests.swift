import Testing

/// A period is billed by the terms in force on its first day, whenever it is billed.
struct TermsTests {
    private static let header = "customer_id,plan,currency\n"

    /// 10 GB in each of May, June and July: 10 dollars on basic, 20 on premium.
    private static func withUsage(_ body: (Stack) async throws -> Void) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(header + "acme,basic,usd\n")
            try await stack.importEvents(
                (5...7).map { stored("10", of: "acme", id: "t\($0)", on: "2015-0\($0)-10") })
            try await body(stack)
        }
    }

    @Test func `May is billed on May's terms after a change that takes effect later`() async throws
    {
        try await Self.withUsage { stack in
            _ = try await stack.bill("2015-05")
            try await stack.importCustomers(
                Self.header + "acme,premium,usd\n", "--effective-from", "2015-06-01")
            let may = try await stack.bill("2015-05")
            #expect(may.unchanged == 1 && may.changed == 0)
            #expect(may.due.totalMinor == ["usd": 1_000])
            #expect(try await stack.bill("2015-06").due.totalMinor == ["usd": 2_000])
            #expect(try await stack.invoice(of: "acme", "2015-05").totalMinor == 1_000)
        }
    }

    /// When terms change, and what May, June and July come to.
    private static let changes: [(date: String, totals: [Int64])] = [
        ("2015-05-01", [2_000, 2_000, 2_000]), ("2015-05-02", [1_000, 2_000, 2_000]),
        ("2015-06-01", [1_000, 2_000, 2_000]), ("2015-06-30", [1_000, 1_000, 2_000]),
    ]

    @Test func `changed terms hold from the first period that starts with them`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            for (date, _) in Self.changes {
                try await stack.importCustomers(Self.header + "from-\(date),basic,usd\n")
                try await stack.importCustomers(
                    Self.header + "from-\(date),premium,usd\n", "--effective-from", date)
                try await stack.importEvents(
                    (5...7).map {
                        stored("10", of: "from-\(date)", id: "t\($0)", on: "2015-0\($0)-10")
                    })
            }
            for month in 5...7 {
                _ = try await stack.bill("2015-0\(month)")
                let totals = try await stack.invoices("--slot", "2015-0\(month)").map(\.totalMinor)
                #expect(totals == Self.changes.map { $0.totals[month - 5] })
            }
        }
    }

    @Test func `changed terms hold from today on, unless a date is given`() async throws {
        try await Self.withUsage { stack in
            try await stack.importCustomers(Self.header + "acme,premium,usd\n")
            #expect(try await stack.bill("2015-07").due.totalMinor == ["usd": 1_000])
            let today: Bool = try await stack.value(
                """
                SELECT effective_from BETWEEN (now() AT TIME ZONE 'UTC')::date - 1
                    AND (now() AT TIME ZONE 'UTC')::date AS value
                FROM customer_terms ORDER BY term_id DESC LIMIT 1
                """)
            #expect(today)
        }
    }

    @Test func `a correction of May's terms changes May's invoice, and the journal keeps both`()
        async throws
    {
        try await Self.withUsage { stack in
            _ = try await stack.bill("2015-05")
            try await stack.importCustomers(
                Self.header + "acme,premium,usd\n", "--effective-from", "2015-05-01")
            let report = try await stack.bill("2015-05")
            #expect(report.changed == 1 && report.added == 0 && report.superseded == 0)
            let id = try await stack.invoice(of: "acme", "2015-05").invoiceID
            let explained = try await stack.done("invoices", "show", id)
            let journal = explained.matches(of: #/  computed  computed  ([0-9.]+) USD  catalog/#)
                .map { $0.1 }
            #expect(journal == ["10.00", "20.00"])
        }
    }

    @Test func `the catalog in force on the first day prices the month`() async throws {
        try await Self.withUsage { stack in
            let dearer = Sample.plans.replacing("unit_amount: \"1\"", with: "unit_amount: \"3\"")
            for (version, date) in [("mid-may", "2015-05-15"), ("july", "2015-07-01")] {
                try await stack.done(
                    "catalog", "apply",
                    stack.file(
                        "next.yaml",
                        Sample.catalog(
                            version: version, effectiveFrom: date,
                            plans: version == "july" ? dearer : Sample.plans)))
            }
            for (month, version, total) in [
                (5, "simple", 1_000), (6, "mid-may", 1_000), (7, "july", 3_000),
            ] {
                _ = try await stack.bill("2015-0\(month)")
                let invoice = try await stack.invoice(of: "acme", "2015-0\(month)")
                #expect(invoice.catalogVersion == version && invoice.totalMinor == total)
            }
        }
    }

    /// The first day of service, the day after the last, and what becomes of May.
    private static let services = [
        ("", "", "zero"), ("2015-05-31", "", "zero"), ("2015-06-01", "", "unknown yet"),
        ("", "2015-05-02", "zero"), ("", "2015-05-01", "inactive"),
        ("2015-05-10", "2015-05-11", "zero"),
    ]

    @Test func `a customer is billed for a month in which service lasted a day`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let rows = Self.services.enumerated().map { "c\($0),basic,usd,\($1.0),\($1.1)\n" }
            try await stack.importCustomers(
                "customer_id,plan,currency,active_from,active_until\n" + rows.joined())
            let report = try await stack.bill("2015-05")
            #expect(report.customers == 5 && report.skippedZero.count == 4 && report.inactive == 1)
            let billed = Self.services.indices.filter { Self.services[$0].2 == "zero" }
            #expect(try await stack.invoices().map(\.customerID) == billed.map { "c\($0)" })
        }
    }
}
