import Foundation
import Testing

/// `Stack.jobs` looks for passwords in everything that any test's program prints. Here are the runs
/// that are most likely to print one, or to print what an event says.
struct SecrecyTests {
    private static let secret = Stack.planted

    @Test func `no command and no failure prints a password`() async throws {
        try await withStack { stack in
            try stack.file("empty", "customer_id,plan,currency\n")
            let commands =
                DependencyTests.commands + [
                    ["migrate"], ["migrate", "--check"], ["catalog", "check", "empty"],
                ]
            let urls: [[String: String?]] = [
                [:],
                ["DATABASE_URL": "postgresql://meterflow:\(Self.secret)@127.0.0.1:1/meterflow"],
                [
                    "DATABASE_URL":
                        "postgresql://meterflow:\(Self.secret)@127.0.0.1:1/meterflow?sslmode=maybe"
                ],
                ["DATABASE_URL": "host=127.0.0.1 port=1 password=\(Self.secret)"],
                ["DATABASE_URL": "host=127.0.0.1 port=1 pasword=\(Self.secret)"],
                ["CLICKHOUSE_URL": "http://meterflow:\(Self.secret)@127.0.0.1:1/meterflow"],
                ["CLICKHOUSE_URL": "http://meterflow:\(Self.secret)@[::1/meterflow"],
                ["CLICKHOUSE_URL": "ftp://meterflow:\(Self.secret)@127.0.0.1/meterflow"],
            ]
            for url in urls {
                for command in commands {
                    try await stack.jobs(command, with: url.merging(["LOG_LEVEL": "debug"]) { $1 })
                }
            }
        }
    }

    @Test(arguments: [
        "database_url: postgresql://u:\(secret)@h/d: x",
        "database_url: [postgresql://u:\(secret)@h/d]",
        "database_url: \"postgresql://u:\(secret)@h/d", "stripe_api_key: {live: sk_live_\(secret)}",
        "stripe_api_key: sk_live_\(secret)\n\tbilling: {mode: live}",
        "database_url: &\(secret) *\(secret)x",
        "database_url: postgresql://u:\(secret)@h/d\ndatabase_url: postgresql://u:\(secret)@h/d",
    ])
    func `a settings file that cannot be read is refused without its text`(text: String)
        async throws
    {
        try await withStack(isMigrated: false) { stack in
            try stack.file("jobs.yaml", text + "\n")
            let result = try await stack.jobs("run", "bill")
            #expect(result.status == 78)
        }
    }

    @Test func `lines and quantities that are refused are not printed`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let key = Self.secret
            let lines = [
                #"{"transaction_id":"t1","customer_id":"a \#(key)","event_type":"storage","timestamp":1431856803000}"#,
                #"{"transaction_id":"\#(key)!","customer_id":"a","event_type":"storage","timestamp":1431856803000}"#,
                #"{"transaction_id":"t2","customer_id":"a","event_type":"storage","timestamp":"\#(key)"}"#,
                #"{"transaction_id":"t3","customer_id":"a","event_type":"storage","timestamp":1431856803000,"properties":"\#(key)"}"#,
                #"{"transaction_id":"t4","\#(key)"#, key, #"["\#(key)"]"#,
            ]
            let events = try stack.file("events.jsonl", lines.joined(separator: "\n") + "\n")
            let rejected = try await stack.jobs("import", "events", "--allow-backfill", events)
            #expect(rejected.status == 1 && rejected.errors.lineCount == lines.count)
            let log = try stack.file(
                "access.log",
                #"10.0.0.1 - a\#(key) [17/May/2015:10:05:03 +0000] "GET /?key=\#(key)%20x HTTP/1.1" 200 1"#
                    + "\n")
            let unnamed = try await stack.jobs(
                "import", "access-log", "--customer", "query:key", log)
            #expect(unnamed.status == 1)

            try await stack.importCustomers(
                "customer_id,plan,currency,email\na,basic,usd,\(key)@x.org\n")
            try await stack.importEvents([
                eventLine("bad", of: "a", at: "2015-05-17T10:00:00Z", #"{"gb":"\#(key)"}"#),
                eventLine(
                    "note", of: "a", at: "2015-05-17T10:00:00Z", #"{"gb":1,"note":"\#(key)"}"#),
            ])
            let report = try await stack.bill("2015-05", "--requests", "plan.jsonl", status: 1)
            #expect(report.held.keys.sorted() == ["quarantined_usage"])
            let id = try await stack.invoice(of: "a", "2015-05").invoiceID
            for command in [
                ["run", "bill", "--slot", "2015-05"], ["usage", "show", "--slot", "2015-05"],
                ["invoices", "show", id], ["invoices", "verify", id], ["invoices", "list"],
                ["invoices", "export", "--slot", "2015-05"],
            ] {
                try await stack.jobs(command)
            }
            #expect(!String(decoding: try stack.bytes("plan.jsonl"), as: UTF8.self).contains(key))
        }
    }

    /// A log table of another pipeline, into which our rows do not go: ClickHouse quotes what it cannot read.
    @Test func `rows that ClickHouse refuses are not printed`() async throws {
        try await withStack { stack in
            try await stack.clickHouse("DROP TABLE events")
            try await stack.clickHouse(
                """
                CREATE TABLE events (transaction_id String, customer_id String, event_type String,
                    timestamp DateTime64(3, 'UTC'), properties UInt32, ingested_at DateTime64(3, 'UTC'))
                ENGINE = MergeTree ORDER BY customer_id
                """)
            let file = try stack.file(
                "events.jsonl",
                eventLine("t", of: "a", at: "2015-05-17T10:00:00Z", #"{"note":"\#(Self.secret)"}"#))
            let result = try await stack.jobs("import", "events", "--allow-backfill", file)
            #expect(result.status != 0 && !result.errors.isEmpty)
            let log = try await stack.jobs("import", "access-log", Sample.accessLog)
            #expect(log.status != 0)
            #expect(!log.errors.contains("/presentations/"), "a request was printed: \(log.errors)")
        }
    }

    @Test func `values that Postgres refuses are not printed`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                "customer_id,plan,currency,stripe_customer_id\nann,basic,usd,\(Self.secret)\n")
            let file = try stack.file(
                "customers.csv",
                "customer_id,plan,currency,stripe_customer_id\nbob,basic,usd,\(Self.secret)\n")
            let result = try await stack.jobs("import", "customers", file)
            #expect(result.status != 0)
        }
    }
}
