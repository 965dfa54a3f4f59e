import Testing

/// A log of usage events that lies in a cluster: read through a Distributed table, or a Replicated one.
@Suite(.timeLimit(.minutes(5))) struct ClusterTests {
    private static let columns = """
        (transaction_id String, customer_id String, event_type String, \
        timestamp DateTime64(3, 'UTC'), properties String, ingested_at DateTime64(3, 'UTC'))
        """
    private static let order = "ORDER BY (customer_id, event_type, timestamp)"

    private func withLog(
        engine: String, _ body: (Stack, _ through: [String: String?]) async throws -> Void
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers("customer_id,plan,currency\nann,basic,usd\n")
            try await stack.clickHouse(
                "CREATE TABLE shard \(Self.columns) ENGINE = \(engine) \(Self.order)")
            try await stack.clickHouse(
                "CREATE TABLE everywhere AS shard ENGINE = Distributed('local', '\(stack.name)', 'shard')"
            )
            try await body(stack, ["USAGE_EVENTS_TABLE": "\(stack.name).everywhere"])
        }
    }

    private static func row(_ id: String, _ gigabytes: Int, at instant: String) -> String {
        #"('\#(id)', 'ann', 'storage', '\#(instant)', '{"gb":\#(gigabytes)}', '\#(instant)')"#
    }

    @Test func `a Distributed log is billed, and what comes later is found`() async throws {
        try await withLog(engine: "MergeTree") { stack, settings in
            let insert = "INSERT INTO shard VALUES"
            try await stack.clickHouse(
                "\(insert) \(Self.row("a", 3, at: "2015-05-10")), \(Self.row("a", 3, at: "2015-05-10"))"
            )
            let sealed = try await stack.done("run", "seal-usage", with: settings)
            #expect(sealed.contains("duplicates  1\n"), "\(sealed)")
            // With an old ingested_at, as a slow shard shows it.
            try await stack.clickHouse("\(insert) \(Self.row("b", 8, at: "2015-05-09"))")
            try await stack.done("run", "bill", "--slot", "2015-05", "--dry-run", with: settings)
            #expect(try await stack.invoice(of: "ann", "2015-05").totalMinor == 800)
            try await stack.done("invoices", "verify", "--slot", "2015-05", with: settings)
        }
    }

    @Test func `a log that is a view of a plain table is billed`() async throws {
        try await withLog(engine: "MergeTree") { stack, _ in
            try await stack.clickHouse("CREATE VIEW seen AS SELECT * FROM shard")
            try await stack.clickHouse(
                "INSERT INTO shard VALUES \(Self.row("a", 3, at: "2015-05-10"))")
            try await stack.done(
                "run", "bill", "--slot", "2015-05", "--dry-run",
                with: ["USAGE_EVENTS_TABLE": "\(stack.name).seen"])
            #expect(try await stack.invoice(of: "ann", "2015-05").totalMinor == 300)
        }
    }

    /// Also not through a view of a view.
    @Test(arguments: ["everywhere", "shard", "seen"])
    func `a replica that is cut off is not read`(table: String) async throws {
        // The Keeper of the local stack keeps nothing: the replica stays read-only.
        let engine = "ReplicatedMergeTree('/\(UInt64.random(in: 0 ... .max))', 'one')"
        try await withLog(engine: engine) { stack, _ in
            try await stack.clickHouse("CREATE VIEW nearly AS SELECT * FROM everywhere")
            try await stack.clickHouse("CREATE VIEW seen AS SELECT * FROM nearly")
            let settings = ["USAGE_EVENTS_TABLE": "\(stack.name).\(table)"]
            let named = table == "seen" ? "everywhere" : table
            for command in [
                ["run", "seal-usage"], ["run", "bill", "--slot", "2015-05", "--dry-run"],
            ] {
                let result = try await stack.jobs(command, with: settings)
                #expect(result.status == 69, "\(result.output)\(result.errors)")
                let error =
                    "replicas of \(stack.name).\(named) that are read-only or without Keeper: 1"
                #expect(result.errors.contains(error), "\(result.errors)")
            }
            #expect(try await stack.count("usage_batches WHERE state = 'sealed'") == 0)
        }
    }
}
