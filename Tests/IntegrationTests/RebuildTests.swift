import Postgres
import Testing

/// Sealing the whole log anew: what was decided stays, and what differs is told.
@Suite(.timeLimit(.minutes(5))) struct RebuildTests {
    private static let rebuild = ["run", "seal-usage", "--rebuild", "--format", "json"]

    /// An event that says how many GB Ann stores; `nil`: one that says nothing.
    private static func row(
        _ id: String, _ gigabytes: Int?, ingested time: String, of customer: String = "ann"
    ) -> String {
        let properties = gigabytes.map { #"{\"gb\":\#($0)}"# } ?? "broken"
        return """
            {"transaction_id":"\(id)","customer_id":"\(customer)","event_type":"storage",\
            "timestamp":"2015-05-10 00:00:00.000","properties":"\(properties)",\
            "ingested_at":"2015-05-10 \(time).000"}
            """
    }

    private static func quantities(_ stack: Stack) async throws -> [String] {
        try await stack.usage("2015-05").map { "\($0.customerID) \($0.quantity) of \($0.events)" }
    }

    /// Two clocks: what was sealed first says that it came later.
    @Test func `of two rows of an id the one that was sealed first counts, also when sealed anew`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.insertEvents([
                Self.row("t", 10, ingested: "10:00:00"), Self.row("u", 1, ingested: "09:55:00"),
            ])
            try await stack.done("run", "seal-usage")
            try await stack.insertEvents([
                Self.row("t", 99, ingested: "09:50:00"), Self.row("t", 99, ingested: "09:40:00"),
                Self.row("t", 10, ingested: "10:00:00"), Self.row("u", 2, ingested: "11:00:00"),
            ])
            let late = try await stack.done("run", "seal-usage", "--format", "json")
            #expect(late.contains(#""events":0,"duplicates":2,"conflicts":2"#), "\(late)")
            // Again: what a rebuild has decided is decided as well.
            for _ in 1...2 {
                let rebuilt = try await stack.jobs(Self.rebuild)
                #expect(rebuilt.status == 0, "\(rebuilt.output)\(rebuilt.errors)")
                #expect(rebuilt.output.contains(#""differing":0,"is_active":true"#))
                #expect(
                    rebuilt.output.contains(#""events":2,"duplicates":2,"conflicts":2"#),
                    "\(rebuilt.output)")
                #expect(try await Self.quantities(stack) == ["ann 10 of 2"])
            }
            #expect(try await stack.done("run", "seal-usage").contains("nothing new"))
            // Without the row that counts, the other one would: that is told, and nothing is changed.
            try await stack.clickHouse(
                "ALTER TABLE events DELETE WHERE ingested_at = '2015-05-10 10:00:00' SETTINGS mutations_sync = 2"
            )
            let other = try await stack.jobs(Self.rebuild)
            #expect(other.status == 1 && other.output.contains(#""is_active":false"#))
            #expect(try await Self.quantities(stack) == ["ann 10 of 2"])
        }
    }

    @Test func `a rebuild is one object of JSON, and needs a person if rows are in quarantine`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.insertEvents([
                Self.row("t", 10, ingested: "10:00:00"), Self.row("x", nil, ingested: "10:00:00"),
            ])
            #expect(try await stack.jobs("run", "seal-usage").status == 1)
            let rebuilt = try await stack.jobs(Self.rebuild)
            #expect(rebuilt.status == 1 && rebuilt.output.lineCount == 1, "\(rebuilt.output)")
            #expect(rebuilt.output.contains(#""waiting":1"#))
            #expect(rebuilt.output.contains(#""differing":0,"is_active":true"#))
            try await stack.done(
                "usage", "show", "--only", "quarantined", "--release", "all", "--through", "2",
                "--reason", "known")
            let released = try await stack.jobs(Self.rebuild)
            #expect(released.status == 0 && released.output.contains(#""waiting":0"#))
            try await stack.clickHouse(
                "ALTER TABLE events DELETE WHERE transaction_id = 't' SETTINGS mutations_sync = 2")
            let differing = try await stack.jobs(Self.rebuild)
            #expect(differing.status == 1 && differing.output.lineCount == 1)
            #expect(differing.output.contains(#""examples":"ann on 2015-05-10"#))
        }
    }

    @Test func `after a ledger was restored a rebuild does not meet the tables of one before`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.insertEvents([Self.row("t", 10, ingested: "10:00:00")])
            try await stack.done("run", "seal-usage")
            #expect(try await stack.jobs(Self.rebuild).status == 0)
            // The backup is older than the rebuild.
            for statement in [
                "ALTER TABLE usage_batches DISABLE TRIGGER USER",
                "DELETE FROM usage_batches WHERE generation = 2",
                "ALTER TABLE usage_batches ENABLE TRIGGER USER",
                "DELETE FROM usage_metrics WHERE generation = 2",
                "DELETE FROM usage_generations WHERE generation = 2",
                "UPDATE usage_generations SET state = 'active' WHERE generation = 1",
                "SELECT setval('usage_batch_numbers', 1)",
            ] { try await stack.postgres.query(statement) }
            // Takes a number under which the rebuild had written.
            try await stack.insertEvents([
                Self.row("t", 20, ingested: "11:00:00", of: "bob")
            ])
            let rebuilt = try await stack.jobs(Self.rebuild)
            #expect(rebuilt.status == 0, "\(rebuilt.output)\(rebuilt.errors)")
            #expect(try await Self.quantities(stack) == ["ann 10 of 1", "bob 20 of 1"])
        }
    }
}
