import Billing
import ClickHouse
import Exact
import Ledger
import Postgres
import Testing
import Usage

/// Sealing as its operator meets it.
@Suite(.timeLimit(.minutes(10))) struct SealingTests {
    private static let header = "customer_id,plan,currency\n"

    @Test
    func `a row is released from quarantine when it was sent mended, and its invoice is free`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(Self.header + "ann,basic,usd\nbob,basic,usd\n")
            try await stack.importEvents([
                stored("10", of: "ann"), stored("10", of: "bob", id: "b"),
                eventLine("bad", of: "ann", at: "2015-05-10T00:00:00Z", #"{"gb":"12 GB"}"#),
            ])
            let sealed = try await stack.jobs("run", "seal-usage")
            #expect(sealed.status == 1 && sealed.output.contains("quarantined 1"))
            // It is a person's turn once, not every five minutes.
            #expect(try await stack.jobs("run", "seal-usage").status == 0)
            let held = try await stack.bill("2015-05", status: 1)
            #expect(held.held.keys.sorted() == ["quarantined_usage"] && held.due.count == 1)

            try await stack.importEvents([
                eventLine("bad", of: "ann", at: "2015-05-10T00:00:00Z", #"{"gb":12}"#)
            ])
            #expect(try await stack.bill("2015-05", status: 1).quarantined == 1)
            let list = [
                "usage", "show", "--slot", "2015-05", "--only", "quarantined",
            ]
            let all = ["--release", "all", "--through", "2"]
            let nothing = try await stack.jobs(
                list + all + ["--customer", "bob", "--reason", "none"])
            #expect(nothing.status == 65)
            #expect(try await stack.jobs(list + all).status == 64)
            let released = try await stack.jobs(list + all + ["--reason", "sent again"])
            #expect(released.status == 0 && released.output == "released 1 rows of 2015-05\n")
            let billed = try await stack.bill("2015-05")
            #expect(billed.due.count == 2 && billed.quarantined == 0)
            #expect(try await stack.invoice(of: "ann", "2015-05").totalMinor == 1_200)
            let reason = try await stack.value(
                "SELECT release_reason AS value FROM quarantine", as: String.self)
            #expect(reason == "sent again")
            // A rebuild keeps the person's word.
            try await stack.done("run", "seal-usage", "--rebuild")
            #expect(try await stack.bill("2015-05").quarantined == 0)
        }
    }

    /// A row that cannot be billed, at a time that a wrong clock may say.
    private static func broken(_ id: String, on day: String) -> String {
        """
        {"transaction_id":"\(id)","customer_id":"ann","event_type":"storage",\
        "timestamp":"\(day) 00:00:00.000","properties":"broken",\
        "ingested_at":"2015-05-10 00:00:00.000"}
        """
    }

    @Test func `what needs a person is listed whenever it was, and released as far as it was seen`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let list = ["usage", "show", "--only", "quarantined", "--format", "json"]
            // Before the first catalog, too.
            try await stack.insertEvents([
                Self.broken("old", on: "1970-01-01"), Self.broken("early", on: "2014-05-10"),
            ])
            #expect(try await stack.jobs("run", "seal-usage").status == 1)
            let seen = try await stack.jobs(list)
            #expect(seen.status == 0 && seen.output.lineCount == 2, "\(seen.errors)")
            #expect(seen.errors.contains("sealed up to batch 1, at 20"))
            #expect(seen.errors.contains("--release all --through 1"))
            let month = try await stack.jobs(list + ["--slot", "2014-05"])
            #expect(month.output.lineCount == 1 && month.output.contains(#""early""#))
            let none = try await stack.jobs(list + ["--slot", "2013-05"])
            #expect(none.output.isEmpty && !none.errors.contains("--release"), "\(none.errors)")
            let conflicts = try await stack.jobs("usage", "show", "--only", "conflicts")
            #expect(conflicts.status == 0 && conflicts.output.lineCount == 1)

            try await stack.insertEvents([Self.broken("new", on: "2015-05-10")])
            #expect(try await stack.jobs("run", "seal-usage").status == 1)
            let release = list + ["--release", "all", "--reason", "a clock was wrong"]
            let blind = try await stack.jobs(release)
            #expect(blind.status == 64 && blind.errors.contains("--through"))
            let released = try await stack.jobs(release + ["--through", "1"])
            #expect(released.status == 0 && released.output == "released 2 rows\n")
            let left = try await stack.jobs(list)
            #expect(left.output.lineCount == 1 && left.output.contains(#""new""#))
        }
    }

    @Test func `what other jobs have sealed is told of by the next run of seal-usage, once`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(Self.header + "ann,basic,usd\n")
            try await stack.importEvents([stored("10", of: "ann")])
            try await stack.insertEvents([Self.broken("bad", on: "2015-05-10")])
            _ = try await stack.bill("2015-05", status: 1)
            let told = try await stack.jobs("run", "seal-usage", "--format", "json")
            #expect(told.status == 1, "\(told.errors)")
            #expect(told.output.contains(#""batches":1"#))
            #expect(told.output.contains(#""quarantined":1,"waiting":1"#))
            let again = try await stack.jobs("run", "seal-usage")
            #expect(again.status == 0 && again.output.contains("nothing new"))

            // What a person has released meanwhile needs nobody.
            try await stack.insertEvents([Self.broken("worse", on: "2015-05-11")])
            _ = try await stack.bill("2015-05", status: 1)
            try await stack.done(
                "usage", "show", "--only", "quarantined", "--release", "all", "--through", "2",
                "--reason", "known")
            #expect(try await stack.done("run", "seal-usage").contains("quarantined 1"))
        }
    }

    @Test func `a row that came in another one's place is found once a day, or when asked`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            func put(_ id: String, insteadOf old: String = "") async throws {
                try await stack.clickHouse(
                    "ALTER TABLE events DELETE WHERE transaction_id = '\(old)' SETTINGS mutations_sync = 2"
                )
                try await stack.clickHouse(
                    """
                    INSERT INTO events VALUES ('\(id)', 'ann', 'storage', '2015-05-10', '{"gb":1}',
                        '2015-05-10')
                    """)
            }
            let nothing = #""batches":0"#
            let one = #""batches":1"#
            let seal = ["run", "seal-usage", "--format", "json"]
            try await put("a")
            #expect(try await stack.jobs(seal).output.contains(one))
            try await put("b", insteadOf: "a")
            // There are as many rows as before.
            #expect(try await stack.jobs(seal).output.contains(nothing))
            try await stack.postgres.query(
                "UPDATE usage_generations SET swept_at = clock_timestamp() - interval '25 hours'")
            #expect(try await stack.jobs(seal).output.contains(one))
            try await put("c", insteadOf: "b")
            #expect(try await stack.jobs(seal).output.contains(nothing))
            #expect(try await stack.jobs(seal + ["--sweep"]).output.contains(one))
            #expect(try await stack.usage("2015-05").map(\.events) == [3])
        }
    }

    @Test func `a metric that comes later is added up over all that was sealed before`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(Self.header + "ann,basic,usd\n")
            for day in 1...3 {
                try await stack.importEvents([
                    eventLine(
                        "t\(day)", of: "ann", at: "2015-06-0\(day)T10:00:00Z",
                        #"{"gb":\#(day),"reads":\#(10 * day)}"#)
                ])
                try await stack.done("run", "seal-usage")
            }
            let catalog = """
                version: later
                effective_from: 2015-06-01
                metrics:
                  - {code: reads, event_type: storage, aggregation: sum, property: reads, unit: read}
                  - {code: stores, event_type: storage, aggregation: count, unit: store}
                plans:
                  - code: basic
                    currency: usd
                    charges: [{metric: reads, model: per_unit, unit_amount: "1"}, {metric: stores, model: per_unit, unit_amount: "1"}]
                """
            try await stack.done("catalog", "apply", stack.file("later.yaml", catalog))
            let early = try await stack.jobs("usage", "show", "--slot", "2015-06")
            #expect(early.status == 78 && early.errors.contains("jobs run seal-usage"))
            let sealed = try await stack.done("run", "seal-usage", "--format", "json")
            #expect(sealed.contains(#""batches":0"#) && sealed.contains(#""backfilled_metrics":2"#))
            let usage = try await stack.usage("2015-06")
            #expect(usage.map { "\($0.metric) \($0.quantity)" } == ["reads 60", "stores 3"])
            _ = try await stack.bill("2015-06")
            try await stack.done("invoices", "verify", "--slot", "2015-06")
            try await stack.done("run", "seal-usage", "--rebuild")
        }
    }

    @Test func `a ledger that was restored from a backup gives no number out twice`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importEvents([stored("10", of: "ann")])
            try await stack.done("run", "seal-usage")
            try await stack.importEvents([stored("20", of: "bob", id: "b")])
            try await stack.done("run", "seal-usage")
            // The backup is older than the last batch.
            try await stack.postgres.query("ALTER TABLE usage_batches DISABLE TRIGGER USER")
            try await stack.postgres.query("DELETE FROM usage_batches WHERE batch = 2")
            try await stack.postgres.query("ALTER TABLE usage_batches ENABLE TRIGGER USER")
            try await stack.postgres.query("SELECT setval('usage_batch_numbers', 1)")
            try await stack.done("run", "seal-usage")
            let usage = try await stack.usage("2015-05")
            #expect(usage.map { "\($0.customerID) \($0.quantity)" } == ["ann 10", "bob 20"])
            let newest = try await stack.value(
                "SELECT max(batch) AS value FROM usage_batches WHERE state = 'sealed'", as: Int.self
            )
            #expect(newest == 3)
        }
    }

    @Test func `sealed usage that ClickHouse lost is no zero: it is refused, and sealed anew`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(Self.header + "ann,basic,usd\n")
            try await stack.importEvents([stored("10", of: "ann")])
            _ = try await stack.bill("2015-05")
            try await stack.clickHouse("DROP TABLE usage_daily_1")
            for command in [["run", "seal-usage"], ["run", "bill", "--slot", "2015-05"]] {
                let result = try await stack.jobs(command)
                #expect(result.status == 78 && result.errors.contains("lost sealed usage"))
            }
            #expect(try await stack.invoice(of: "ann", "2015-05").totalMinor == 1_000)
            let rebuild = ["run", "seal-usage", "--rebuild", "--accept-differences"]
            #expect(try await stack.jobs(rebuild).status == 0)
            #expect(try await stack.bill("2015-05").unchanged == 1)
        }
    }

    @Test func `of two that seal at once one works, and the other says who does`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.postgres.query(
                """
                INSERT INTO leases (name, token, holder, expires_at)
                VALUES ('seal-usage', 1, 'process 1 on elsewhere', clock_timestamp() + interval '1 hour')
                """)
            let second = try await stack.jobs("run", "seal-usage")
            #expect(second.status == 75 && second.errors.contains("process 1 on elsewhere"))
        }
    }

    @Test(arguments: [
        ("DROP TABLE events", "there is no table"),
        ("ALTER TABLE events MODIFY COLUMN timestamp DateTime('UTC')", ".timestamp is DateTime"),
        ("ALTER TABLE events DROP COLUMN ingested_at", ".ingested_at is missing"),
    ])
    func `a log that cannot be read is refused in words`(_ change: String, _ words: String)
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.clickHouse("DROP TABLE events")
            try await stack.clickHouse(
                """
                CREATE TABLE events (transaction_id String, customer_id String, event_type String,
                    timestamp DateTime64(3, 'UTC'), properties String, ingested_at DateTime64(3, 'UTC'))
                ENGINE = MergeTree ORDER BY customer_id
                """)
            try await stack.clickHouse(change)
            let result = try await stack.jobs("run", "seal-usage")
            #expect(result.status == 78 && result.errors.contains(words), "\(result.errors)")
        }
    }

    private static let zones = [
        "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Chatham", "Australia/Lord_Howe",
        "Pacific/Kiritimati", "Pacific/Honolulu",
    ]

    @Test func `each event lies in one month of its zone, for three years`() async throws {
        try await withStack(catalog: nil) { stack in
            let first = try #require(CivilMonth("2024-01"))
            let months = sequence(first: first) { $0.next }.prefix(36)
            var text = ""
            for zone in Self.zones {
                for month in months {
                    let start = try BillingPeriod(month: month, zone: zone, nextZone: zone).start
                    for offset in [-3_600_000, -60_000, -1, 0, 1, 59_999, 3_599_999] as [Int64] {
                        let at = start.milliseconds + offset
                        text +=
                            "\(zone) \(month) \(offset)\t\(zone)\tcall\t\(Double(at) / 1000)\t{\"v\":1}\t\(Double(at) / 1000)\n"
                    }
                }
            }
            try await stack.clickHouse.insert(
                into: "events",
                columns: [
                    "transaction_id", "customer_id", "event_type", "timestamp", "properties",
                    "ingested_at",
                ], format: "TabSeparated", rows: Array(text.utf8))
            let metric = UsageGenerator.metrics[1]
            let sealed = try await UsageSealer(
                clickHouse: stack.clickHouse, pool: stack.postgres,
                source: try #require(SourceTable("events", defaultDatabase: stack.name)),
                metrics: [metric], holder: "the test"
            ).seal().usage
            for zone in Self.zones {
                for (index, month) in ([first.previous] + Array(months)).enumerated() {
                    let period = try BillingPeriod(month: month, zone: zone, nextZone: zone)
                    let query = PeriodUsageQuery(
                        metrics: [metric], start: period.start, end: period.end, sealed: sealed)
                    var used: Int64 = 0
                    try await UsageReader(clickHouse: stack.clickHouse).forEachBatch(
                        query, customer: zone
                    ) { used += $0.reduce(0) { $0 + $1.metrics[0].events } }
                    // Four at and after its own border, three before the next one.
                    #expect(used == (index == 0 ? 3 : index == 36 ? 4 : 7), "\(zone) \(month)")
                }
            }
        }
    }
}
