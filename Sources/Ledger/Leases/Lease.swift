package import Postgres

/// The right to be the only one that works on something, for as long as this process lives.
///
/// The database's clock decides. A holder extends its lease while it works, however long that takes; one
/// that died is replaced when the lease runs out. Each holder has a token of its own, and whatever it
/// writes names that token: a holder that was paused past the end of its lease writes nothing any more.
package struct Lease: Sendable {
    package let name: String
    package let holder: String
    let token: Int64

    /// How long a lease outlives a process that died.
    package static let seconds = 15.0

    /// Takes the lease, works, and gives it back.
    ///
    /// - Parameter waits: for its holder to be done; else the call fails at once.
    /// - Throws: `LedgerError` (held) with the holder's name; (leaseLost) if another process took over.
    package static func with<Result: Sendable>(
        _ name: String, holder: String, pool: PostgresPool, waits: Bool = false,
        _ body: @escaping @Sendable (Lease) async throws -> Result
    ) async throws -> Result {
        let lease = try await take(name, holder: holder, pool: pool, waits: waits)
        do {
            let result = try await lease.extending(pool) { try await body(lease) }
            await lease.release(pool)
            return result
        } catch {
            // Whoever took over may have cleared away what this error is about.
            let isLost = await lease.isLost(pool)
            await lease.release(pool)
            throw isLost ? LedgerError.leaseLost(name) : error
        }
    }

    private func isLost(_ pool: PostgresPool) async -> Bool {
        await Task.detached {
            let rows = try? await pool.query(SQL.leaseToken, [name], timeoutSeconds: 5).rows
            let newest = try? rows?.first?.decode("token", as: Int64.self)
            return newest.map { $0 != token } ?? false
        }.value
    }

    private static func take(
        _ name: String, holder: String, pool: PostgresPool, waits: Bool
    ) async throws -> Lease {
        while true {
            let rows = try await pool.query(SQL.leaseTake, [name, holder, seconds]).rows
            if let token: Int64 = try rows.first?.decode("token") {
                try await pool.query(SQL.leaseEvict, [name, token])
                return Lease(name: name, holder: holder, token: token)
            }
            guard waits else {
                let row = try await pool.query(SQL.leaseHolder, [name]).rows.first
                throw LedgerError.held(name, by: try row?.decode("holder") ?? "just ended")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }

    /// Runs the body beside a heartbeat; the first one to fail ends both.
    private func extending<Result: Sendable>(
        _ pool: PostgresPool, _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            group.addTask {
                try await beat(pool)
                return nil
            }
            group.addTask { try await body() }
            defer { group.cancelAll() }
            while let result = try await group.next() {
                if let result { return result }
            }
            throw CancellationError()
        }
    }

    private func beat(_ pool: PostgresPool) async throws {
        // CLOCK_BOOTTIME: the time for which the machine was suspended counts.
        let clock = ContinuousClock()
        var end = clock.now + .seconds(Self.seconds)
        while true {
            try await Task.sleep(for: .seconds(Self.seconds / 3))
            let now = clock.now
            do {
                let rows = try await pool.query(
                    SQL.leaseExtend, [name, token, Self.seconds],
                    timeoutSeconds: Self.seconds / 3
                ).rows
                guard !rows.isEmpty else { throw LedgerError.leaseLost(name) }
                end = now + .seconds(Self.seconds)
            } catch let error as PostgresError {
                // The database may come back while the lease still runs.
                if Task.isCancelled || clock.now >= end { throw error }
            }
        }
    }

    /// At once, so that nobody waits for the end of a lease whose work is done.
    private func release(_ pool: PostgresPool) async {
        // A task of its own: this one may be cancelled. If it fails, the lease runs out.
        _ = await Task.detached {
            try? await pool.query(SQL.leaseRelease, [name, token], timeoutSeconds: 5)
        }.value
    }
}

extension PostgresPool {
    /// Runs a transaction under a lease: it is committed only if the lease is still ours then. Until its
    /// end nothing of the lease is locked, so that it can be extended, or taken over if we are paused.
    func transaction<R: Sendable>(
        under lease: Lease, _ body: @Sendable (isolated PostgresConnection) throws -> R
    ) async throws -> R {
        try await transaction { connection in
            try connection.mark(lease)
            let result = try body(connection)
            try connection.fenceCommit(lease)
            return result
        }
    }
}

extension PostgresConnection {
    /// At the start of a transaction: who takes the lease after us may end this session, whose locks
    /// would be in the way if we were paused.
    func mark(_ lease: Lease) throws {
        try query(SQL.leaseMark, [lease.name, lease.token])
        // Whoever took it before looked for marks when there was none.
        let rows = try query(SQL.leaseToken, [lease.name]).rows
        guard try rows.first?.decode("token", as: Int64.self) == lease.token else {
            throw LedgerError.leaseLost(lease.name)
        }
    }

    /// As the last thing before COMMIT: goes on only if the lease is still ours.
    func fenceCommit(_ lease: Lease) throws {
        try query(SQL.leaseCommitSoon, [Lease.seconds])
        try fence(lease)
    }

    /// Within a transaction: goes on only if the lease is still ours, and keeps it ours to the end.
    func fence(_ lease: Lease) throws {
        guard try !query(SQL.leaseFence, [lease.name, lease.token]).rows.isEmpty else {
            throw LedgerError.leaseLost(lease.name)
        }
    }
}
