internal import CLibpq

extension PostgresConnection {
    /// Sends all statements at once and waits once: for many small writes.
    ///
    /// Outside a transaction they are one: all or nothing. The answers are held in memory, so a long
    /// list is cut by the caller.
    ///
    /// - Returns: one result a statement, in their order.
    /// - Throws: the first failure, with its place in the list; `commitOutcomeUnknown` if the session
    ///   died outside a transaction.
    package func pipeline(
        _ statements: [PostgresStatement], timeoutSeconds: Double? = nil
    ) throws(PostgresError) -> [PostgresResult] {
        guard let first = statements.first else { return [] }
        var patience = patience(.statement, for: first.sql, timeoutSeconds: timeoutSeconds)
        try begin(patience)
        var encoded: [EncodedParameters] = []
        for statement in statements { encoded.append(try EncodedParameters(statement)) }
        let wire = try wire()
        let commits = wire.transactionStatus == PQTRANS_IDLE
        defer { forgetIfBroken() }
        return try wire.pipeline(statements, encoded, commits: commits, &patience)
    }
}

extension Wire {
    func pipeline(
        _ statements: [PostgresStatement], _ parameters: [EncodedParameters], commits: Bool,
        _ patience: inout Patience
    ) throws(PostgresError) -> [PostgresResult] {
        guard PQenterPipelineMode(connection) == 1 else { throw refusal(patience.statement) }
        var results: [PostgresResult] = []
        var outcome = Outcome()
        var isSynced = false
        do throws(PostgresError) {
            for (statement, parameters) in zip(statements, parameters) {
                try send(statement, parameters, &patience)
            }
            guard PQpipelineSync(connection) == 1 else { throw refusal(patience.statement) }
            isSynced = true
            results = try collect(statements, &outcome, &patience)
        } catch {
            // In the middle of a pipeline there is no way back to a known state.
            markBroken()
            outcome.note(error)
        }
        if !isBroken, PQexitPipelineMode(connection) != 1 { markBroken() }
        do throws(PostgresError) {
            try finish(outcome, patience)
        } catch {
            // Without the sync point the server commits nothing.
            throw commits && isSynced && isBroken ? .commitOutcomeUnknown(error) : error
        }
        return results
    }

    /// Takes results up to the sync point; a nil ends each statement's.
    ///
    /// A deferred constraint fails behind the last statement, with a nil of its own.
    private func collect(
        _ statements: [PostgresStatement], _ outcome: inout Outcome, _ patience: inout Patience
    ) throws(PostgresError) -> [PostgresResult] {
        var results: [PostgresResult] = []
        var position = 0
        while position <= statements.count + 1 {
            guard let result = try nextResult(&patience) else {
                position += 1
                continue
            }
            switch result.status {
            case PGRES_PIPELINE_SYNC: return results
            case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                results.append(result.copied(statement: name(of: position, in: statements)))
            case PGRES_PIPELINE_ABORTED: continue
            case PGRES_FATAL_ERROR:
                var error = failure(of: result, patience)
                error.statement = name(of: position, in: statements)
                outcome.note(error)
            default:
                throw .usage(
                    "a pipeline cannot hold this statement",
                    statement: name(of: position, in: statements))
            }
        }
        throw lost(patience.statement)
    }

    private func name(of position: Int, in statements: [PostgresStatement]) -> String {
        guard position < statements.count else { return "(the end of a pipeline)" }
        let name = label(of: statements[position].sql)
        return "\(name) (\(position + 1) of \(statements.count) in a pipeline)"
    }
}
