package import ClickHouse
package import Ledger
package import Postgres

/// Seals usage: takes what the log has and no batch has accounted for, batch by batch.
///
/// One process at a time does so, under a lease; it can die at any point.
package struct UsageSealer: Sendable {
    /// What a run did, and what it found.
    package struct Summary: Sendable, Equatable {
        package var batches: [Int64] = []
        package var figures = BatchFigures()
        /// Rows that these batches put into quarantine, and that nobody has released.
        package var waiting: Int64 = 0
        /// Metrics that were rolled up for the first time, over all that was sealed before.
        package var backfilledMetrics = 0
        /// Events of slots that were billed without them.
        package var late: [Late] = []
        package var usage = SealedUsage(generation: 1, cutoff: 0, hidden: [], rollupKeys: [:])

        package struct Late: Sendable, Equatable {
            package let slot: String
            package let events: Int64
        }
    }

    /// How far a run is.
    package struct Progress: Sendable {
        package let batch: Int
        package let batches: Int
        package let rows: Int64
    }

    let clickHouse: ClickHouseClient
    let store: BatchStore
    let pool: PostgresPool
    let source: SourceTable
    let metrics: [Metric]
    private let batchRows: Int64
    let holder: String

    package static let defaultBatchRows = 2_000_000

    /// - Parameters:
    ///   - metrics: of all catalogs; what they count is rolled up, what they read must be readable.
    ///   - batchRows: the most that a batch takes; memory of the server grows with it.
    ///   - holder: who we are, for whoever finds the lease taken.
    package init(
        clickHouse: ClickHouseClient, pool: PostgresPool, source: SourceTable, metrics: [Metric],
        batchRows: Int = defaultBatchRows, holder: String
    ) {
        self.clickHouse = clickHouse
        self.pool = pool
        self.source = source
        store = BatchStore(pool: pool)
        var keys: Set<String> = []
        self.metrics = metrics.filter { keys.insert($0.key).inserted }
        self.batchRows = Int64(batchRows)
        self.holder = holder
    }

    /// - Parameters:
    ///   - waits: for another process that seals; else that is an error (held).
    ///   - comparesContents: `nil`: once a day.
    package func seal(
        waits: Bool = false, comparesContents: Bool? = nil,
        progress: @escaping @Sendable (Progress) -> Void = { _ in }
    ) async throws -> Summary {
        try await Lease.with(
            BatchStore.leaseName, holder: holder, pool: pool, waits: waits
        ) { lease in
            try await seal(lease, comparesContents: comparesContents, progress)
        }
    }

    /// The same of all that was sealed since a run of seal-usage last told of it: other jobs seal, too.
    package func sinceLastReport(_ summary: Summary) async throws -> Summary {
        let unreported = try await store.unreported(in: summary.usage)
        var summary = summary
        summary.batches = unreported.map(\.batch)
        summary.figures = unreported.reduce(into: BatchFigures()) { $0 += $1.figures }
        try await lookThrough(&summary)
        return summary
    }

    private func seal(
        _ lease: Lease, comparesContents: Bool?, _ progress: (Progress) -> Void
    ) async throws -> Summary {
        try await SourceCheck(clickHouse: clickHouse, source: source).check()
        let generation = try await store.sealed().generation
        return try await seal(
            generation: generation, lease, comparesContents: comparesContents, progress)
    }

    /// - Parameter old: usage whose decisions hold here, too; `nil`: nothing else was decided before.
    func seal(
        generation: Int, as old: SealedUsage? = nil, _ lease: Lease, comparesContents: Bool?,
        _ progress: (Progress) -> Void
    ) async throws -> Summary {
        var summary = Summary()
        var sealed = try await begin(generation: generation, lease)
        let backfilled = try await backfill(&sealed, lease)
        summary.backfilledMetrics = sealed.cutoff > 0 ? backfilled : 0
        if let old, let settled = try await sealSettled(in: old, anew: sealed, lease) {
            summary.batches.append(settled.batch)
            summary.figures += settled.figures
            sealed = try await store.sealed(generation: generation)
        }
        let isSweepDue = try await store.isSweepDue(generation: generation)
        let comparesContents = comparesContents ?? isSweepDue
        let minutes = try await SourceSweep(
            source: source, sealed: sealed,
            comparesContents: comparesContents && sealed.cutoff > 0
        ).minutes(clickHouse)
        let ranges = BatchRange.plan(minutes, rows: batchRows)
        var round: Int64 = 0
        for (index, range) in ranges.enumerated() {
            try Task.checkCancellation()
            progress(Progress(batch: index + 1, batches: ranges.count, rows: range.rows))
            let batch = try await store.open(generation: generation, lease)
            if range.part == 0 { round = batch }
            summary.figures += try await seal(
                batch, round: round, range, of: source, sealed, lease)
            summary.batches.append(batch)
            sealed = try await store.sealed(generation: generation)
        }
        if comparesContents { try await store.recordSweep(generation: sealed.generation) }
        summary.usage = sealed
        try await lookThrough(&summary)
        return summary
    }

    /// What a person should know of the batches.
    private func lookThrough(_ summary: inout Summary) async throws {
        summary.waiting = try await store.waiting(of: summary.batches)
        summary.late = try await late(in: summary.batches)
    }

    func late(in batches: [Int64]) async throws -> [Summary.Late] {
        try await store.lateEvents(of: batches).map {
            Summary.Late(slot: $0.slot, events: $0.events)
        }
    }

    /// Makes the tables, and sees to it that no number of a batch is used twice.
    private func begin(generation: Int, _ lease: Lease) async throws -> SealedUsage {
        let sealed = try await store.sealed(generation: generation)
        try await UsageTables(generation: sealed.generation).create(clickHouse)
        // What is not removed now does no harm: nobody looks at it.
        for batch in try await store.abandonOpen(lease) {
            try await UsageTables(generation: generation).remove(batch: batch, clickHouse)
        }
        let known = try await store.newestBatchWithEvents(generation: generation)
        let (newest, whole) = try await newestBatches(from: known, sealed)
        guard whole >= known else {
            let found = try await newestBatches(from: 0, sealed).whole
            throw UsageError.lost(known: known, found: found)
        }
        if newest > 0 {
            try await store.skipNumbers(through: newest, generation: generation, lease)
        }
        return sealed
    }

    /// The highest batch number, of `first` and those after it, that any table has, and that all have; 0: none.
    private func newestBatches(
        from first: Int64, _ sealed: SealedUsage
    ) async throws -> (newest: Int64, whole: Int64) {
        let parameters = sealed.parameters.merging(["first": .integer(first)]) { $1 }
        let query = ClickHouseQuery(SQL.newestBatch, parameters: parameters)
        guard let row = try await clickHouse.rows(query).first else {
            preconditionFailure("an aggregate answers one row")
        }
        return (try row.int64("newest"), try row.int64("whole"))
    }

    /// - Parameters:
    ///   - log: what is read.
    ///   - prepare: makes the log, if it is a stage of this batch.
    func seal(
        _ batch: Int64, round: Int64, _ range: BatchRange, of log: SourceTable,
        _ sealed: SealedUsage, _ lease: Lease, preparing prepare: () async throws -> Void = {}
    ) async throws -> BatchFigures {
        let writer = BatchWriter(
            clickHouse: clickHouse, source: log, sealed: sealed, metrics: metrics)
        try await writer.dropStages(through: batch)
        try await prepare()
        let months = try await writer.write(batch, round: round, range: range)
        let figures = try await store.seal(
            batch, generation: sealed.generation, months: months, lease
        ) { add in try await writer.forEachQuarantined(of: batch, add) }
        try await writer.dropStages(through: batch)
        return figures
    }

    /// Rolls up metrics that no batch knew, over all that is sealed.
    ///
    /// - Returns: how many they are.
    private func backfill(_ sealed: inout SealedUsage, _ lease: Lease) async throws -> Int {
        let known = sealed.rollupKeys
        let missing = sealed.unsealed(metrics)
        guard !missing.isEmpty else { return 0 }
        var keys = known
        // Sums first: their rollups hold the counts of the same events.
        for metric in missing.filter({ $0.property != nil }) + missing where keys[metric.key] == nil
        {
            let sum = metrics.first { metric.isCount(of: $0) && keys[$0.key] != nil }
            keys[metric.key] = try await store.newRollupKey(
                of: metric.key, shared: sum.flatMap { keys[$0.key] },
                generation: sealed.generation, lease)
        }
        let extended = SealedUsage(
            generation: sealed.generation, cutoff: sealed.cutoff, hidden: sealed.hidden,
            rollupKeys: keys)
        let columns = missing.enumerated().map { MetricColumns(metric: $1, index: $0) }
        let writer = RollupWriter(
            clickHouse: clickHouse, sealed: extended,
            columns: columns.filter { extended.hasOwnRollup($0.metric) })
        for batches in try await batchesInTurn(of: sealed) {
            try Task.checkCancellation()
            try await writer.backfill(batches: batches)
        }
        try await store.makeReady(
            metricKeys: missing.map(\.key), generation: sealed.generation, lease)
        sealed = extended
        return missing.count
    }

    /// All sealed batches, as many at a time as one batch may hold rows.
    private func batchesInTurn(of sealed: SealedUsage) async throws -> [ClosedRange<Int64>] {
        var ranges: [ClosedRange<Int64>] = []
        var rows: Int64 = 0
        for (batch, events) in try await store.batches(of: sealed) {
            rows += events
            if let last = ranges.last, rows <= batchRows {
                ranges[ranges.count - 1] = last.lowerBound...batch
            } else {
                ranges.append(batch...batch)
                rows = events
            }
        }
        return ranges
    }
}
