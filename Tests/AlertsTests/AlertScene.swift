import Alerts
import Exact
import Ledger
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing

/// Services that write down what they take, and fail when they are told to.
final class RecordingServices: AlertSending {
    struct Taken: Sendable {
        let route: String
        let message: Int64
        /// `trigger key`, and so on.
        let notes: [String]
        let bodies: [String]
    }

    private let state = Mutex((taken: [Taken](), failure: AlertFailure?.none))

    var taken: [Taken] { state.withLock { $0.taken } }

    func fail(with failure: AlertFailure?) { state.withLock { $0.failure = failure } }

    func send(_ message: AlertMessage, to route: AlertRoute) async throws -> String? {
        try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.taken.append(
                Taken(
                    route: route.name, message: message.id,
                    notes: message.notes.map { "\($0.action.rawValue) \($0.alert.key)" },
                    bodies: message.notes.map(\.alert.body)))
        }
        return nil
    }

    /// What was told, message by message, and forgets it.
    func takeAll() -> [[String]] {
        state.withLock { state in
            defer { state.taken = [] }
            return state.taken.map(\.notes)
        }
    }
}

/// A ledger with alerts, and routes.
struct AlertScene: Sendable {
    let pool: PostgresPool
    let services = RecordingServices()

    var outbox: AlertOutbox { AlertOutbox(pool: pool) }

    func raise(
        _ keys: String..., kind: String = "k", severity: Alert.Severity = .warning,
        subject: String = "s", body: String = "{}"
    ) async throws {
        for key in keys {
            try await AlertStore(pool: pool).raise(
                Alert(key: key, kind: kind, severity: severity, subject: subject, body: body))
        }
    }

    func resolve(_ key: String) async throws {
        try await AlertStore(pool: pool).resolve(key: key)
    }

    func acknowledge(_ key: String) async throws {
        try await pool.transaction { try AlertStore.acknowledge(key: key, by: "ann", on: $0) }
    }

    func advance(seconds: Int) async throws {
        try await pool.query(
            "UPDATE test_clock SET ahead = ahead + $1::float8 * interval '1 second'", [seconds])
    }

    /// Sets the ledger's clock to a time of day, of a day that is always later.
    func setClock(hour: Int) async throws {
        try await pool.query(
            """
            UPDATE test_clock SET ahead = date_trunc('day', ledger_clock() AT TIME ZONE 'UTC')
                + interval '1 day' + $1::float8 * interval '1 hour'
                - clock_timestamp() AT TIME ZONE 'UTC'
            """, [hour])
    }

    @discardableResult
    func run(
        _ routes: [AlertRoute],
        reached: @escaping @Sendable (AlertRun.Point) throws -> Void = { _ in }
    ) async throws -> AlertSummary {
        try await AlertRun(
            outbox: outbox, routes: routes, sender: services,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, reached: reached
        ).drain()
    }

    func values(_ sql: String) async throws -> [String] {
        try await pool.query(sql).rows.map { try $0.decode("value") }
    }
}

func withAlerts(_ body: (AlertScene) async throws -> Void) async throws {
    try await withLedgerPool { try await body(AlertScene(pool: $0)) }
}

extension AlertRoute {
    /// Machines read one alert at a time, people several.
    static func machine(_ name: String = "machine") -> AlertRoute {
        AlertRoute(name: name, channel: .file(path: "/nowhere"))
    }

    static func people(_ name: String = "people") -> AlertRoute {
        AlertRoute(name: name, channel: .slack(url: "https://slack.invalid"))
    }
}
