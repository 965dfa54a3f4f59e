internal import ClickHouse
internal import Exact
internal import Ledger

/// Takes one batch of rows out of the log and decides what becomes of each: it counts, or it is a
/// duplicate, a conflict, or quarantined.
///
/// Everything is written under the batch's number, which no reader looks at before the ledger says that
/// the batch is sealed. A process that dies leaves rows that never count.
struct BatchWriter: Sendable {
    let clickHouse: ClickHouseClient
    let source: SourceTable
    /// What was sealed before: its winners stay.
    let sealed: SealedUsage
    /// What is rolled up, or must be readable: each key once.
    let metrics: [Metric]

    /// - Parameter round: the first batch of those that read one minute in parts; else the batch itself.
    func write(_ batch: Int64, round: Int64, range: BatchRange) async throws -> [BatchMonth] {
        let parameters = parameters(batch)
            .merging(source.parameters) { $1 }
            .merging(range.parameters) { $1 }
            .merging(["round": .integer(round)]) { $1 }
        var stageParameters = parameters
        try await execute([stageText(&stageParameters)], stageParameters)
        try await execute([SQL.known], parameters)
        let faults = try await clickHouse.rows(query(SQL.stageFaults, parameters)).first
        if try faults?.int64("faults") ?? 0 > 0 {
            try await execute([SQL.stageRecognise], parameters)
        }
        try await execute([SQL.disputed, SQL.contested], parameters)
        let rollups = RollupWriter(
            clickHouse: clickHouse, sealed: sealed,
            columns: columns.filter { sealed.hasOwnRollup($0.metric) })
        let winners = SQL.winnersInsert.replacing("/* winners */", with: SQL.freshWinners)
        // The server sorts what a statement inserts on one core: two side by side, and both work.
        async let counted: Void = execute(
            [winners, SQL.figuresInsert, SQL.slicesInsert], parameters)
        try await rollups.write(
            of: SQL.freshWinners, hours: "sealing_\(batch)_hours", countsAll: true, parameters)
        try await execute([SQL.seenInsert, SQL.conflictsInsert], parameters)
        try await counted
        try await requireBalance(batch, parameters)
        return try await clickHouse.rows(query(SQL.batchFigures, parameters)).map { row in
            let month = try row.string("month")
            return BatchMonth(
                month: "\(month.prefix(4))-\(month.suffix(2))", events: try row.int64("events"),
                duplicates: try row.int64("duplicates"), conflicts: try row.int64("conflicts"))
        }
    }

    /// No batch is sealed of which a row is missing.
    private func requireBalance(
        _ batch: Int64, _ parameters: [String: ClickHouseValue]
    ) async throws {
        guard let row = try await clickHouse.rows(query(SQL.batchBalance, parameters)).first else {
            preconditionFailure("a query of scalars answers one row")
        }
        let (staged, counted) = (try row.int64("staged"), try row.int64("counted"))
        let others = try ["known", "repeated", "quarantined"].map { try row.int64($0) }
        let accounted = others.reduce(counted, +)
        let (written, addedUp) = (try row.int64("written"), try row.int64("added_up"))
        guard staged == accounted, counted == written, counted == addedUp else {
            throw UsageError.outOfBalance(
                batch,
                """
                of \(staged) rows \(accounted) are accounted for, and of \(counted) that count \
                \(written) were written and \(addedUp) added up
                """)
        }
    }

    /// Hands over the rows that the batch quarantines. Only until its stages are dropped.
    func forEachQuarantined(
        of batch: Int64, _ body: ([QuarantinedRow]) async throws -> Void
    ) async throws {
        let query = query(SQL.stageQuarantined, parameters(batch))
        try await clickHouse.forEachBatch(query) { rows in
            try await body(
                rows.map { row in
                    QuarantinedRow(
                        id: try row.string("quarantine_id"),
                        customerID: try row.string("customer_id"),
                        transactionID: try row.string("transaction_id"),
                        eventType: try row.string("event_type"),
                        timestamp: Instant(milliseconds: try row.int64("timestamp_ms")),
                        ingestedAt: Instant(milliseconds: try row.int64("ingested_ms")),
                        properties: try row.string("properties"),
                        reasons: try row.string("reasons"), copies: try row.int64("copies"))
                })
        }
    }

    /// Removes the tables that this batch, and those before it whose process died, have worked in.
    func dropStages(through batch: Int64) async throws {
        let stale = ClickHouseQuery(SQL.stageStale, parameters: ["batch": .integer(batch)])
        for row in try await clickHouse.rows(stale) {
            let name = try row.string("name")
            try await clickHouse.execute(
                ClickHouseQuery(SQL.stageDrop, parameters: ["table": .string(name)]))
        }
    }

    /// The text that copies a batch, with a column or two for each metric.
    private func stageText(_ parameters: inout [String: ClickHouseValue]) -> String {
        let values = columns.map { $0.renderValues(&parameters) }
        let readable = columns.compactMap { $0.renderReadable() }
        let reasons = columns.compactMap { $0.renderUnreadable(&parameters) }
        return SQL.stage
            .replacing("/* metric values */", with: values.joined())
            .replacing("/* readable */", with: readable.map { "\n            AND \($0)" }.joined())
            .replacing("/* metric reasons */", with: reasons.map { ",\n\($0)" }.joined())
    }

    private var columns: [MetricColumns] {
        metrics.enumerated().map { MetricColumns(metric: $1, index: $0) }
    }

    private func parameters(_ batch: Int64) -> [String: ClickHouseValue] {
        var parameters = sealed.parameters
        parameters["batch"] = .integer(batch)
        for stage in ["stage", "known", "disputed", "contested"] {
            parameters[stage] = .string("sealing_\(batch)_\(stage)")
        }
        return parameters
    }

    private func execute(
        _ statements: [String], _ parameters: [String: ClickHouseValue]
    ) async throws {
        for sql in statements { try await clickHouse.execute(query(sql, parameters)) }
    }

    private func query(_ sql: String, _ parameters: [String: ClickHouseValue]) -> ClickHouseQuery {
        ClickHouseQuery(sql, parameters: parameters, settings: Self.settings)
    }

    /// What a batch adds to a table is one part: less to merge than several that are sorted side by side. What
    /// changes rows of a stage is waited for.
    static let settings = MetricColumns.longText.merging([
        "min_insert_block_size_rows": "4000000", "min_insert_block_size_bytes": "1073741824",
        "mutations_sync": "1",
    ]) { $1 }
}
