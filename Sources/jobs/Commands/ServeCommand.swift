internal import ArgumentParser
internal import Billing
internal import Exact
internal import Ledger
internal import Logging
internal import Postgres
internal import ServiceLifecycle
internal import UnixSignals

struct ServeCommand: StatusCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Receive Stripe's webhooks, keep billing status up to date, show a page.",
        discussion: """
            Answers POST /webhooks/stripe, GET /healthz, /readyz and /metrics, without TLS, on this machine \
            only unless serve.host says otherwise: put a reverse proxy in front that passes on only \
            /webhooks/stripe. Stripe's list of events is read every few minutes as well, so nothing is \
            lost while this was away. If page.port is set, people see there the month, its invoices, \
            anomalies and runs, on this machine only, and after signing in. SIGTERM ends it when what was \
            begun is done.
            """)

    @OptionGroup var common: CommonOptions
    @Flag(name: .long, help: "Only the page: Stripe is neither heard nor asked.")
    var onlyPage = false

    mutating func runToStatus() async throws -> ExitStatus {
        return try await Live.run(common, usesClickHouse: false, connections: 18) {
            [onlyPage] live in
            var services: [any Service] = []
            if !onlyPage { services += try await Self.webhooks(live) }
            if let page = try Self.page(live) {
                services.append(page)
            } else if onlyPage {
                throw SettingsError("page.port is not set; set it, and page.auth")
            }
            var logger = live.logger
            logger.logLevel = max(logger.logLevel, .warning)
            var group = ServiceGroupConfiguration(
                services: services, gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
            group.maximumGracefulShutdownDuration = .seconds(25)
            try await ServiceGroup(configuration: group).run()
            return .done
        }
    }

    /// What hears Stripe, and the loops beside it.
    private static func webhooks(_ live: Live) async throws -> [any Service] {
        let signature = WebhookSignature(secrets: try live.settings.requiredWebhookSecrets())
        let webhooks = try await Webhooks(live)
        let metrics = ServeMetrics(now: Instant.now.unixSeconds)
        let service = WebhookService(
            webhooks, metrics: metrics, history: RunHistory(pool: live.pool),
            backfillSeconds: live.settings.backfillSeconds)
        let alerts = AlertService(
            delivery: try await AlertDelivery(live), history: RunHistory(pool: live.pool),
            logger: live.logger)
        // A Postgres that hangs is told to Stripe while it listens, whatever the loops wait for.
        var answering = live
        let pool = try Live.pool(live.settings, live.logger, connections: 6, statementSeconds: 10)
        answering.pool = pool
        let listener = Listener(
            responder: WebhookResponder(
                signature: signature, live: answering, metrics: metrics, wake: { service.wake() }),
            host: live.settings.serveHost, port: live.settings.servePort,
            requestSeconds: live.settings.requestSeconds, name: "jobs",
            settings: "serve.port or serve.host", logger: live.logger,
            onEnd: { await pool.shutdown() })
        return [service, alerts, listener]
    }

    /// On this machine only: who may pass from elsewhere is for a proxy to say.
    private static func page(_ live: Live) throws -> (any Service)? {
        guard let (port, access) = try live.settings.requiredPage() else { return nil }
        var live = live
        // Those who look do not take the connections of those who pay.
        let pool = try Live.pool(live.settings, live.logger, connections: 4)
        live.pool = pool
        return Listener(
            responder: PageResponder(access: access, views: PageViews(live: live)),
            host: "127.0.0.1", port: port, requestSeconds: live.settings.requestSeconds,
            name: "the page", settings: "page.port", logger: live.logger,
            onEnd: { await pool.shutdown() })
    }
}
