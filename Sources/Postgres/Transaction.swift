internal import CLibpq

/// How much of others' work a transaction sees.
package enum PostgresIsolation: String, Sendable, CaseIterable {
    case readCommitted = "READ COMMITTED"
    case repeatableRead = "REPEATABLE READ"
    case serializable = "SERIALIZABLE"
}

extension PostgresConnection {
    /// What a COMMIT or ROLLBACK may take at the least, however short the statement time-out.
    private static let endingSeconds = 30.0

    /// Runs `body` between BEGIN and COMMIT; if it throws, ROLLBACK.
    ///
    /// The body is synchronous: no other task can use the connection until it has ended. Cancelling
    /// the task cancels the statement under way, never the COMMIT.
    ///
    /// - Throws: what `body` throws; `commitOutcomeUnknown` if the session died during COMMIT;
    ///   `usage` inside another transaction, or if `body` hid a failed statement.
    package func transaction<R: Sendable>(
        isolation: PostgresIsolation = .readCommitted, readOnly: Bool = false,
        _ body: @Sendable (isolated PostgresConnection) throws -> R
    ) throws -> R {
        try beginTransaction(isolation, readOnly: readOnly)
        let value: R
        do {
            value = try body(self)
        } catch {
            rollBack()
            throw error
        }
        try commit()
        return value
    }

    /// Whether a transaction is open, and has not failed.
    package var isInTransaction: Bool {
        (try? wire().transactionStatus) == PQTRANS_INTRANS
    }

    func beginTransaction(
        _ isolation: PostgresIsolation, readOnly: Bool
    ) throws(PostgresError) {
        guard try wire().transactionStatus == PQTRANS_IDLE else {
            throw .usage("a transaction is open already")
        }
        let mode = readOnly ? "READ ONLY" : "READ WRITE"
        try query("BEGIN ISOLATION LEVEL \(isolation.rawValue) \(mode)")
    }

    func commit() throws(PostgresError) {
        let wire = try wire()
        guard !wire.hasHungUp() else {
            // Nothing of the COMMIT was sent: this one is certain.
            forgetIfBroken()
            throw .connectionLost("before COMMIT; the transaction was rolled back")
        }
        switch wire.transactionStatus {
        case PQTRANS_INTRANS: break
        case PQTRANS_INERROR:
            rollBack()
            throw .usage("a statement of the transaction failed, and its body hid that")
        default:
            throw .usage("the transaction's body ended the transaction by itself")
        }
        do throws(PostgresError) {
            let command = try run(PostgresStatement("COMMIT"), ending("COMMIT")).command
            guard command == "COMMIT" else {
                throw PostgresError.usage("the server answered COMMIT with \(command)")
            }
        } catch {
            switch error.code {
            case .connectionLost, .timeout: throw .commitOutcomeUnknown(error)
            // transaction_resolution_unknown, statement_completion_unknown
            case .server("08007"), .server("40003"): throw .commitOutcomeUnknown(error)
            default: throw error
            }
        }
    }

    /// Ends a transaction that is not wanted; a session that cannot even do that is closed.
    func rollBack() {
        guard let wire = try? wire(), wire.transactionStatus != PQTRANS_IDLE else { return }
        do {
            _ = try run(PostgresStatement("ROLLBACK"), ending("ROLLBACK"))
        } catch {
            close()
        }
    }

    private func ending(_ sql: String) -> Patience {
        let seconds = configuration.statementTimeoutSeconds.map { max($0, Self.endingSeconds) }
        return patience(.uninterruptible, for: sql, timeoutSeconds: seconds ?? .infinity)
    }
}
