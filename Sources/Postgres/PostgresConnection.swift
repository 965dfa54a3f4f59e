internal import CLibpq

/// One session with a server, on a thread of its own.
///
/// Its methods are synchronous inside its isolation, so that the body of a transaction is one block
/// into which nothing can slip. Connections come from a `PostgresPool`.
package actor PostgresConnection {
    private nonisolated let executor = ConnectionExecutor()
    private nonisolated let wakeup = Wakeup()
    nonisolated let configuration: PostgresConfiguration
    private var session: Session = .unopened
    /// Numbers cursors, so that one may be read inside another.
    var cursors = 0

    private enum Session {
        case unopened
        case open(Wire)
        case lost
        case closed
    }

    init(_ configuration: PostgresConfiguration) {
        self.configuration = configuration
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    // MARK: Statements

    /// Runs one statement with bound parameters.
    ///
    /// It is never repeated by itself. Cancelling the task cancels it on the server.
    ///
    /// - Parameter timeoutSeconds: instead of the configuration's; `.infinity` for none.
    /// - Throws: `server`, `cancelled`, `timeout`, `connectionLost`, `closed`, `usage`.
    @discardableResult
    package func query(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [],
        timeoutSeconds: Double? = nil
    ) throws(PostgresError) -> PostgresResult {
        let statement = PostgresStatement(sql, parameters)
        let patience = patience(.statement, for: sql, timeoutSeconds: timeoutSeconds)
        return try run(statement, patience).result
    }

    /// Runs a text of several statements without parameters: for migrations.
    ///
    /// Outside a transaction the server takes the whole text as one.
    package func execute(
        script: String, timeoutSeconds: Double? = nil
    ) throws(PostgresError) {
        var patience = patience(.statement, for: script, timeoutSeconds: timeoutSeconds)
        try begin(patience)
        let wire = try wire()
        defer { forgetIfBroken() }
        try wire.send(script: script, &patience)
        _ = try wire.collect(&patience)
    }

    // MARK: Life

    /// Opens the session. Called once, by the pool.
    func open() throws(PostgresError) {
        try checkCancellation()
        session = .open(try Wire(configuration, wakeup: wakeup))
    }

    /// Closes the session; a transaction that is open is rolled back by the server.
    package func close() {
        session = .closed
    }

    /// Ends the sleep of whoever waits for the server, to look whether the task was cancelled.
    nonisolated func wake() {
        wakeup.signal()
    }

    /// Whether the next one can have this session: open, alive, and in no transaction.
    func isReusable() -> Bool {
        guard case .open(let wire) = session else { return false }
        return wire.transactionStatus == PQTRANS_IDLE && !wire.hasHungUp()
    }
}

extension PostgresConnection {
    /// One statement from sending to its last result.
    func run(
        _ statement: PostgresStatement, _ patience: Patience
    ) throws(PostgresError) -> (result: PostgresResult, command: String) {
        var patience = patience
        try begin(patience)
        let parameters = try EncodedParameters(statement)
        let wire = try wire()
        defer { forgetIfBroken() }
        try wire.send(statement, parameters, &patience)
        guard let answer = try wire.collect(&patience) else {
            throw .usage("there is no statement in the text", statement: patience.statement)
        }
        return answer
    }

    func patience(
        _ kind: Patience.Kind, for sql: String, timeoutSeconds: Double? = nil
    ) -> Patience {
        Patience(
            kind, timeoutSeconds: timeoutSeconds ?? configuration.statementTimeoutSeconds,
            statement: label(of: sql))
    }

    /// A cancelled task starts nothing new; only what ends a transaction still goes out.
    func begin(_ patience: Patience) throws(PostgresError) {
        if patience.kind == .statement { try checkCancellation(patience.statement) }
    }

    private func checkCancellation(_ statement: String? = nil) throws(PostgresError) {
        if Task.isCancelled { throw .interrupted(.cancelled, statement: statement) }
    }

    func wire() throws(PostgresError) -> Wire {
        switch session {
        case .open(let wire): return wire
        case .lost: throw .connectionLost("it broke before")
        case .unopened, .closed: throw .closed("connection")
        }
    }

    /// Frees a broken session at once; what comes next finds it lost.
    func forgetIfBroken() {
        if case .open(let wire) = session, wire.isBroken { session = .lost }
    }
}
