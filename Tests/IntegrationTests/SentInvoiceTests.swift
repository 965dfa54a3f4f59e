import Postgres
import Testing

/// What was sent is never computed again. Sending is marked by hand here.
struct SentInvoiceTests {
    private static let header = "customer_id,plan,currency,timezone\n"

    /// May of two customers is billed, Ann's was sent.
    private static func withSentMay(
        zone: String = "Etc/GMT+12", _ body: (Stack) async throws -> Void
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(header + "ann,basic,usd,\(zone)\nbob,basic,usd,\n")
            try await stack.importEvents(
                ["ann", "bob"].map { stored("10", of: $0) })
            _ = try await stack.bill("2015-05")
            try await stack.postgres.query(
                "UPDATE invoices SET mode = 'test', status = 'submitting' WHERE customer_id = 'ann'"
            )
            try await body(stack)
        }
    }

    @Test func `late usage changes only what was not sent, and no verification`() async throws {
        try await Self.withSentMay { stack in
            let sent = try await stack.invoice(of: "ann", "2015-05")
            try await stack.importEvents(
                ["ann", "bob"].map { stored("20", of: $0, id: "late", on: "2015-05-11") })
            let report = try await stack.bill("2015-05")
            #expect(report.submitted == 1 && report.changed == 1 && report.late == 2)
            #expect(try await stack.invoice(of: "ann", "2015-05") == sent)
            #expect(try await stack.invoice(of: "bob", "2015-05").totalMinor == 2_000)
            let verified = try await stack.done("invoices", "verify", "--slot", "2015-05")
            #expect(verified == "2 verified: 0 differ\n")
        }
    }

    @Test func `terms and catalogs that would change what was sent are refused`() async throws {
        try await Self.withSentMay { stack in
            let file = try stack.file("customers.csv", Self.header + "ann,premium,usd,Etc/GMT+12\n")
            let terms = try await stack.jobs(
                "import", "customers", file, "--effective-from", "2015-05-01")
            #expect(terms.status == 65 && terms.errors.contains("until 2015-06-01"))
            try await stack.done("import", "customers", file, "--effective-from", "2015-06-01")
            for (date, status) in [("2015-05-15", 65), ("2015-06-01", 0)] as [(String, Int32)] {
                let catalog = Sample.catalog(version: "from-\(date)", effectiveFrom: date)
                let result = try await stack.jobs(
                    "catalog", "apply", stack.file("next.yaml", catalog))
                #expect(result.status == status, "\(result.errors)")
            }
        }
    }

    /// Ann's next month would begin a day before her last one, which was sent, has ended.
    @Test func `a period that would overlap one that was sent does not stop everybody's month`()
        async throws
    {
        try await Self.withSentMay { stack in
            try await stack.importCustomers(
                Self.header + "ann,basic,usd,Pacific/Kiritimati\n", "--effective-from", "2015-06-01"
            )
            let sent = try await stack.invoice(of: "ann", "2015-05")
            let report = try await stack.bill("2015-06", status: 1)
            #expect(report.overlapping == 1 && report.added == 1)
            #expect(try await stack.invoices("--slot", "2015-06").map(\.customerID) == ["bob"])
            #expect(try await stack.invoice(of: "ann", "2015-05") == sent)
        }
    }
}
