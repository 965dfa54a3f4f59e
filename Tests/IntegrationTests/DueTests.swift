import Testing

/// What a launch without a slot does, by the ledger's clock. The hosts' clocks are years off.
struct DueTests {
    private static let terms = "customer_id,plan,currency,timezone\n"

    @Test func `a runner that was off for three days across the 1st bills once, the right month`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(Self.terms + "ann,basic,usd,UTC\n")
            try await stack.importEvents([stored("7", of: "ann", on: "2026-10-31")])
            try await stack.setLedgerClock("2026-10-30T02:30:00Z")
            #expect(try await stack.launched("run", "bill").status == 0)
            #expect(try await stack.slots("bill-dry-run") == ["2026-09 succeeded"])
            try await stack.setLedgerClock("2026-11-02T02:30:00Z")
            #expect(try await stack.launched("run", "bill").status == 0)
            // Launched twice, and again on the days after.
            for time in ["2026-11-02T02:31:00Z", "2026-11-03T02:30:00Z", "2026-11-30T02:30:00Z"] {
                try await stack.setLedgerClock(time)
                let again = try await stack.launched("run", "bill")
                #expect(again.status == 0 && again.output.isEmpty)
                #expect(again.errors.contains("nothing is due"))
            }
            let slots = try await stack.runs("--job", "bill-dry-run")
            #expect(slots.map(\.slot) == ["2026-09", "2026-10"])
            #expect(slots.allSatisfy { $0.status == "succeeded" && $0.attempts == 1 })
            let invoices = try await stack.invoices()
            #expect(invoices.filter { $0.totalMinor > 0 }.map(\.slot) == ["2026-10"])
            #expect(try await stack.count("invoice_events WHERE total_minor > 0") == 1)
        }
    }

    /// When a month is due, with customers in some zones: a day after the last of them is through.
    struct Month: Sendable, CustomTestStringConvertible {
        let slot: String
        let zones: [String]
        let due: String

        var testDescription: String { "\(slot) in \(zones)" }
    }

    @Test(arguments: [
        Month(slot: "2026-10", zones: [], due: "2026-11-02T00:00:00Z"),
        Month(slot: "2026-10", zones: ["UTC"], due: "2026-11-02T00:00:00Z"),
        Month(slot: "2026-10", zones: ["Etc/GMT+12"], due: "2026-11-02T12:00:00Z"),
        Month(slot: "2026-10", zones: ["Pacific/Kiritimati"], due: "2026-11-01T10:00:00Z"),
        Month(
            slot: "2026-10", zones: ["Pacific/Kiritimati", "Etc/GMT+12", "UTC"],
            due: "2026-11-02T12:00:00Z"),
        Month(slot: "2026-10", zones: ["Asia/Kathmandu"], due: "2026-11-01T18:15:00Z"),
        // The clocks go back on November 1, after midnight; in March they went forward.
        Month(slot: "2026-10", zones: ["America/New_York"], due: "2026-11-02T04:00:00Z"),
        Month(slot: "2026-11", zones: ["America/New_York"], due: "2026-12-02T05:00:00Z"),
        Month(slot: "2026-03", zones: ["America/New_York"], due: "2026-04-02T04:00:00Z"),
        Month(slot: "2026-03", zones: ["Europe/Berlin"], due: "2026-04-01T22:00:00Z"),
        Month(slot: "2028-02", zones: ["UTC"], due: "2028-03-02T00:00:00Z"),
        Month(slot: "2027-02", zones: ["Etc/GMT+12"], due: "2027-03-02T12:00:00Z"),
        Month(slot: "2026-12", zones: ["Etc/GMT+12"], due: "2027-01-02T12:00:00Z"),
        Month(slot: "2026-12", zones: ["Pacific/Kiritimati"], due: "2027-01-01T10:00:00Z"),
    ])
    func `a month is due a day after it is over for the last of its customers`(month: Month)
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            if !month.zones.isEmpty {
                try await stack.importCustomers(
                    month.zones.enumerated().reduce(Self.terms) {
                        $0 + "c\($1.offset),basic,usd,\($1.element)\n"
                    })
            }
            try await stack.setLedgerClock(month.due)
            try await stack.passLedgerTime("-20 seconds")
            #expect(try await stack.launched("run", "bill").status == 0)
            let before = try await stack.runs()
            #expect(before.count == 1 && before[0].slot != month.slot)
            try await stack.setLedgerClock(month.due)
            #expect(try await stack.launched("run", "bill").status == 0)
            let after = try await stack.runs()
            #expect(after.map(\.slot) == [before[0].slot, month.slot])
            #expect(after[1].dueAt == month.due && after[1].status == "succeeded")
        }
    }

    @Test func `months that were missed are left out by the policy, and on record`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.setLedgerClock("2026-08-02T02:30:00Z")
            #expect(try await stack.launched("run", "bill").status == 0)
            try await stack.setLedgerClock("2026-12-20T00:00:00Z")
            #expect(try await stack.launched("run", "bill").status == 0)
            #expect(
                try await stack.slots("bill-dry-run") == [
                    "2026-07 succeeded", "2026-08 skipped(latest)", "2026-09 skipped(latest)",
                    "2026-10 skipped(latest)", "2026-11 succeeded",
                ])
            // By name, one that was left out can be run all the same.
            #expect(try await stack.launched("run", "bill", "--slot", "2026-09").status == 0)
            #expect(try await stack.slots("bill-dry-run")[2] == "2026-09 succeeded")
        }
    }

    @Test func `a month that is billed early is billed again when it is due`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                Self.terms + "ann,basic,usd,UTC\nhana,basic,usd,Pacific/Honolulu\n")
            try await stack.setLedgerClock("2026-11-01T06:00:00Z")
            let early = try await stack.launched(
                "run", "bill", "--slot", "2026-10", "--format", "json")
            #expect(early.status == 1)
            let report = try #require(try early.output.objects(BillReport.self).first)
            #expect(report.notClosed == 1 && report.added == 1)
            #expect(try await stack.slots("bill-dry-run") == ["2026-10 pending"])
            #expect(
                try await stack.attempts("bill-dry-run", "2026-10").map(\.status) == ["incomplete"])
            try await stack.setLedgerClock("2026-11-02T10:00:00Z")
            let due = try await stack.launched("run", "bill", "--format", "json")
            #expect(due.status == 0)
            #expect(try due.output.objects(BillReport.self).map(\.added) == [1])
            #expect(try await stack.slots("bill-dry-run") == ["2026-10 succeeded"])
        }
    }

    @Test func `a part of the customers does not make a month done`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(Self.terms + "ann,basic,usd,UTC\nbob,basic,usd,UTC\n")
            try await stack.setLedgerClock("2026-11-02T02:30:00Z")
            let part = try await stack.launched(
                "run", "bill", "--slot", "2026-10", "--customers", "ann")
            #expect(part.status == 0)
            #expect(try await stack.slots("bill-dry-run") == ["2026-10 pending"])
            #expect(try await stack.launched("run", "bill").status == 0)
            #expect(try await stack.slots("bill-dry-run") == ["2026-10 succeeded"])
            // Of a month that is done, it does not make it undone.
            #expect(
                try await stack.launched("run", "bill", "--slot", "2026-10", "--customers", "ann")
                    .status == 0)
            #expect(try await stack.slots("bill-dry-run") == ["2026-10 succeeded"])
        }
    }

    @Test func `a slot that failed is due again`() async throws {
        try await withStack(catalog: nil) { stack in
            try await stack.setLedgerClock("2026-11-02T02:30:00Z")
            let failed = try await stack.launched("run", "bill")
            #expect(failed.status == 78)
            #expect(failed.errors.contains("bill-dry-run 2026-10: no catalog is in force"))
            let run = try #require(try await stack.runs().first)
            #expect(run.status == "failed" && run.exitCode == 78)
            #expect(run.error?.contains("no catalog is in force") == true)
            try await stack.done(
                "catalog", "apply", stack.file("catalog.yaml", Sample.simpleCatalog))
            try await stack.setLedgerClock("2026-11-03T02:30:00Z")
            #expect(try await stack.launched("run", "bill").status == 0)
            let again = try #require(try await stack.runs().first)
            #expect(again.status == "succeeded" && again.attempts == 2 && again.error == nil)
        }
    }

    @Test func `a range ends with the gravest of its months`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(Self.terms + "ann,basic,usd,UTC\n")
            try await stack.setLedgerClock("2026-11-02T02:30:00Z")
            let months = try await stack.launched(
                "run", "bill", "--slot", "2026-08..2026-11", "--format", "json")
            // November is not over.
            #expect(months.status == 1)
            #expect(
                try months.output.objects(BillReport.self).map(\.slot) == [
                    "2026-08", "2026-09", "2026-10", "2026-11",
                ])
            // Before the catalog: nothing after it is begun.
            let early = try await stack.launched("run", "bill", "--slot", "2014-11..2015-01")
            #expect(early.status == 78)
            #expect(
                try await stack.slots("bill-dry-run") == [
                    "2014-11 failed", "2026-08 succeeded", "2026-09 succeeded",
                    "2026-10 succeeded", "2026-11 pending",
                ])
        }
    }
}
