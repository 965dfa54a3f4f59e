import Postgres
import Testing

struct LateDataTests {
    /// Three customers, billed for May.
    private static func withBilledMay(_ body: (Stack) async throws -> Void) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                "customer_id,plan,currency\nann,basic,usd\nbob,basic,usd\neve,basic,usd\n")
            try await stack.importEvents(
                ["ann", "bob", "eve"].map {
                    stored("10", of: $0)
                })
            let report = try await stack.bill("2015-05")
            #expect(report.due == .init(count: 3, totalMinor: ["usd": 3_000]))
            try await body(stack)
        }
    }

    @Test func `a late event changes exactly its invoice, and the journal says so`() async throws {
        try await Self.withBilledMay { stack in
            let before = try await stack.invoices("--slot", "2015-05")
            let bob = before[1].invoiceID
            var shown: [String: String] = [:]
            for id in before.map(\.invoiceID) {
                shown[id] = try await stack.done("invoices", "show", id)
            }
            let clean = try await stack.done("invoices", "verify", "--slot", "2015-05")
            #expect(clean == "3 verified: 0 differ\n")

            try await stack.importEvents([
                eventLine("late", of: "bob", at: "2015-05-31T23:59:59.999Z", #"{"gb":12.5}"#)
            ])
            // What was billed stays what it was, at the batch that it was billed with.
            try await stack.done("run", "seal-usage")
            #expect(try await stack.done("invoices", "verify", "--slot", "2015-05") == clean)
            #expect(try await stack.invoices("--slot", "2015-05") == before)

            let report = try await stack.bill("2015-05")
            #expect(report.changed == 1 && report.unchanged == 2 && report.added == 0)
            #expect(report.late == 1)
            let after = try await stack.invoices("--slot", "2015-05")
            #expect(after.map(\.totalMinor) == [1_000, 1_250, 1_000])
            #expect(after[0] == before[0] && after[2] == before[2])
            #expect(after[1].invoiceID == bob)
            for id in [before[0].invoiceID, before[2].invoiceID] {
                #expect(try await stack.done("invoices", "show", id) == shown[id])
            }
            let explained = try await stack.done("invoices", "show", bob)
            let totals = explained.matches(
                of: #/  computed  computed  ([0-9.]+) USD  catalog simple/#)
            #expect(totals.map(\.1) == ["10.00", "12.50"])
            #expect(try await stack.done("invoices", "verify", "--slot", "2015-05") == clean)
        }
    }

    @Test func `late events are told of until all of the month is billed; a rebuild has none`()
        async throws
    {
        try await Self.withBilledMay { stack in
            try await stack.importEvents(
                ["ann", "bob"].map { stored("20", of: $0, id: "late", on: "2015-05-11") })
            let sealed = try await stack.done("run", "seal-usage", "--format", "json")
            #expect(sealed.contains(#""late":[{"slot":"2015-05","events":2}]"#), "\(sealed)")
            #expect(try await stack.bill("2015-05", "--customers", "ann").late == 2)
            // Bob's is not billed yet.
            #expect(try await stack.bill("2015-05").late == 2)
            #expect(try await stack.bill("2015-05").late == 0)
            let rebuilt = try await stack.done(
                "run", "seal-usage", "--rebuild", "--format", "json")
            #expect(rebuilt.contains(#""late":[]"#), "\(rebuilt)")
            #expect(try await stack.bill("2015-05").late == 0)
        }
    }

    @Test func `a billed row that a merge takes out of the log stays billed, and is verified`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.clickHouse("DROP TABLE events")
            try await stack.clickHouse(
                """
                CREATE TABLE events (transaction_id String, customer_id String, event_type String,
                    timestamp DateTime64(3, 'UTC'), properties String, ingested_at DateTime64(3, 'UTC'))
                ENGINE = ReplacingMergeTree(ingested_at) ORDER BY (customer_id, transaction_id)
                """)
            try await stack.importCustomers("customer_id,plan,currency\nann,basic,usd\n")
            func append(_ gigabytes: Int, on day: String) async throws {
                try await stack.insertEvents([
                    """
                    {"transaction_id":"t","customer_id":"ann","event_type":"storage",\
                    "timestamp":"2015-05-10 00:00:00.000","properties":"{\\"gb\\":\(gigabytes)}",\
                    "ingested_at":"\(day) 00:00:00.000"}
                    """
                ])
            }
            try await append(10, on: "2015-05-10")
            #expect(try await stack.bill("2015-05").due.totalMinor == ["usd": 1_000])
            try await append(99, on: "2015-06-20")
            try await stack.clickHouse("OPTIMIZE TABLE events FINAL")
            #expect(try await stack.eventRows() == 1)
            let clean = try await stack.done("invoices", "verify", "--slot", "2015-05")
            #expect(clean == "1 verified: 0 differ\n")
            let again = try await stack.bill("2015-05")
            #expect(again.unchanged == 1 && again.conflicts == 1)
            #expect(try await stack.done("invoices", "verify", "--slot", "2015-05") == clean)
        }
    }

    @Test func `an event of the next month changes nothing`() async throws {
        try await Self.withBilledMay { stack in
            try await stack.importEvents([
                stored("99", of: "bob", id: "late", on: "2015-06-01"),
                eventLine("early", of: "bob", at: "2015-04-30T23:59:59.999Z", #"{"gb":99}"#),
            ])
            try await stack.done("invoices", "verify", "--slot", "2015-05")
            #expect(try await stack.bill("2015-05").unchanged == 3)
        }
    }

    @Test func `an id of another month or type is the same event`() async throws {
        try await Self.withBilledMay { stack in
            try await stack.importEvents([
                stored("99", of: "bob", on: "2015-06-10"),
                eventLine(
                    "t", of: "ann", type: "api_request", at: "2015-05-10T00:00:00Z", #"{"bytes":1}"#
                ),
            ])
            let may = try await stack.bill("2015-05")
            #expect(may.unchanged == 3 && may.events == 3 && may.conflicts == 2)
            let june = try await stack.bill("2015-06")
            #expect(june.skippedZero.count == 3 && june.events == 0 && june.conflicts == 0)
        }
    }

    /// What somebody does to an invoice in the ledger by hand, sums intact.
    private static let tampering = [
        "UPDATE invoice_lines SET description = 'storage: 9 GB'",
        "UPDATE invoice_lines SET quantity = 9",
        "UPDATE invoice_lines SET metric = 'bandwidth'",
        "UPDATE invoice_lines SET tiers = '[]'",
        "UPDATE invoices SET status = 'carried'",
        "UPDATE invoices SET hold_reason = 'unparsable_usage'",
        "UPDATE invoices SET currency = 'eur'",
        "UPDATE invoices SET plan = 'premium'",
        "UPDATE invoices SET slot = '2015-06'",
        "UPDATE invoices SET period_end = '2015-06-02'",
        "UPDATE invoices SET input_hash = ''",
    ]

    @Test func `verify finds what was changed by hand, to the last character`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.fillMonths(1, customers: Self.tampering.count + 1)
            _ = try await stack.bill("2015-01")
            for (index, change) in Self.tampering.enumerated() {
                let id = try await stack.invoice(of: "c\(index + 1)", "2015-01").invoiceID
                try await stack.postgres.query("\(change) WHERE invoice_id = $1", [id])
                let result = try await stack.jobs("invoices", "verify", id)
                #expect(result.status == 1, "\(change)")
                #expect(result.output.contains("\(id) of c\(index + 1) differs"), "\(change)")
            }
        }
    }

    /// What `verify` finds, the month's next run must mend: that is what the operator is told to do.
    @Test func `billing again mends what verify finds`() async throws {
        try await Self.withBilledMay { stack in
            let before = try await stack.invoices("--slot", "2015-05")
            try await stack.postgres.query(
                "UPDATE invoice_lines SET description = 'storage: 9 GB' WHERE invoice_id = $1",
                [before[0].invoiceID])
            #expect(try await stack.jobs("invoices", "verify", "--slot", "2015-05").status == 1)
            #expect(try await stack.bill("2015-05").changed == 1)
            #expect(try await stack.invoices("--slot", "2015-05") == before)
            #expect(try await stack.jobs("invoices", "verify", "--slot", "2015-05").status == 0)
        }
    }

    @Test
    func
        `usage that disappears stays billed until a rebuild is accepted, without terms it is superseded`()
        async throws
    {
        try await Self.withBilledMay { stack in
            try await stack.clickHouse(
                "ALTER TABLE events DELETE WHERE customer_id = 'bob' SETTINGS mutations_sync = 2")
            #expect(try await stack.bill("2015-05").unchanged == 3)
            let refused = try await stack.jobs("run", "seal-usage", "--rebuild")
            #expect(refused.status == 1 && refused.output.contains("bob on 2015-05-10"))
            #expect(try await stack.bill("2015-05").unchanged == 3)
            let before = try await stack.done("invoices", "verify", "--slot", "2015-05")
            try await stack.done("run", "seal-usage", "--rebuild", "--accept-differences")
            // Each invoice is verified at its own batch, whose tables are kept.
            #expect(try await stack.done("invoices", "verify", "--slot", "2015-05") == before)
            let zero = try await stack.bill("2015-05")
            #expect(zero.skippedZero.count == 1 && zero.changed == 1 && zero.due.count == 2)
            try await stack.importCustomers(
                "customer_id,plan,currency,active_until\neve,basic,usd,2015-05-01\n")
            let inactive = try await stack.bill("2015-05", status: 1)
            #expect(
                inactive.superseded == 1
                    && inactive.inactiveWithUsage.map(\.customerID) == ["eve"])
            #expect(
                try await stack.invoices("--slot", "2015-05").map(\.customerID) == ["ann", "bob"])
            let superseded = try await stack.invoices("--slot", "2015-05", "--status", "superseded")
            #expect(superseded.map(\.customerID) == ["eve"])
        }
    }

    @Test func `only the chosen customers are billed, and the others' invoices stay`() async throws
    {
        try await Self.withBilledMay { stack in
            try await stack.importEvents(
                ["ann", "bob"].map { stored("20", of: $0, id: "late", on: "2015-05-11") })
            let report = try await stack.bill("2015-05", "--customers", "ann,eve")
            #expect(report.changed == 1 && report.unchanged == 1 && report.superseded == 0)
            #expect(report.notChosen == 1)
            #expect(
                try await stack.invoices("--slot", "2015-05").map(\.totalMinor) == [
                    2_000, 1_000, 1_000,
                ])
        }
    }
}
