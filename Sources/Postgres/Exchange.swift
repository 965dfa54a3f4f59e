internal import CLibpq
internal import Glibc

/// Sending statements and taking their results, on libpq's non-blocking side.
extension Wire {
    // MARK: Sending

    /// Hands a statement with bound parameters to libpq, and sends what the socket takes.
    func send(
        _ statement: PostgresStatement, _ parameters: EncodedParameters, _ patience: inout Patience
    ) throws(PostgresError) {
        let sent = parameters.withPointers { count, types, values, lengths, formats in
            PQsendQueryParams(
                connection, statement.sql, count, types, values, lengths, formats, 0)
        }
        guard sent == 1 else { throw refusal(patience.statement) }
    }

    /// Sends several statements as one text.
    func send(script: String, _ patience: inout Patience) throws(PostgresError) {
        guard PQsendQuery(connection, script) == 1 else { throw refusal(patience.statement) }
        try flush(&patience)
    }

    /// Why libpq would not send: a dead connection, or a call that it does not allow.
    func refusal(_ statement: String?) -> PostgresError {
        if PQstatus(connection) == CONNECTION_BAD { return lost(statement) }
        let text = String(cString: PQerrorMessage(connection))
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init)
        return .usage(line ?? "libpq refuses the statement", statement: statement)
    }

    /// Empties libpq's output buffer, reading meanwhile, so that two full pipes cannot lock.
    func flush(_ patience: inout Patience) throws(PostgresError) {
        while true {
            switch PQflush(connection) {
            case 0: return
            case 1:
                let ready = try pause(until: POLLIN | POLLOUT, &patience)
                if ready & ~POLLOUT != 0 { try consume(patience) }
            default: throw lost(patience.statement)
            }
        }
    }

    func consume(_ patience: Patience) throws(PostgresError) {
        guard PQconsumeInput(connection) == 1 else { throw lost(patience.statement) }
    }

    // MARK: Receiving

    /// The next result, or nil at the end of a statement's results.
    func nextResult(_ patience: inout Patience) throws(PostgresError) -> ResultHandle? {
        try flush(&patience)
        while PQisBusy(connection) == 1 {
            _ = try pause(until: POLLIN, &patience)
            try consume(patience)
        }
        guard let pointer = PQgetResult(connection) else { return nil }
        return ResultHandle(pointer: pointer)
    }

    /// Takes all results of what was sent; the last one counts.
    ///
    /// After an error it reads on to the end, so that the session can be used again.
    ///
    /// - Returns: the last result and its command, nil if the text held no statement.
    func collect(
        _ patience: inout Patience
    ) throws(PostgresError) -> (result: PostgresResult, command: String)? {
        var outcome = Outcome()
        var answer: (PostgresResult, String)?
        do throws(PostgresError) {
            while let result = try nextResult(&patience) {
                switch result.status {
                case PGRES_COMMAND_OK, PGRES_TUPLES_OK:
                    answer = (result.copied(statement: patience.statement ?? ""), result.command)
                case PGRES_EMPTY_QUERY:
                    continue
                case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                    outcome.note(
                        .usage("COPY needs copyIn or copyOut", statement: patience.statement))
                    try leaveCopy(result.status, &patience)
                default:
                    outcome.note(failure(of: result, patience))
                }
            }
        } catch {
            outcome.note(error)
        }
        try finish(outcome, patience)
        return answer
    }

    /// The first error of an exchange; later ones are its consequences.
    struct Outcome {
        private(set) var error: PostgresError?

        mutating func note(_ error: PostgresError) {
            if self.error == nil { self.error = error }
        }
    }

    /// What a failed result says; a session that it ends is broken.
    func failure(of result: borrowing ResultHandle, _ patience: Patience) -> PostgresError {
        if result.isFatal { markBroken() }
        var error = result.error(statement: patience.statement)
        // 57014 is query_canceled: if we asked for it, the reason is ours to name.
        if error.sqlState == "57014", let reason = patience.interruption?.reason {
            error = .interrupted(reason, statement: patience.statement)
            error.sqlState = "57014"
        }
        return error
    }

    /// Ends an exchange: nothing of it is under way any more, and its first error is thrown.
    func finish(_ outcome: Outcome, _ patience: Patience) throws(PostgresError) {
        settle(patience)
        if PQstatus(connection) == CONNECTION_BAD { markBroken() }
        guard var error = outcome.error else { return }
        if isBroken, case .server = error.code { error.code = .connectionLost }
        throw error
    }

    /// A COPY that nobody serves is ended, so that the session does not hang in it.
    private func leaveCopy(
        _ status: ExecStatusType, _ patience: inout Patience
    ) throws(PostgresError) {
        if status == PGRES_COPY_IN {
            _ = PQputCopyEnd(connection, "not served")
            try flush(&patience)
        } else {
            markBroken()
            throw lost(patience.statement)
        }
    }
}
