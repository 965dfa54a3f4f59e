internal import ArgumentParser
internal import Billing
internal import Hummingbird
internal import HummingbirdCore
internal import Ledger
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import UnixSignals

struct ServeCommand: StatusCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Receive Stripe's webhooks, and keep billing status up to date.",
        discussion: """
            Answers POST /webhooks/stripe, GET /healthz, /readyz and /metrics, without TLS, on this machine \
            only unless serve.host says otherwise: put a reverse proxy in front that passes on only \
            /webhooks/stripe. Stripe's list of events is read every few minutes as well, so nothing is \
            lost while this was away. SIGTERM ends it when what was begun is done.
            """)

    @OptionGroup var common: CommonOptions

    mutating func runToStatus() async throws -> ExitStatus {
        return try await Live.run(common, usesClickHouse: false, connections: 24) { live in
            let signature = WebhookSignature(secrets: try live.settings.requiredWebhookSecrets())
            let webhooks = try await Webhooks(live)
            let metrics = ServeMetrics()
            let service = WebhookService(
                webhooks, metrics: metrics, backfillSeconds: live.settings.backfillSeconds)
            let alerts = AlertService(
                delivery: try await AlertDelivery(live), history: RunHistory(pool: live.pool),
                logger: live.logger)
            let (host, port) = (live.settings.serveHost, live.settings.servePort)
            var logger = live.logger
            logger.logLevel = max(logger.logLevel, .warning)
            let server = Application(
                responder: WebhookResponder(
                    signature: signature, webhooks: webhooks, pool: live.pool, metrics: metrics,
                    jobMetrics: { try await Unattended.metrics(live) },
                    wake: { service.wake() }),
                server: .http1(configuration: Self.limits(live.settings.requestSeconds)),
                configuration: .init(
                    address: .hostname(host, port: port),
                    availableConnectionsDelegate: .maximum(512, logger: logger)),
                onServerRunning: { channel in
                    // For who started it; port 0 takes a free one.
                    try? printLine(
                        "jobs listens on http://\(host):\(channel.localAddress?.port ?? port)")
                },
                logger: logger)
            var group = ServiceGroupConfiguration(
                services: [service, alerts, server], gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger)
            group.maximumGracefulShutdownDuration = .seconds(25)
            do {
                try await ServiceGroup(configuration: group).run()
            } catch let error as IOError {
                throw Failure(
                    .configuration,
                    "port \(port) of \(host) cannot be listened on (\(error)); set serve.port or serve.host"
                )
            }
            return .done
        }
    }

    /// Headers of 16 KB, of which Stripe needs a fraction.
    private static func limits(_ requestSeconds: Int) -> HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestDeadline(.seconds(Int64(requestSeconds)))],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 64))
    }
}
