package import Exact
package import Postgres

/// What ran: read only.
package struct RunHistory: Sendable {
    /// A slot with its last attempt, an attempt, or a run of a continuous job.
    package struct Run: Sendable {
        package let job: String
        /// `nil`: a continuous job.
        package let slot: String?
        package let status: String
        package let skipReason: String?
        package let dueAt: Instant?
        package let attempts: Int
        package let startedAt: Instant?
        package let finishedAt: Instant?
        package let durationSeconds: String?
        package let holder: String?
        package let programVersion: String?
        package let exitCode: Int?
        package let error: String?
        /// A JSON object.
        package let figures: String?
    }

    package struct LastSuccess: Sendable {
        package let job: String
        package let slot: String?
        package let succeededAt: Instant
        package let ageSeconds: Int64
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Which runs; `nil` is no restriction.
    package struct Filter: Sendable {
        package var job: String?
        package var slot: String?
        package var status: String?

        package init(job: String? = nil, slot: String? = nil, status: String? = nil) {
            (self.job, self.slot, self.status) = (job, slot, status)
        }

        fileprivate var parameters: [(any PostgresEncodable)?] { [job, slot, status] }
    }

    /// The newest first.
    package func runs(
        job: String? = nil, slot: String? = nil, status: String? = nil, limit: Int
    ) async throws -> [Run] {
        try await pool.query(SQL.runsList, [job, slot, status, limit]).rows.map(Run.init)
    }

    /// The newest first; memory stays flat.
    ///
    /// - Parameter limit: `nil`: all of them.
    package func forEachBatch(
        _ filter: Filter, limit: Int?, _ body: @escaping @Sendable ([Run]) throws -> Void
    ) async throws {
        try await pool.withConnection { connection in
            try await connection.forEachBatch(
                SQL.runsList, filter.parameters + [limit], batchSize: 1000
            ) { rows in try body(rows.map(Run.init)) }
        }
    }

    package func count(_ filter: Filter) async throws -> Int {
        let rows = try await pool.query(SQL.runsCount, filter.parameters).rows
        return try rows.first?.decode("runs") ?? 0
    }

    /// Every attempt at a slot, oldest first.
    package func attempts(job: String, slot: Slot) async throws -> [Run] {
        try await pool.query(SQL.runsAttempts, [job, "\(slot)"]).rows.map(Run.init)
    }

    /// Of every job that ever succeeded.
    package func lastSuccesses() async throws -> [LastSuccess] {
        try await pool.query(SQL.runsLastSuccess).rows.map {
            LastSuccess(
                job: try $0.decode("job"), slot: try $0.decode("slot"),
                succeededAt: Instant(milliseconds: try $0.decode("succeeded_ms")),
                ageSeconds: try $0.decode("age_seconds"))
        }
    }

    /// Records a run of a continuous job, which holds a lease of its own and has no slots.
    ///
    /// - Parameter figures: what was done, as a JSON object.
    package func record(
        job: String, holder: String, programVersion: String, milliseconds: Int64,
        end: SlotStore.End, exitCode: Int32, error: String? = nil, figures: String? = nil
    ) async throws {
        try await pool.query(
            SQL.attemptRecord,
            [
                job, holder, programVersion, milliseconds, end.rawValue, Int(exitCode), error,
                figures,
            ])
    }
}

extension RunHistory.Run {
    fileprivate init(_ row: PostgresRow) throws {
        func instant(_ column: String) throws -> Instant? {
            try row.decode(column, as: Int64?.self).map(Instant.init(milliseconds:))
        }
        job = try row.decode("job")
        slot = try row.decode("slot")
        status = try row.decode("status")
        skipReason = try row.decode("skip_reason")
        dueAt = try instant("due_ms")
        attempts = try row.decode("attempts")
        startedAt = try instant("started_ms")
        finishedAt = try instant("finished_ms")
        durationSeconds = try row.decode("duration_seconds")
        holder = try row.decode("holder")
        programVersion = try row.decode("program_version")
        exitCode = try row.decode("exit_code")
        error = try row.decode("error")
        figures = try row.decode("figures")
    }
}
