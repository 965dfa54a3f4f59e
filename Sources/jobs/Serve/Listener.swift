internal import Hummingbird
internal import HummingbirdCore
internal import Logging
internal import NIOCore
internal import ServiceLifecycle

/// A server without TLS on one port.
struct Listener<Responder: HTTPResponder<BasicRequestContext>>: Service {
    let responder: Responder
    let host: String
    let port: Int
    /// How long a whole request may take to come.
    let requestSeconds: Int
    /// What listens, for who started it.
    let name: String
    /// Which settings say where.
    let settings: String
    let logger: Logger
    var onEnd: @Sendable () async -> Void = {}

    /// - Throws: `Failure` (configuration) if the port cannot be listened on.
    func run() async throws {
        var logger = logger
        logger.logLevel = max(logger.logLevel, .warning)
        let application = Application(
            responder: responder, server: .http1(configuration: limits),
            configuration: .init(
                address: .hostname(host, port: port),
                availableConnectionsDelegate: .maximum(512, logger: logger)),
            onServerRunning: { channel in
                // Port 0 takes a free one.
                try? printLine(
                    "\(name) listens on http://\(host):\(channel.localAddress?.port ?? port)")
            },
            logger: logger)
        let result: Result<Void, any Error>
        do {
            result = .success(try await application.run())
        } catch let error as IOError {
            result = .failure(
                Failure(
                    .configuration,
                    "port \(port) of \(host) cannot be listened on (\(error)); set \(settings)"))
        } catch {
            result = .failure(error)
        }
        await onEnd()
        try result.get()
    }

    /// Headers of 16 KB, of which Stripe needs a fraction.
    private var limits: HTTP1Channel.Configuration {
        HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestDeadline(.seconds(Int64(requestSeconds)))],
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 << 10, maxHeaderListSize: 16 << 10, maxHeaderFieldCount: 64))
    }
}
