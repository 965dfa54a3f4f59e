package import Exact
package import Postgres

/// Which batches of usage count. What writes here holds the lease, and says so in the same transaction.
package struct BatchStore: Sendable {
    /// The lease of whoever seals or rebuilds.
    package static let leaseName = "seal-usage"

    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    // MARK: What is sealed

    /// - Parameter cutoff: the last batch that counts; `nil`: the newest of the active generation.
    package func sealed(cutoff: Int64? = nil) async throws -> SealedUsage {
        guard let row = try await pool.query(SQL.generationOf, [cutoff]).rows.first else {
            throw LedgerError.noBatch(cutoff ?? 0)
        }
        return try await sealed(generation: try row.decode("generation"), cutoff: cutoff)
    }

    /// How long ago a batch was sealed, in seconds.
    ///
    /// - Throws: `LedgerError` (notFound).
    package func age(of batch: Int64) async throws -> Int64 {
        guard let row = try await pool.query(SQL.batchAge, [batch]).rows.first else {
            throw LedgerError.noBatch(batch)
        }
        return try row.decode("seconds")
    }

    /// - Throws: `LedgerError` (notFound).
    package func sealedAt(_ batch: Int64) async throws -> Instant {
        guard let row = try await pool.query(SQL.batchAge, [batch]).rows.first else {
            throw LedgerError.noBatch(batch)
        }
        return Instant(milliseconds: try row.decode("sealed_ms"))
    }

    /// The same as `sealed` of a generation that need not be active.
    package func sealed(generation: Int, cutoff: Int64? = nil) async throws -> SealedUsage {
        let state = try await pool.query(SQL.sealedState, [generation, cutoff]).rows
        let cutoff: Int64 = try state.first?.decode("cutoff") ?? 0
        let hidden = try await pool.query(SQL.sealedHidden, [cutoff]).rows
        let metrics = try await pool.query(SQL.sealedMetrics, [generation]).rows
        return SealedUsage(
            generation: generation, cutoff: cutoff,
            hidden: try hidden.map { try $0.decode("batch") },
            rollupKeys: Dictionary(
                uniqueKeysWithValues: try metrics.map {
                    (try $0.decode("metric_key"), try $0.decode("rollup_key"))
                }))
    }

    /// The sealed batches up to the cut-off, in order, and how many events each holds.
    package func batches(of sealed: SealedUsage) async throws -> [(batch: Int64, events: Int64)] {
        try await pool.query(SQL.sealedBatches, [sealed.generation, sealed.cutoff]).rows.map {
            (try $0.decode("batch"), try $0.decode("events"))
        }
    }

    /// The last batch whose rows must be in ClickHouse.
    package func newestBatchWithEvents(generation: Int) async throws -> Int64 {
        try await pool.query(SQL.sealedNewest, [generation]).rows.first?.decode("batch") ?? 0
    }

    /// Whether the contents of the whole log were last compared more than a day ago.
    package func isSweepDue(generation: Int) async throws -> Bool {
        try await pool.query(SQL.sweepDue, [generation]).rows.first?.decode("is_due") ?? true
    }

    package func recordSweep(generation: Int) async throws {
        try await pool.query(SQL.generationSwept, [generation])
    }

    /// Events of these batches that belong to slots which were billed without them.
    package func lateEvents(of batches: [Int64]) async throws -> [(slot: String, events: Int64)] {
        try await pool.query(SQL.lateEvents, [batches]).rows.map {
            (try $0.decode("slot"), try $0.decode("events"))
        }
    }

    /// Events of a slot that were sealed after it was last billed; none if it never was.
    package func lateEvents(ofSlot slot: String, in sealed: SealedUsage) async throws -> Int64 {
        try await pool.query(SQL.lateOfSlot, [slot, sealed.cutoff]).rows.first?.decode("events")
            ?? 0
    }

    /// What was sealed since a run of seal-usage last told of it, by whatever job.
    package func unreported(
        in sealed: SealedUsage
    ) async throws -> [(batch: Int64, figures: BatchFigures)] {
        try await pool.query(SQL.batchesUnreported, [sealed.generation, sealed.cutoff]).rows.map {
            (try $0.decode("batch"), try BatchFigures($0))
        }
    }

    /// How many rows that these batches put into quarantine nobody has released.
    package func waiting(of batches: [Int64]) async throws -> Int64 {
        try await pool.query(SQL.quarantineWaiting, [batches]).rows.first?.decode("copies") ?? 0
    }

    // MARK: Batches

    /// Takes batches that are open away from whoever opened them: it died, or lost the lease.
    ///
    /// - Returns: their numbers, whose rows never count.
    package func abandonOpen(_ lease: Lease) async throws -> [Int64] {
        try await pool.transaction(under: lease) { connection in
            try connection.query(SQL.batchAbandon).rows.map { try $0.decode("batch") }
        }
    }

    /// Gives out the next number.
    package func open(generation: Int, _ lease: Lease) async throws -> Int64 {
        try await pool.transaction(under: lease) { connection in
            let rows = try connection.query(SQL.batchOpen, [generation, lease.holder]).rows
            guard let row = rows.first else { preconditionFailure("an insert answers its row") }
            return try row.decode("batch")
        }
    }

    /// Numbers up to this one that the ledger does not know are never given out.
    package func skipNumbers(through batch: Int64, generation: Int, _ lease: Lease) async throws {
        try await pool.transaction(under: lease) { connection in
            _ = try connection.query(SQL.batchNumbersSkip, [generation, batch])
        }
    }

    /// Makes a batch count, with what it quarantined, in one transaction.
    ///
    /// - Parameters:
    ///   - months: what it came to, by month.
    ///   - quarantine: hands over the quarantined rows.
    /// - Throws: `LedgerError` (leaseLost) if the batch is not ours any more; then it never counts.
    package func seal(
        _ batch: Int64, generation: Int, months: [BatchMonth], _ lease: Lease,
        quarantine: (_ add: ([QuarantinedRow]) async throws -> Void) async throws -> Void
    ) async throws -> BatchFigures {
        try await pool.withConnection { connection in
            try await connection.query("BEGIN")
            try await connection.mark(lease)
            try await quarantine { rows in
                var copy = PostgresCopyEncoder()
                for row in rows { copy.row(["\(generation)", "\(batch)"] + row.fields) }
                try await connection.copyIn(
                    "COPY quarantine (\(QuarantinedRow.columns)) FROM STDIN", copy.take())
            }
            let json = "[\(months.map(\.json).joined(separator: ","))]"
            let sealed = try await connection.query(SQL.batchSeal, [batch, json]).rows
            guard let row = sealed.first else { throw LedgerError.leaseLost(lease.name) }
            let figures = try BatchFigures(row)
            // As the last thing: handing over many rows takes longer than a lease lasts.
            try await connection.fenceCommit(lease)
            try await connection.query("COMMIT")
            return figures
        }
    }

    // MARK: Generations

    /// Starts a rebuild; what earlier ones left is nobody's any more.
    ///
    /// - Returns: the new generation, and those that are not needed any more.
    package func newGeneration(_ lease: Lease) async throws -> (generation: Int, retired: [Int]) {
        try await pool.transaction(under: lease) { connection in
            let retired = try connection.query(SQL.generationRetireBuilt).rows
            let rows = try connection.query(SQL.generationNew).rows
            guard let row = rows.first else { preconditionFailure("an insert answers its row") }
            return (
                try row.decode("generation"), try retired.map { try $0.decode("generation") }
            )
        }
    }

    /// From now on this generation is read; the one before stays, for invoices that were computed with it.
    package func activate(generation: Int, _ lease: Lease) async throws {
        try await pool.transaction(under: lease) { connection in
            try connection.query(SQL.quarantineKeepReleased, [generation])
            try connection.query(SQL.generationRetireActive)
            let rows = try connection.query(SQL.generationActivate, [generation]).rows
            guard !rows.isEmpty else { throw LedgerError.leaseLost(lease.name) }
        }
    }

    // MARK: Metrics

    /// A new key for the rollups of a metric; nobody reads it before it is ready.
    ///
    /// - Parameter shared: the key of a rollup that holds this metric, too.
    package func newRollupKey(
        of metricKey: String, shared: String?, generation: Int, _ lease: Lease
    ) async throws -> String {
        try await pool.transaction(under: lease) { connection in
            let rows = try connection.query(SQL.metricBuild, [generation, metricKey, shared]).rows
            guard let row = rows.first else { preconditionFailure("an insert answers its row") }
            return try row.decode("rollup_key")
        }
    }

    /// From now on these are read, and written by every batch.
    package func makeReady(
        metricKeys: [String], generation: Int, _ lease: Lease
    ) async throws {
        try await pool.transaction(under: lease) { connection in
            _ = try connection.query(SQL.metricReady, [generation, metricKeys])
        }
    }
}

/// What a batch, or several, came to.
package struct BatchFigures: Sendable, Equatable {
    package var events: Int64
    package var duplicates: Int64
    package var conflicts: Int64
    package var quarantined: Int64

    package init(
        events: Int64 = 0, duplicates: Int64 = 0, conflicts: Int64 = 0, quarantined: Int64 = 0
    ) {
        self.events = events
        self.duplicates = duplicates
        self.conflicts = conflicts
        self.quarantined = quarantined
    }

    package static func += (left: inout Self, right: Self) {
        left.events += right.events
        left.duplicates += right.duplicates
        left.conflicts += right.conflicts
        left.quarantined += right.quarantined
    }
}

extension BatchFigures {
    fileprivate init(_ row: PostgresRow) throws {
        events = try row.decode("events")
        duplicates = try row.decode("duplicates")
        conflicts = try row.decode("conflicts")
        quarantined = try row.decode("quarantined")
    }
}

/// The same of one UTC month, by the rows that count.
package struct BatchMonth: Sendable, Equatable {
    /// As `2026-10`.
    package let month: String
    package let events: Int64
    package let duplicates: Int64
    package let conflicts: Int64

    package init(month: String, events: Int64, duplicates: Int64, conflicts: Int64) {
        self.month = month
        self.events = events
        self.duplicates = duplicates
        self.conflicts = conflicts
    }

    var json: String {
        """
        {"month":"\(month)","events":\(events),"duplicates":\(duplicates),"conflicts":\(conflicts)}
        """
    }
}
