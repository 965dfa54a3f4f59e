package import Exact
package import Postgres

/// Where alerts go out: each is told to its routes at least once, and in order.
///
/// Whoever sends a message takes it with a token, and every later write names the token. What was taken and not
/// settled is due again after a while.
package struct AlertOutbox: Sendable {
    private let pool: PostgresPool

    /// How long a message stays with whoever took it, in seconds: longer than sending may take.
    package static let takenSeconds = 120.0

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// By the ledger's clock.
    package func now() async throws -> Instant {
        guard let row = try await pool.query(SQL.alertNow).rows.first else {
            preconditionFailure("a clock always has a time")
        }
        return Instant(milliseconds: try row.decode("now_ms"))
    }

    /// Writes down which routes have to hear of alerts that are new, acknowledged or resolved.
    ///
    /// - Returns: how many alerts there were.
    package func route(
        limit: Int = 100, _ routes: @escaping @Sendable (RoutedAlert) -> [String]
    ) async throws -> Int {
        try await pool.transaction { connection in
            let rows = try connection.query(SQL.alertsUnrouted, [limit]).rows
            for row in rows {
                let alert = try RoutedAlert(row)
                for route in routes(alert) {
                    for action in alert.actions {
                        _ = try connection.query(
                            SQL.alertDeliveryAdd,
                            [alert.id, alert.round, route, action.rawValue])
                    }
                }
                _ = try connection.query(SQL.alertRouted, [alert.id])
            }
            return rows.count
        }
    }

    /// What a route may be told, and when.
    package struct Pace: Sendable {
        /// How many alerts one message may tell of.
        package var mostNotes = 1
        /// Whether only what is critical may go now.
        package var isQuiet = false
        /// For so long a route hears of a kind and subject once.
        package var cooldownSeconds: Int64 = 0
        /// For so long what is not critical is gathered.
        package var digestSeconds: Int64 = 0
        package var messagesPerHour = 60

        package init() {}
    }

    /// Makes the next message of a route, if there is anything to tell now.
    package func compose(_ route: String, _ pace: Pace) async throws -> Bool {
        try await !pool.query(
            SQL.alertCompose,
            [
                route, pace.mostNotes, pace.isQuiet, pace.cooldownSeconds, pace.digestSeconds,
                pace.messagesPerHour,
            ]
        ).rows.isEmpty
    }

    package func take(_ route: String) async throws -> AlertMessage? {
        let rows = try await pool.query(SQL.alertTake, [route, Self.takenSeconds]).rows
        guard let row = rows.first else { return nil }
        let id: Int64 = try row.decode("message_id")
        return AlertMessage(
            id: id, createdAt: Instant(milliseconds: try row.decode("created_ms")),
            notes: try await pool.query(SQL.alertNotes, [id]).rows.map(AlertNote.init),
            attempts: try row.decode("attempts"), token: try row.decode("token"))
    }

    package func settle(_ message: AlertMessage) async throws {
        try await pool.query(SQL.alertDelivered, [message.id, message.token])
    }

    package func postpone(_ message: AlertMessage, seconds: Int, note: String) async throws {
        try await pool.query(SQL.alertPostpone, [message.id, message.token, seconds, note])
    }

    /// Gives a message up until a person has looked.
    package func bury(_ message: AlertMessage, reason: String) async throws {
        try await pool.query(SQL.alertBury, [message.id, message.token, reason])
    }

    package struct Backlog: Sendable {
        /// Alerts for which no routes were chosen yet.
        package let unrouted: Int
        /// Deliveries that wait, and those of them whose route is not configured any more.
        package let waiting: Int
        package let stranded: Int
        package let oldestSeconds: Int
        package let deadLetters: Int
    }

    package func backlog(routes: [String]) async throws -> Backlog {
        guard
            let row = try await pool.query(SQL.alertBacklog, [routes], timeoutSeconds: 5).rows.first
        else { preconditionFailure("counts are one row") }
        return Backlog(
            unrouted: try row.decode("unrouted"), waiting: try row.decode("waiting"),
            stranded: try row.decode("stranded"), oldestSeconds: try row.decode("oldest_seconds"),
            deadLetters: try row.decode("dead_letters"))
    }
}

/// An alert for which routes are chosen.
package struct RoutedAlert: Sendable {
    package let id: Int64
    package let round: Int
    package let kind: String
    package let severity: Alert.Severity
    package let customerID: String?
    package let job: String?
    let actions: [AlertNote.Action]

    fileprivate init(_ row: PostgresRow) throws {
        id = try row.decode("alert_id")
        round = try row.decode("round")
        kind = try row.decode("kind")
        severity = try Alert.Severity(row)
        customerID = try row.decode("customer_id")
        job = try row.decode("job")
        // What was resolved before anybody heard of it is still told.
        actions =
            switch try row.decode("state", as: String.self) {
            case "acknowledged": [.trigger, .acknowledge]
            case "resolved": [.trigger, .resolve]
            default: [.trigger]
            }
    }
}

/// What goes out as one. Its number is the same however often it is tried.
package struct AlertMessage: Sendable {
    package let id: Int64
    package let createdAt: Instant
    package let notes: [AlertNote]
    /// How often it was taken, this time included.
    package let attempts: Int
    let token: Int64

    package init(
        id: Int64, createdAt: Instant, notes: [AlertNote], attempts: Int = 1, token: Int64 = 0
    ) {
        self.id = id
        self.createdAt = createdAt
        self.notes = notes
        self.attempts = attempts
        self.token = token
    }
}

/// What a message says of an alert.
package struct AlertNote: Sendable {
    package enum Action: String, Sendable, CaseIterable {
        case trigger, acknowledge, resolve
    }

    package let action: Action
    package let alert: Alert
    package let at: Instant

    package init(action: Action, alert: Alert, at: Instant) {
        self.action = action
        self.alert = alert
        self.at = at
    }

    fileprivate init(_ row: PostgresRow) throws {
        guard let action = Action(rawValue: try row.decode("action")) else {
            preconditionFailure("checked by the schema")
        }
        self.action = action
        at = Instant(milliseconds: try row.decode("at_ms"))
        alert = Alert(
            key: try row.decode("key"), kind: try row.decode("kind"),
            severity: try Alert.Severity(row), subject: try row.decode("subject"),
            body: try row.decode("body"))
    }
}

extension Alert.Severity {
    init(_ row: PostgresRow) throws {
        guard let severity = Self(rawValue: try row.decode("severity")) else {
            preconditionFailure("checked by the schema")
        }
        self = severity
    }
}
