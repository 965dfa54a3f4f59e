internal import Synchronization

/// A bounded set of sessions, lent out one task at a time.
///
/// Who comes when all are out waits, first come, first served. A task that holds a session and asks
/// for another can wait for itself: lease once, and hand the connection down.
package final class PostgresPool: Sendable {
    /// A session handed over, nil for the right to open one, or why there is none.
    private typealias Permit = Result<PostgresConnection?, PostgresError>
    private typealias Waiter = CheckedContinuation<Permit, Never>

    private struct State {
        var idle: [PostgresConnection] = []
        /// Sessions that may still be opened or taken from `idle`.
        var free: Int
        var waiters: [Int: Waiter] = [:]
        /// Tickets in the order of their turn; one without a waiter was cancelled.
        var queue: [Int] = []
        var tickets = 0
        var isClosed = false
    }

    private let configuration: PostgresConfiguration
    private let state: Mutex<State>

    /// - Parameter maximumConnections: each one is a thread while it works.
    package init(configuration: PostgresConfiguration, maximumConnections: Int = 8) {
        precondition(maximumConnections > 0, "a pool holds at least one connection")
        self.configuration = configuration
        state = Mutex(State(free: maximumConnections))
    }

    /// How many tasks wait for a session: for metrics, and for tests.
    package var waiting: Int { state.withLock { $0.waiters.count } }

    // MARK: Use

    /// Lends a connection to `body` for as long as it runs; it must not be kept.
    ///
    /// A session that was left in a transaction, or that broke, is closed and not lent again. Session
    /// state (SET, advisory locks) does survive: what sets it, resets it, or closes the connection.
    ///
    /// - Throws: `cancelled` while waiting, `closed`, what connecting throws, what `body` throws.
    package func withConnection<R>(
        _ body: (PostgresConnection) async throws -> R
    ) async throws -> R {
        let connection = try await lease()
        do {
            let value = try await withTaskCancellationHandler {
                try await body(connection)
            } onCancel: {
                connection.wake()
            }
            await giveBack(connection)
            return value
        } catch {
            await giveBack(connection)
            throw error
        }
    }

    /// Runs one statement; see `PostgresConnection.query`.
    @discardableResult
    package func query(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], timeoutSeconds: Double? = nil
    ) async throws -> PostgresResult {
        try await withConnection { connection in
            try await connection.query(sql, parameters, timeoutSeconds: timeoutSeconds)
        }
    }

    /// Runs one transaction; see `PostgresConnection.transaction`.
    package func transaction<R: Sendable>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false,
        _ body: @Sendable (isolated PostgresConnection) throws -> R
    ) async throws -> R {
        try await withConnection { connection in
            try await connection.transaction(isolation: isolation, readOnly: readOnly, body)
        }
    }

    /// Closes idle sessions now and lent ones when they come back; who waits or comes gets `closed`.
    package func shutdown() async {
        let (idle, waiters) = state.withLock { state in
            state.isClosed = true
            defer {
                state.idle = []
                state.waiters = [:]
            }
            return (state.idle, state.waiters.values)
        }
        for waiter in waiters { waiter.resume(returning: .failure(.closed("pool"))) }
        for connection in idle { await connection.close() }
    }

    // MARK: Leases

    private func lease() async throws(PostgresError) -> PostgresConnection {
        if let handed = try await permit().get() { return handed }
        while let idle = state.withLock({ $0.idle.popLast() }) {
            if await idle.isReusable() { return idle }
            await idle.close()
        }
        let connection = PostgresConnection(configuration)
        do {
            try await withTaskCancellationHandler {
                try await connection.open()
            } onCancel: {
                connection.wake()
            }
            return connection
        } catch {
            release(nil)
            throw error as? PostgresError ?? .connect("unexpected error")
        }
    }

    /// Waits for the right to hold a session.
    ///
    /// - Returns: a session handed over by the task that had it, or nil: take an idle one or a new one.
    private func permit() async -> Permit {
        let ticket = state.withLock { state in
            state.tickets += 1
            return state.tickets
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in enqueue(waiter, ticket) }
        } onCancel: {
            let waiter = state.withLock { $0.waiters.removeValue(forKey: ticket) }
            waiter?.resume(returning: .failure(.interrupted(.cancelled, statement: nil)))
        }
    }

    private func enqueue(_ waiter: Waiter, _ ticket: Int) {
        let answer: Permit? = state.withLock { state in
            // The flag is set before the handler runs: between them, no cancellation is lost.
            if Task.isCancelled { return .failure(.interrupted(.cancelled, statement: nil)) }
            if state.isClosed { return .failure(.closed("pool")) }
            if state.free > 0 {
                state.free -= 1
                return .success(nil)
            }
            state.waiters[ticket] = waiter
            state.queue.append(ticket)
            return nil
        }
        if let answer { waiter.resume(returning: answer) }
    }

    private func giveBack(_ connection: PostgresConnection) async {
        if await connection.isReusable() {
            release(connection)
        } else {
            await connection.close()
            release(nil)
        }
    }

    /// Hands a session (or the right to open one) to who waits longest, else keeps it.
    private func release(_ connection: PostgresConnection?) {
        let (waiter, orphan) = state.withLock { state -> (Waiter?, PostgresConnection?) in
            while !state.queue.isEmpty {
                if let waiter = state.waiters.removeValue(forKey: state.queue.removeFirst()) {
                    return (waiter, nil)
                }
            }
            state.free += 1
            if state.isClosed { return (nil, connection) }
            if let connection { state.idle.append(connection) }
            return (nil, nil)
        }
        waiter?.resume(returning: .success(connection))
        // The last reference to `orphan` goes here, and its session with it.
        _ = orphan
    }
}
