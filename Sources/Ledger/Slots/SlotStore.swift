package import Exact
package import Postgres

/// The slots of one job, and what became of them.
///
/// Each write is one statement that names the lease: whoever lost it changes nothing, wherever it was
/// paused, and learns so (`LedgerError`, leaseLost).
package struct SlotStore: Sendable {
    /// An attempt that is running.
    package struct Attempt: Sendable {
        package let id: Int64
        package let slot: Slot
        /// What the database's clock said when it began.
        package let begunAt: Instant
        /// Whether the slot had succeeded before: then it stays so, unless this attempt fails.
        package let hadSucceeded: Bool
    }

    /// How an attempt ended.
    package enum End: String, Sendable {
        case succeeded
        case incomplete
        case failed
        case stopped
    }

    /// An attempt whose process died.
    package struct Lost: Sendable, Equatable {
        package let slot: String
        package let holder: String
    }

    private let job: String
    private let lease: Lease
    private let pool: PostgresPool

    package init(job: String, lease: Lease, pool: PostgresPool) {
        (self.job, self.lease, self.pool) = (job, lease, pool)
    }

    package static func leaseName(ofJob job: String) -> String { "job \(job)" }

    /// By the database's clock, which all hosts share.
    package func now() async throws -> Instant {
        let rows = try await pool.query(SQL.ledgerNow).rows
        return Instant(milliseconds: try rows[0].decode("now_ms"))
    }

    /// Takes note of attempts that ended without a word; their slots are due again.
    @discardableResult
    package func recover() async throws -> [Lost] {
        try await pool.query(SQL.slotsRecover, fence + [job]).rows.map {
            Lost(slot: try $0.decode("slot"), holder: try $0.decode("holder"))
        }
    }

    /// The last slot that the schedule has come to; `nil`: it never ran.
    package func plannedThrough() async throws -> Slot? {
        let row = try await pool.query(SQL.slotsPlannedThrough, [job]).rows.first
        return try row.map { try slot($0.decode("slot")) }
    }

    /// Puts slots on record that have become due.
    package func plan(_ due: [CatchUp.Due]) async throws {
        guard !due.isEmpty else { return }
        try await pool.query(
            SQL.slotsPlan,
            fence + [
                job, due.map { "\($0.slot)" }, due.map { "\($0.slot.start)" },
                due.map { "\($0.slot.end)" }, due.map { "\($0.dueAt)" },
            ])
    }

    /// What is due and not done, oldest first.
    package func undone(at now: Instant) async throws -> [CatchUp.Due] {
        try await pool.query(SQL.slotsUndone, [job, "\(now)"]).rows.map {
            CatchUp.Due(
                slot: try slot($0.decode("slot")),
                dueAt: Instant(milliseconds: try $0.decode("due_ms")))
        }
    }

    package func skip(_ skipped: [(slot: Slot, reason: CatchUp.SkipReason)]) async throws {
        guard !skipped.isEmpty else { return }
        try await pool.query(
            SQL.slotsSkip,
            fence + [job, skipped.map { "\($0.slot)" }, skipped.map(\.reason.rawValue)])
    }

    /// - Parameter dueAt: of a slot that is not on record yet.
    package func begin(
        _ slot: Slot, dueAt: Instant, programVersion: String
    ) async throws -> Attempt {
        // Also what this process began itself, if it never learned that it had.
        try await recover()
        let rows = try await pool.query(
            SQL.slotBegin,
            fence + [
                job, "\(slot)", "\(slot.start)", "\(slot.end)", "\(dueAt)", lease.holder,
                programVersion,
            ]
        ).rows
        guard let row = rows.first else { throw LedgerError.leaseLost(lease.name) }
        let before: String? = try row.decode("status_before")
        return Attempt(
            id: try row.decode("attempt_id"), slot: slot,
            begunAt: Instant(milliseconds: try row.decode("now_ms")),
            hadSucceeded: before == "succeeded")
    }

    /// - Parameter figures: what was done, as a JSON object.
    package func finish(
        _ attempt: Attempt, _ end: End, exitCode: Int32?, error: String? = nil,
        figures: String? = nil
    ) async throws {
        let status =
            switch end {
            case .succeeded: "succeeded"
            case .failed: "failed"
            case .incomplete, .stopped: attempt.hadSucceeded ? "succeeded" : "pending"
            }
        let rows = try await pool.query(
            SQL.slotFinish,
            fence + [attempt.id, end.rawValue, status, exitCode.map { Int($0) }, error, figures]
        ).rows
        guard !rows.isEmpty else { throw LedgerError.leaseLost(lease.name) }
    }

    private var fence: [(any PostgresEncodable)?] { [lease.name, lease.token] }

    private func slot(_ text: String) throws -> Slot {
        guard let slot = Slot(text) else { throw LedgerError.unreadableSlot(text, ofJob: job) }
        return slot
    }
}
