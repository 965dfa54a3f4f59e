import ClickHouse
import Exact
import Testing

@testable import Usage

@Suite(.timeLimit(.minutes(5))) struct MeteringOracleTests {
    @Test(arguments: [1, 2])
    func `thousands of random rows come to what the rules say, before and after merges`(
        _ seed: UInt64
    ) async throws {
        var random = SplitMix(state: seed)
        let oracle = MeteringOracle(rows: 4000, random: &random)
        try await withLog { client in
            try await client.execute(ClickHouseQuery("SYSTEM STOP MERGES events"))
            for start in stride(from: 0, to: oracle.events.count, by: 500) {
                try await client.log(oracle.events[start..<start + 500].map(\.row))
            }
            let hashes = try await contentHashes(client)
            let periods = [
                (october.start - 10 * dayMilliseconds, october.start), october,
                (october.end, october.end + 10 * dayMilliseconds),
                (october.start + 90 * 60_000, october.start + dayMilliseconds * 9 + 1),
            ]
            for _ in ["before the merge", "after it"] {
                for (start, end) in periods {
                    let query = period(MeteringOracle.metrics, start, end)
                    let usage = try await client.usage(query)
                    #expect(!usage.isEmpty)
                    #expect(usage == oracle.usage(hashes: hashes, start: start, end: end))
                    // Figures are by UTC day.
                    guard start % dayMilliseconds == 0, end % dayMilliseconds == 0 else { continue }
                    #expect(
                        try await client.figures(query)
                            == oracle.figures(hashes: hashes, start: start, end: end))
                    let conflicts = try await client.conflicts(query).map(text)
                    #expect(
                        conflicts.sorted()
                            == oracle.conflicts(hashes: hashes, start: start, end: end))
                    let customer = try #require(usage.randomElement(using: &random))
                    #expect(
                        try await client.usage(query, customer: customer.customerID) == [customer])
                }
                try await client.execute(ClickHouseQuery("SYSTEM START MERGES events"))
                try await client.execute(ClickHouseQuery("OPTIMIZE TABLE events FINAL"))
            }
            let parts = try await client.values(
                "SELECT toString(count()) AS value FROM system.parts WHERE active AND table = 'events' AND database = currentDatabase()"
            )
            #expect(parts == ["1"], "the merge has to have happened for this to mean anything")
        }
    }

    @Test(arguments: [11, 12])
    func `every row of a log is an event, a duplicate, a conflict or quarantined, in one period`(
        _ seed: UInt64
    ) async throws {
        var random = SplitMix(state: seed)
        let oracle = MeteringOracle(rows: 2000, random: &random)
        try await withLog { client in
            try await client.log(oracle.events.map(\.row))
            var edges = [october.start - 6 * dayMilliseconds, october.end + 6 * dayMilliseconds]
            for _ in 0..<4 {
                edges.append(edges[0] + .random(in: 0..<40, using: &random) * dayMilliseconds)
            }
            edges.append(contentsOf: [october.start, october.end])
            edges.sort()
            var (rows, events): (Int64, Int64) = (0, 0)
            for (start, end) in zip(edges, edges.dropFirst()) where start < end {
                let query = period([], start, end)
                let figures = try await client.figures(query)
                rows +=
                    figures.events + figures.duplicates + figures.conflicts + figures.quarantined
                events += try await client.usage(query).reduce(0) { $0 + $1.events }
                #expect(Int64(try await client.conflicts(query).count) == figures.conflicts)
                #expect(Int64(try await client.quarantined(query).count) == figures.quarantined)
            }
            #expect(rows == 2000)
            let identities = Set(
                oracle.events.filter { !$0.isBroken }.map { [$0.row.customer, $0.row.id] })
            #expect(events == Int64(identities.count))
        }
    }

    private func contentHashes(_ client: ClickHouseClient) async throws -> [String: String] {
        let rows = try await client.rows(
            ClickHouseQuery(
                """
                SELECT DISTINCT event_type, toString(toUnixTimestamp64Milli(timestamp)) AS at, properties,
                    leftPad(toString(cityHash64(event_type, toUnixTimestamp64Milli(timestamp), properties)), 20, '0') AS hash
                FROM events
                """))
        var hashes: [String: String] = [:]
        for row in rows {
            let content =
                "\(try row.string("event_type"))\t\(try row.string("at"))\t\(try row.string("properties"))"
            hashes[content] = try row.string("hash")
        }
        return hashes
    }

    private func text(_ conflict: ConflictingEvent) -> String {
        func text(_ content: EventContent) -> String {
            "\(content.eventType)\t\(content.timestamp.milliseconds)\t\(content.properties)"
        }
        return
            "\(conflict.customerID) \(conflict.transactionID) \(text(conflict.counted)) | \(text(conflict.conflicting))"
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators": the same numbers every time.
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
