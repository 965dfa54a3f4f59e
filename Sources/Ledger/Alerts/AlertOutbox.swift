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
    /// What becomes of an alert is told to those who were told of it, whatever they would choose now.
    ///
    /// - Parameters:
    ///   - routes: all that are configured; others are told nothing more.
    ///   - accepting: those that an alert is news for.
    /// - Returns: how many alerts there were.
    package func route(
        limit: Int = 100, among routes: [String],
        accepting: @escaping @Sendable (RoutedAlert) -> [String]
    ) async throws -> Int {
        try await pool.transaction { connection in
            let rows = try connection.query(SQL.alertsUnrouted, [limit]).rows
            for row in rows {
                let alert = try RoutedAlert(row)
                let new = alert.isNew ? accepting(alert) : []
                var deliveries = new.map { (route: $0, action: AlertNote.Action.trigger) }
                if let outcome = alert.outcome {
                    let told = alert.told.filter { routes.contains($0) && !new.contains($0) }
                    deliveries += (new + told).map { (route: $0, action: outcome) }
                }
                for delivery in deliveries {
                    _ = try connection.query(
                        SQL.alertDeliveryAdd,
                        [alert.id, alert.round, delivery.route, delivery.action.rawValue])
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
        /// Of what is not critical.
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

    /// - Parameter note: who did not get it, in words.
    package func settle(_ message: AlertMessage, note: String? = nil) async throws {
        try await pool.query(SQL.alertDelivered, [message.id, message.token, note])
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
        /// Those routes, in words.
        package let strandedRoutes: String?
        /// How long the oldest of all of this waits.
        package let oldestSeconds: Int
        package let deadLetters: Int
    }

    package func backlog(routes: [String]) async throws -> Backlog {
        guard
            let row = try await pool.query(SQL.alertBacklog, [routes], timeoutSeconds: 5).rows.first
        else { preconditionFailure("counts are one row") }
        return Backlog(
            unrouted: try row.decode("unrouted"), waiting: try row.decode("waiting"),
            stranded: try row.decode("stranded"),
            strandedRoutes: try row.decode("stranded_routes"),
            oldestSeconds: try row.decode("oldest_seconds"),
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
    /// Those that raise it.
    package let jobs: [String]
    /// Whether no route was chosen for this round.
    let isNew: Bool
    /// The routes that heard of it, and not that it is over.
    let told: [String]
    /// What became of it. What was resolved before anybody heard of it is still told.
    let outcome: AlertNote.Action?

    fileprivate init(_ row: PostgresRow) throws {
        id = try row.decode("alert_id")
        round = try row.decode("round")
        kind = try row.decode("kind")
        severity = try Alert.Severity(row)
        customerID = try row.decode("customer_id")
        let job = try row.decode("job", as: String?.self)
        jobs = job.map { [$0] } ?? Alert.jobs[kind] ?? []
        isNew = try row.decode("is_new")
        let told = try row.decode("told", as: String?.self)
        self.told = told?.split(separator: ",").map(String.init) ?? []
        outcome =
            switch try row.decode("state", as: String.self) {
            case "acknowledged": .acknowledge
            case "resolved": .resolve
            default: nil
            }
    }
}

/// What goes out as one. Its number and contents are the same however often it is tried.
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
