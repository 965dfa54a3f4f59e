internal import Billing
internal import Exact
internal import HTTPTypes
internal import Hummingbird
internal import Ledger
internal import Logging
internal import NIOCore
internal import Postgres
internal import Synchronization

/// Answers Stripe, and those who ask whether the process is well.
///
/// An event is answered when it is committed, and not before. Callers are told nothing of why they are
/// refused; the counters are.
struct WebhookResponder: HTTPResponder {
    typealias Context = BasicRequestContext

    let signature: WebhookSignature
    let inbox: WebhookInbox
    let records: WebhookRecords
    let pool: PostgresPool
    let metrics: ServeMetrics
    let logger: Logger
    /// What the ledger says; throws if Postgres is away.
    let jobMetrics: @Sendable () async throws -> [LedgerMetrics.Sample]
    /// Called when there is something new to work on.
    let wake: @Sendable () -> Void
    private let bodies = BodyLimit()

    static let maximumBodyBytes = 1 << 20

    /// - Parameter live: its pool waits no longer than a caller does.
    init(
        signature: WebhookSignature, live: Live, metrics: ServeMetrics,
        wake: @escaping @Sendable () -> Void
    ) {
        self.signature = signature
        inbox = WebhookInbox(store: WebhookStore(pool: live.pool))
        records = WebhookRecords(pool: live.pool)
        pool = live.pool
        self.metrics = metrics
        jobMetrics = { try await Unattended.metrics(live) }
        logger = live.logger
        self.wake = wake
    }

    func respond(to request: Request, context: Context) async throws -> Response {
        switch (request.method, request.uri.path) {
        case (.post, "/webhooks/stripe"): await receive(request)
        case (.get, "/healthz"): Self.text(.ok, "ok\n")
        case (.get, "/readyz"): await readiness()
        case (.get, "/metrics"): await metricsPage()
        case (_, "/webhooks/stripe"): notAllowed("POST")
        case (_, "/healthz"), (_, "/readyz"), (_, "/metrics"): notAllowed("GET")
        default: refuse(.notFound, "unknown_path")
        }
    }

    // MARK: Stripe

    private func receive(_ request: Request) async -> Response {
        let announced = request.headers[.contentLength].flatMap { Int($0) }
        guard announced ?? 0 <= Self.maximumBodyBytes else {
            return refuse(.contentTooLarge, "too_large")
        }
        let header = Self.signatureHeader(request)
        do throws(WebhookRefusal) {
            try WebhookSignature.check(header: header)
        } catch {
            return refuse(.badRequest, error.rawValue)
        }
        var body: [UInt8] = []
        defer { bodies.leave(body.count) }
        do {
            for try await part in request.body {
                guard body.count + part.readableBytes <= Self.maximumBodyBytes else {
                    return refuse(.contentTooLarge, "too_large")
                }
                // What is only announced takes no room.
                guard bodies.enter(part.readableBytes) else {
                    return refuse(.serviceUnavailable, "busy")
                }
                body += part.readableBytesView
            }
        } catch {
            return refuse(.badRequest, "broken_off")
        }
        let event: ReceivedEvent
        do throws(WebhookRefusal) {
            try signature.verify(header: header, body: body, now: Instant.now.unixSeconds)
            event = try ReceivedEvent(payload: body)
        } catch {
            return refuse(.badRequest, error.rawValue)
        }
        do {
            let isNew = try await inbox.insert(event)
            metrics.add(.request(isNew ? "new" : "duplicate"))
            if isNew { wake() }
            return Response(status: .ok)
        } catch {
            logger.error(
                "an event is not kept", metadata: ["event": "\(event.id)", "error": "\(error)"])
            metrics.add(.request("unavailable"))
            return Response(status: .serviceUnavailable)
        }
    }

    /// Two headers would be two answers to who signed: neither counts.
    private static func signatureHeader(_ request: Request) -> String? {
        guard let name = HTTPField.Name("Stripe-Signature") else { return nil }
        let values = request.headers[values: name]
        return values.count == 1 ? values[0] : nil
    }

    private func refuse(_ status: HTTPResponse.Status, _ cause: String) -> Response {
        if let count = metrics.refuse(cause) {
            logger.warning("refused", metadata: ["cause": "\(cause)", "count": "\(count)"])
        }
        return Response(status: status)
    }

    private func notAllowed(_ method: String) -> Response {
        var response = refuse(.methodNotAllowed, "wrong_method")
        response.headers[.allow] = method
        return response
    }

    // MARK: Operators

    private func readiness() async -> Response {
        do {
            let state = try await LedgerSchema.migrator.state(on: pool)
            guard let problem = SchemaCheck.problem(state) else { return Self.text(.ok, "ready\n") }
            return Self.text(.serviceUnavailable, "Postgres: \(problem)\n")
        } catch {
            return Self.text(.serviceUnavailable, "Postgres cannot be reached\n")
        }
    }

    private func metricsPage() async -> Response {
        let backlog = try? await records.backlog()
        var samples = metrics.samples
        samples.append(.init("meterflow_postgres_up", backlog == nil ? 0 : 1))
        if let backlog {
            samples += [
                .init("meterflow_webhook_pending", backlog.pending),
                .init("meterflow_webhook_oldest_pending_seconds", backlog.oldestSeconds),
                .init("meterflow_webhook_dead_letters", backlog.deadLetters),
            ]
        }
        // meterflow_postgres_up says why they are missing.
        samples += (try? await jobMetrics()) ?? []
        return Self.text(.ok, MetricFamily.text(samples))
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String) -> Response {
        Response(
            status: status, headers: [.contentType: "text/plain; charset=utf-8"],
            body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}

/// How much of bodies is held in memory at once.
private final class BodyLimit: Sendable {
    private let bytes = Mutex(0)
    private static let maximum = 64 << 20

    func enter(_ size: Int) -> Bool {
        bytes.withLock { bytes in
            guard bytes + size <= Self.maximum else { return false }
            bytes += size
            return true
        }
    }

    func leave(_ size: Int) {
        bytes.withLock { $0 -= size }
    }
}
