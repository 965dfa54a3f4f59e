internal import CLibpq
internal import Glibc

/// The one owner of a `PGconn`: opens it, waits for it, closes it.
///
/// Everything is non-blocking on libpq's side; the only place that sleeps is `pause`.
final class Wire {
    let connection: OpaquePointer
    private let wakeup: Wakeup
    private let notices: NoticeReceiver
    /// Set once the session can no longer be used, whatever `PQstatus` says.
    private(set) var isBroken = false

    /// Opens a session.
    ///
    /// - Throws: `usage` for the URL, `connect`, `authentication`, `timeout`, `cancelled`.
    init(_ configuration: PostgresConfiguration, wakeup: Wakeup) throws(PostgresError) {
        let settings = try ConnectionSettings(configuration)
        guard let connection = Self.start(settings.keywords) else {
            throw .connect("out of memory")
        }
        self.connection = connection
        self.wakeup = wakeup
        notices = NoticeReceiver(configuration.noticeHandler)
        // From here on deinit calls PQfinish, also when what follows throws.
        PQsetNoticeReceiver(
            connection, { NoticeReceiver.receive($0, $1) },
            Unmanaged.passUnretained(notices).toOpaque())
        // A failed login has no result to read an SQLSTATE from; the verbose message has it.
        _ = PQsetErrorVerbosity(connection, PQERRORS_VERBOSE)
        let timeout = settings.connectTimeoutSeconds
        var patience = Patience(
            .connect, timeoutSeconds: timeout > 0 ? Double(timeout) : nil, statement: nil)
        try connect(settings, &patience)
        _ = PQsetErrorVerbosity(connection, PQERRORS_DEFAULT)
        guard PQsetnonblocking(connection, 1) == 0 else { throw lost(nil) }
        try prepareSession(&patience)
    }

    deinit {
        PQfinish(connection)
    }

    private static func start(_ keywords: [(String, String)]) -> OpaquePointer? {
        let names = keywords.map { strdup($0.0) }
        let values = keywords.map { strdup($0.1) }
        defer {
            for copy in names + values { free(copy) }
        }
        return PQconnectStartParams(
            names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
    }

    private func connect(
        _ settings: ConnectionSettings, _ patience: inout Patience
    ) throws(PostgresError) {
        var progress = PGRES_POLLING_WRITING
        while PQstatus(connection) != CONNECTION_BAD, progress != PGRES_POLLING_FAILED {
            if progress == PGRES_POLLING_OK { return }
            _ = try pause(until: progress == PGRES_POLLING_READING ? POLLIN : POLLOUT, &patience)
            progress = PQconnectPoll(connection)
        }
        throw loginError(settings)
    }

    private func loginError(_ settings: ConnectionSettings) -> PostgresError {
        isBroken = true
        let text = settings.withoutSecrets(String(cString: PQerrorMessage(connection)))
        let lines = text.split(whereSeparator: \.isNewline)
        let message = lines.filter { !$0.hasPrefix("LOCATION:") }.joined(separator: " ")
        var error = PostgresError.connect(message)
        if let match = message.firstMatch(of: #/:  ([0-9A-Z]{5}): /#) {
            error.sqlState = String(match.1)
        }
        if error.sqlState?.hasPrefix("28") == true || PQconnectionNeedsPassword(connection) == 1 {
            error.code = .authentication
        }
        return error
    }

    /// What the decoders rely on; whatever the role, the database or the URL prefer.
    private func prepareSession(_ patience: inout Patience) throws(PostgresError) {
        let script = """
            SET bytea_output = 'hex'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; \
            SET TimeZone = 'UTC'; SET extra_float_digits = 1; SET standard_conforming_strings = on
            """
        try send(script: script, &patience)
        _ = try collect(&patience)
    }

    // MARK: State

    var transactionStatus: PGTransactionStatusType {
        isBroken ? PQTRANS_UNKNOWN : PQtransactionStatus(connection)
    }

    /// Looks, without a round trip, whether the server hung up while nobody was listening.
    func hasHungUp() -> Bool {
        if isBroken || PQstatus(connection) == CONNECTION_BAD { return true }
        var socket = pollfd(fd: PQsocket(connection), events: Int16(POLLIN), revents: 0)
        while poll(&socket, 1, 0) > 0 {
            guard PQconsumeInput(connection) == 1 else {
                isBroken = true
                return true
            }
            // Reads what there is, a FATAL included; then the end shows as BAD.
            _ = PQisBusy(connection)
            if PQstatus(connection) == CONNECTION_BAD { break }
        }
        isBroken = isBroken || PQstatus(connection) == CONNECTION_BAD
        return isBroken
    }

    func lost(_ statement: String?) -> PostgresError {
        isBroken = true
        let text = String(cString: PQerrorMessage(connection))
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init)
        return .connectionLost(line ?? "the server hung up", statement: statement)
    }

    func markBroken() {
        isBroken = true
    }

    // MARK: Waiting

    /// Sleeps until the socket is ready, the deadline has passed, or the task is cancelled.
    ///
    /// In the latter two cases the server is asked to cancel, once, and gets a grace period to say
    /// that it did; the session that does not is given up.
    ///
    /// - Returns: what `poll` found on the socket.
    func pause(until events: Int32, _ patience: inout Patience) throws(PostgresError) -> Int32 {
        while true {
            if let reason = patience.reasonToStop { try stop(for: reason, &patience) }
            let socket = PQsocket(connection)
            guard socket >= 0 else { throw lost(patience.statement) }
            var ready = [
                pollfd(fd: socket, events: Int16(events), revents: 0),
                pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&ready, 2, patience.sleep) > 0 else { continue }
            if ready[1].revents != 0 { wakeup.drain() }
            if ready[0].revents != 0 { return Int32(ready[0].revents) }
        }
    }

    private func stop(
        for reason: PostgresError.Code, _ patience: inout Patience
    ) throws(PostgresError) {
        guard patience.kind == .statement, patience.interruption == nil else {
            isBroken = true
            throw .interrupted(
                patience.interruption?.reason ?? reason, statement: patience.statement)
        }
        cancel(for: reason, &patience)
    }

    /// Asks the server to cancel what it does; the exchange then has its grace period to end.
    func cancel(for reason: PostgresError.Code, _ patience: inout Patience) {
        guard patience.interruption == nil else { return }
        let request = CancelRequest(PQgetCancel(connection))
        request.send(thenSignal: wakeup)
        patience.interrupted(for: reason, by: request)
    }

    /// Waits for a cancel request that is still under way, so that it cannot hit what comes next.
    func settle(_ patience: Patience) {
        guard let request = patience.interruption?.request else { return }
        let end = ContinuousClock.now + Patience.grace
        while !request.isFinished, !isBroken {
            guard .now < end else {
                isBroken = true
                return
            }
            var ready = pollfd(fd: wakeup.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&ready, 1, 100) > 0 { wakeup.drain() }
        }
    }
}

/// Takes NOTICEs from libpq, which would print them.
private final class NoticeReceiver {
    private let handler: @Sendable (PostgresNotice) -> Void

    init(_ handler: @escaping @Sendable (PostgresNotice) -> Void) {
        self.handler = handler
    }

    static func receive(_ context: UnsafeMutableRawPointer?, _ result: OpaquePointer?) {
        guard let context, let result else { return }
        let receiver = Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue()
        receiver.handler(
            PostgresNotice(
                severity: ResultHandle.field(.severity, of: result) ?? "NOTICE",
                sqlState: ResultHandle.field(.sqlState, of: result) ?? "00000",
                message: ResultHandle.field(.message, of: result) ?? ""))
    }
}
