internal import ArgumentParser
internal import Glibc
internal import Hummingbird
internal import Logging
internal import NIOCore
internal import ServiceLifecycle
internal import StripeSimulation
internal import UnixSignals

@main
struct StripeSimulatorCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stripe-simulator",
        abstract: "A Stripe on this machine, for development and tests.",
        discussion: """
            Serves the part of Stripe's API that deals with invoices, as strictly as Stripe, on \
            127.0.0.1 only. No money moves and no mail is sent. Faults, the clock, webhooks and \
            counts of every effect are at /_sim/; Sources/StripeSimulation/README.md lists them.
            """)

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 12_111

    @Option(help: "A file that keeps everything over a restart; without it, in memory only.")
    var state: String?

    @Option(help: "A secret key that is let in; several are possible. Else sk_test_simulator.")
    var secretKey: [String] = []

    @Option(help: "The account's id.")
    var account = "acct_1SimulatorMeterFlow"

    @Flag(help: "Objects are of live mode.")
    var live = false

    @Flag(help: "Stripe's rate limits: 25 requests a second an endpoint, 100 in all.")
    var rateLimits = false

    @Option(help: "How long every answer takes, in milliseconds.")
    var latencyMs = 0

    @Option(help: "Where every event is sent.")
    var webhookUrl: String?

    @Option(help: "What signs the events that are sent there.")
    var webhookSecret: String?

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError("--port is a number from 0 to 65535.")
        }
        guard latencyMs >= 0 else { throw ValidationError("--latency-ms is not negative.") }
        guard (webhookUrl == nil) == (webhookSecret == nil) else {
            throw ValidationError("--webhook-url and --webhook-secret belong together.")
        }
        guard secretKey.allSatisfy({ !$0.isEmpty }) else {
            throw ValidationError("--secret-key is not empty.")
        }
    }

    func run() async throws {
        // A client that went away is an error of a write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        var settings = StripeSimulator.Settings(clock: wallClock)
        settings.secretKeys = secretKey
        if secretKey.isEmpty {
            settings.secretKeys = [live ? "sk_live_simulator" : "sk_test_simulator"]
        }
        settings.livemode = live
        settings.accountID = account
        settings.limits = rateLimits ? RateLimits() : nil
        settings.latencyMilliseconds = latencyMs
        settings.journalPath = state
        let simulator = try StripeSimulator(settings)
        if let webhookUrl, let webhookSecret {
            try simulator.register(url: webhookUrl, secret: webhookSecret)
        }
        var logger = Logger(label: "stripe-simulator")
        logger.logLevel = .error
        let server = Application(
            responder: SimulatorResponder(simulator: simulator),
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            onServerRunning: { channel in
                let port = channel.localAddress?.port ?? 0
                print("stripe-simulator listens on http://127.0.0.1:\(port)", terminator: "\n")
                fflush(nil)
            },
            logger: logger)
        var group = ServiceGroupConfiguration(
            services: [server, WebhookSender(simulator: simulator)],
            gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
        // Answers that are held back must not hold back the end.
        group.maximumGracefulShutdownDuration = .seconds(1)
        do {
            try await ServiceGroup(configuration: group).run()
        } catch is CancellationError {
            return
        } catch let error as IOError {
            throw StartFailure(
                description: "Port \(port) of 127.0.0.1 cannot be listened on (\(error)). Take "
                    + "another with --port.")
        }
    }
}

/// Why the simulator did not start.
struct StartFailure: Error, CustomStringConvertible {
    let description: String
}

/// Milliseconds since 1970.
private func wallClock() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}
