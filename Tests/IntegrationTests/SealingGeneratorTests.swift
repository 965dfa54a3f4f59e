import Billing
import ClickHouse
import Exact
import Ledger
import Postgres
import Testing
import Usage

/// A seeded log in deliveries: after each, totals, counts and lists are those of the rules.
@Suite(.timeLimit(.minutes(10))) struct SealingGeneratorTests {
    private static let zones = ["UTC", "Asia/Kolkata", "Asia/Kathmandu", "Pacific/Kiritimati"]

    @Test(arguments: [(1, 60, "events"), (2, 2_000_000, "their_log"), (3, 7, "events")])
    func `after every batch, usage and lists are the generator's own`(
        _ seed: UInt64, _ batchRows: Int, _ table: String
    ) async throws {
        try await withStack(catalog: nil) { stack in
            let source = try await stack.makeLog(table)
            var generator = UsageGenerator(seed: seed)
            let sealer = UsageSealer(
                clickHouse: stack.clickHouse, pool: stack.postgres,
                source: try #require(SourceTable(source, defaultDatabase: stack.name)),
                metrics: UsageGenerator.metrics, batchRows: batchRows, holder: "the test")
            for delivery in 0..<6 {
                try await stack.append(generator.deliver(150), to: source)
                generator.seal(hash: try await stack.contentHashes(source))
                let summary = try await sealer.seal(comparesContents: delivery % 2 == 0)
                #expect(!summary.batches.isEmpty)
                try await check(generator, stack, summary.usage)
                // Nothing new, although merges move rows about.
                try await stack.clickHouse("OPTIMIZE TABLE \(source) FINAL")
                #expect(try await sealer.seal(comparesContents: true).batches.isEmpty)
            }
        }
    }

    private func check(
        _ generator: UsageGenerator, _ stack: Stack, _ sealed: SealedUsage
    ) async throws {
        let counts = try await stack.postgres.query(
            """
            SELECT sum(events)::bigint AS events, sum(duplicates)::bigint AS duplicates,
                sum(conflicts)::bigint AS conflicts, sum(quarantined)::bigint AS quarantined
            FROM usage_batches WHERE state = 'sealed'
            """
        ).rows[0]
        #expect(try counts.decode("events") == generator.winners.count)
        #expect(try counts.decode("duplicates") == generator.duplicates)
        #expect(try counts.decode("conflicts") == generator.conflictCount)
        #expect(try counts.decode("quarantined") == generator.quarantined)

        let reader = UsageReader(clickHouse: stack.clickHouse)
        let month = CivilMonth("2026-03")!
        for zone in Self.zones {
            for month in [month.previous, month] {
                let period = try BillingPeriod(month: month, zone: zone, nextZone: zone)
                let query = PeriodUsageQuery(
                    metrics: UsageGenerator.metrics, start: period.start, end: period.end,
                    sealed: sealed)
                var usage: [CustomerUsage] = []
                try await reader.forEachBatch(query) { usage += $0 }
                let range = period.start.milliseconds..<period.end.milliseconds
                #expect(usage == generator.usage(range), "\(month) in \(zone)")
                let customer = try #require(usage.last ?? generator.usage(range).last)
                #expect(
                    try await reader.fromWinners(query, customer: customer.customerID) == customer)
            }
        }
        let ever = PeriodUsageQuery(
            metrics: [], start: Instant(milliseconds: 0),
            end: Instant(milliseconds: 4_000_000_000_000),
            sealed: sealed)
        var conflicts: [[String]: Set<[String]>] = [:]
        try await reader.forEachConflict(ever, customer: nil) { listed in
            for event in listed {
                let identity = [event.customerID, event.transactionID]
                #expect(text(event.counted) == generator.winners[identity]?.content)
                conflicts[identity, default: []].insert(text(event.conflicting))
            }
        }
        #expect(conflicts == generator.conflicts)
        var quarantined = 0
        try await QuarantineStore(pool: stack.postgres, sealed: sealed).forEach(
            ever.start..<ever.end, customer: nil
        ) { rows in quarantined += Int(rows.reduce(0) { $0 + $1.copies }) }
        #expect(quarantined == generator.quarantined)
    }

    private func text(_ content: EventContent) -> [String] {
        [content.eventType, "\(content.timestamp.milliseconds)", content.properties]
    }
}

extension Stack {
    /// Makes a log, of ours or of somebody else.
    ///
    /// - Returns: its full name.
    fileprivate func makeLog(_ table: String) async throws -> String {
        guard table != "events" else { return "\(name).events" }
        try await clickHouse(
            "CREATE TABLE \(name).their_log AS \(name).events ENGINE = MergeTree ORDER BY (customer_id, event_type, timestamp)"
        )
        return "\(name).their_log"
    }

    fileprivate func append(_ rows: [UsageGenerator.Row], to table: String) async throws {
        var text = ""
        for row in rows {
            let fields = [
                row.id, row.customer, row.type, seconds(row.at),
                row.properties.replacing("\\", with: "\\\\"), seconds(row.ingested),
            ]
            text += fields.joined(separator: "\t") + "\n"
        }
        try await clickHouse.insert(
            into: table,
            columns: [
                "transaction_id", "customer_id", "event_type", "timestamp", "properties",
                "ingested_at",
            ], format: "TabSeparated", rows: Array(text.utf8))
    }

    private func seconds(_ milliseconds: Int64) -> String {
        "\(milliseconds / 1000).\(String(milliseconds % 1000 + 1000).dropFirst())"
    }

    fileprivate func contentHashes(_ table: String) async throws -> [[String]: UInt64] {
        let rows = try await clickHouse.rows(
            ClickHouseQuery(
                """
                SELECT DISTINCT event_type, toString(toUnixTimestamp64Milli(timestamp)) AS at, properties,
                    toString(cityHash64(event_type, toUnixTimestamp64Milli(timestamp), properties)) AS hash
                FROM \(table)
                """))
        var hashes: [[String]: UInt64] = [:]
        for row in rows {
            let content = [
                try row.string("event_type"), try row.string("at"), try row.string("properties"),
            ]
            hashes[content] = UInt64(try row.string("hash"))
        }
        return hashes
    }
}
