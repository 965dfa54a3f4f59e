internal import Alerts
internal import Exact
internal import Ledger

/// The outbox of alerts, wired to the settings.
struct AlertDelivery: Sendable {
    let sender: AlertSender
    private let live: Live
    private let outbox: AlertOutbox
    private let routes: [AlertRoute]

    /// - Throws: `SettingsError` if a secret of a route cannot be read.
    init(_ live: Live) async throws {
        self.live = live
        outbox = AlertOutbox(pool: live.pool)
        routes = try live.settings.alertRoutes.map { try $0.withSecrets() }
        sender = try await Self.sender(live)
    }

    static func sender(_ live: Live) async throws -> AlertSender {
        let ledgerID = try await InvoiceStore(pool: live.pool).ledgerID()
        return AlertSender(
            http: live.http, source: "meterflow-\(ledgerID.prefix(8))",
            now: { Instant.now.unixSeconds })
    }

    /// One process at a time, so that routes' rates hold.
    ///
    /// - Parameter isStopping: asked before each message: whether to begin no more.
    /// - Throws: `LedgerError` (held) if another one is at it.
    func drain(
        isStopping: @escaping @Sendable () -> Bool
    ) async throws -> AlertSummary {
        try await Lease.with(
            RunCommand.SendAlerts.job.name, holder: Live.processName, pool: live.pool
        ) { _ in
            try await AlertRun(
                outbox: outbox, routes: routes, sender: sender, logger: live.logger
            ).drain(isStopping: isStopping)
        }
    }

    func backlog() async throws -> AlertOutbox.Backlog {
        try await outbox.backlog(routes: routes.map(\.name))
    }
}
