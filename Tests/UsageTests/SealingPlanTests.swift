import ClickHouse
import Exact
import Ledger
import Testing

@testable import Usage

/// How what is new in the log is cut into batches.
struct SealingPlanTests {
    private func minute(_ minute: Int64, _ rows: Int64, differs: Bool = true) -> SourceSweep.Minute
    {
        SourceSweep.Minute(minute: minute, rows: rows, differs: differs)
    }

    @Test func `only who compares all contents lets the server be silent for long`() throws {
        let source = try #require(SourceTable("events", defaultDatabase: "usage"))
        let sealed = SealedUsage(generation: 1, cutoff: 1, hidden: [], rollupKeys: [:])
        for comparesContents in [false, true] {
            let sweep = SourceSweep(
                source: source, sealed: sealed, comparesContents: comparesContents)
            #expect(sweep.query.mayTakeLong == comparesContents)
        }
    }

    @Test func `minutes go together until a batch is full`() {
        let plan = BatchRange.plan(
            [minute(1, 40), minute(2, 60), minute(5, 1), minute(9, 100)], rows: 100)
        #expect(
            plan == [
                BatchRange(firstMinute: 1, endMinute: 3, rows: 100),
                BatchRange(firstMinute: 5, endMinute: 6, rows: 1),
                BatchRange(firstMinute: 9, endMinute: 10, rows: 100),
            ])
    }

    @Test func `what was accounted for is not read again, and what lies around it is listed`() {
        let plan = BatchRange.plan(
            [
                minute(-3, 1, differs: false), minute(-2, 1), minute(0, 9, differs: false),
                minute(4, 2), minute(5, 3), minute(6, 9, differs: false),
            ], rows: 100)
        #expect(plan == [BatchRange(firstMinute: -2, endMinute: 6, minutes: [-2, 4, 5], rows: 6)])
    }

    @Test func `nothing new is no batch`() {
        #expect(BatchRange.plan([], rows: 10).isEmpty)
        #expect(BatchRange.plan([minute(1, 1, differs: false)], rows: 10).isEmpty)
    }

    @Test func `a minute that no batch can hold is read in parts`() {
        let plan = BatchRange.plan([minute(1, 5), minute(2, 25), minute(3, 1)], rows: 10)
        #expect(plan.map(\.parts) == [1, 3, 3, 3, 1])
        #expect(plan.map(\.part) == [0, 0, 1, 2, 0])
        #expect(plan[1].firstMinute == 2 && plan[1].endMinute == 3)
    }

    @Test func `a list of minutes stays short, and none is left out`() {
        let minutes = (0..<5000).map { minute(Int64($0), 1, differs: $0 % 2 == 0) }
        let plan = BatchRange.plan(minutes, rows: 1_000_000)
        #expect(plan.allSatisfy { $0.minutes.count <= BatchRange.mostMinutes })
        #expect(plan.flatMap(\.minutes) == (0..<2500).map { $0 * 2 })
    }

    @Test(arguments: [
        (0, 31 * 24 * 60), (-330, 31 * 24 * 60 - 330), (345, 31 * 24 * 60 + 345), (13, 14),
        (0, 60), (59, 61), (30, 24 * 60 - 15), (24 * 60, 2 * 24 * 60), (1, 24 * 60 * 2 - 1),
    ])
    func `days, hours and the rest make up a period, without a gap or an overlap`(
        _ start: Int, _ end: Int
    ) {
        let cover = PeriodCover(
            start: Instant(milliseconds: Int64(start) * 60_000 + 7),
            end: Instant(milliseconds: Int64(end) * 60_000 + 7))
        let pieces = (cover.days + cover.hours + cover.rest).sorted {
            $0.lowerBound < $1.lowerBound
        }
        #expect(pieces.first?.lowerBound.milliseconds == Int64(start) * 60_000 + 7)
        #expect(pieces.last?.upperBound.milliseconds == Int64(end) * 60_000 + 7)
        for (piece, next) in zip(pieces, pieces.dropFirst()) {
            #expect(piece.upperBound == next.lowerBound)
        }
        for day in cover.days {
            #expect(day.lowerBound.milliseconds % 86_400_000 == 0)
            #expect(day.upperBound.milliseconds % 86_400_000 == 0)
        }
        for hour in cover.hours {
            #expect(hour.lowerBound.milliseconds % 3_600_000 == 0)
            #expect(hour.upperBound.milliseconds % 3_600_000 == 0)
        }
        #expect(
            cover.rest.allSatisfy {
                $0.upperBound.milliseconds - $0.lowerBound.milliseconds <= 2 * 3_600_000
            })
    }

    @Test func `a batch takes away its own stages and those of batches before it`()
        async throws
    {
        try await withUsageDatabase { client in
            for table in ["9_stage", "10_known", "10_hours", "11_stage"] {
                try await client.execute(
                    ClickHouseQuery("CREATE TABLE sealing_\(table) (row UInt8) ENGINE = Memory"))
            }
            try await client.writer.dropStages(through: 10)
            let left = try await client.rows(ClickHouseQuery("SHOW TABLES"))
            #expect(try left.map { try $0.string("name") } == ["sealing_11_stage"])
        }
    }

    @Test func `what a later metric cannot read stays a duplicate of the event that counts`()
        async throws
    {
        try await withLog { client in
            let counted = LogRow(properties: #"{"v":"-"}"#, ingested: day)
            var (retry, other, broken) = (counted, counted, counted)
            retry.ingested += 1
            (other.properties, other.ingested) = (#"{"v":"?"}"#, day + 2)
            broken.id = "t2"
            try await client.log([counted])
            try await client.sealAll()
            try await client.log([retry, other, broken])
            // Each batch reads the whole log again.
            func seal(_ batch: Int64) async throws -> ([BatchMonth], quarantined: [String]) {
                let writer = BatchWriter(
                    clickHouse: client, source: client.writer.source,
                    sealed: SealedUsage(
                        generation: 1, cutoff: batch - 1, hidden: [], rollupKeys: [:]),
                    metrics: [metric(.sum, "v")])
                let range = BatchRange(firstMinute: 0, endMinute: 120_000_000, rows: 0)
                let months = try await writer.write(batch, round: batch, range: range)
                var quarantined: [String] = []
                try await writer.forEachQuarantined(of: batch) { rows in
                    quarantined += rows.map(\.transactionID)
                }
                return (months, quarantined)
            }
            func october(events: Int64 = 0, duplicates: Int64 = 0, conflicts: Int64 = 0)
                -> [BatchMonth]
            {
                [
                    BatchMonth(
                        month: "2026-10", events: events, duplicates: duplicates,
                        conflicts: conflicts)
                ]
            }
            let second = try await seal(2)
            #expect(second.0 == october(duplicates: 1, conflicts: 1))
            #expect(second.quarantined == ["t2"])
            // Mended, it counts; the broken row was accounted for, and is no conflict when it is read again.
            var mended = broken
            mended.properties = #"{"v":5}"#
            try await client.log([mended])
            let third = try await seal(3)
            #expect(third.0 == october(events: 1))
            #expect(third.quarantined == [])
            let fourth = try await seal(4)
            #expect(fourth.0 == [])
            #expect(fourth.quarantined == [])
        }
    }

    @Test(arguments: ["winners", "daily", "figures"])
    func `a table that keeps nothing seals nothing`(_ table: String) async throws {
        try await withLog { client in
            try await client.log([LogRow(), LogRow(id: "t2"), LogRow()])
            try await UsageTables(generation: 1).create(client)
            let name = "usage_\(table)_1"
            for sql in [
                "RENAME TABLE \(name) TO kept", "CREATE TABLE \(name) AS kept ENGINE = Null",
            ] {
                try await client.execute(ClickHouseQuery(sql))
            }
            let error = await #expect(throws: UsageError.self) {
                _ = try await client.writer.write(
                    1, round: 1, range: BatchRange(firstMinute: 0, endMinute: 120_000_000, rows: 0))
            }
            #expect(error?.isUnavailable == true)
            #expect(
                error?.description.contains("did not keep what was written for batch 1") == true)
        }
    }

    @Test func `parts of our tables are merged seldom, and projections only then`() async throws {
        try await withLog { client in
            try await UsageTables(generation: 1).create(client)
            let sql = """
                SELECT countIf(position(create_table_query, 'merge_selector_base = 16') > 0) AS tables,
                    countIf(position(create_table_query, 'materialize_projections_on_insert = 0') > 0) AS lazy
                FROM system.tables WHERE database = currentDatabase() AND match(name, '^usage_[a-z]+_1$')
                """
            let row = try await client.rows(ClickHouseQuery(sql)).first
            #expect(try row?.int64("tables") == 7 && row?.int64("lazy") == 7)
        }
    }
}
