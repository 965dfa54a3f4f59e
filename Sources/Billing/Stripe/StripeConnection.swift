internal import Foundation
package import HTTP
package import Logging

/// Stripe over HTTPS, within its limits.
///
/// The log has every call with its key, Stripe's request id and how long it took; never the secret.
package struct StripeConnection: StripeTransport {
    package struct Settings: Sendable {
        package var secretKey: String
        package var base = "https://api.stripe.com"
        package var version = StripeConnection.version
        /// Requests a second, all together.
        package var requestsPerSecond = 100.0
        /// Requests a second to one endpoint.
        package var endpointRequestsPerSecond = 25.0

        package init(secretKey: String) {
            self.secretKey = secretKey
        }
    }

    /// Of Stripe's API, which is what answers and events are read as.
    package static let version = "2026-10-28.endive"

    /// Shorter than a claim by far: a request that is sent under a claim ends under it.
    package static let timeoutSeconds = 30.0

    private let settings: Settings
    private let http: HTTPClient
    private let limiter: RateLimiter
    private let logger: Logger

    package init(settings: Settings, http: HTTPClient, logger: Logger) {
        self.settings = settings
        self.http = http
        self.logger = logger
        limiter = RateLimiter(
            perSecond: settings.requestsPerSecond,
            perEndpoint: settings.endpointRequestsPerSecond)
    }

    package func awaitTurn(of call: StripeCall) async throws {
        let clock = ContinuousClock()
        let turn = limiter.reserve(call.endpoint, now: clock.now)
        if turn > clock.now { try await Task.sleep(until: turn, clock: clock) }
    }

    package func send(_ call: StripeCall) async throws -> StripeResponse {
        let start = ContinuousClock.now
        let response: HTTPResponse
        do throws(HTTPError) {
            response = try await http.send(request(call))
        } catch {
            if error.code == .cancelled { throw CancellationError() }
            log(call, start, nil, error.description)
            throw StripeUnreachable(error.description)
        }
        let answer = StripeResponse(
            status: response.status, requestID: response.headers["Request-Id"],
            isReplayed: response.headers["Idempotent-Replayed"] == "true",
            shouldRetry: response.headers["Stripe-Should-Retry"].map { $0 == "true" },
            isRateLimited: response.headers["Stripe-Rate-Limited-Reason"] != nil,
            body: response.body)
        // An object that is locked says nothing of the limits.
        if answer.status == 429, answer.isRateLimited {
            limiter.slowDown(call.endpoint)
        } else {
            limiter.speedUp(call.endpoint)
        }
        log(call, start, answer, nil)
        return answer
    }

    private func request(_ call: StripeCall) -> HTTPRequest {
        var headers: HTTPHeaders = [
            "Authorization": "Bearer \(settings.secretKey)", "Stripe-Version": settings.version,
        ]
        if let key = call.idempotencyKey { headers.append("Idempotency-Key", key) }
        var body = HTTPBody.none
        if let form = call.body {
            headers.append("Content-Type", "application/x-www-form-urlencoded")
            body = .bytes(Array(form.utf8))
        }
        let query = call.query.isEmpty ? "" : "?\(call.query)"
        return HTTPRequest(
            method: call.method, url: settings.base + call.path + query, headers: headers,
            body: body, timeouts: HTTPTimeouts(totalSeconds: Self.timeoutSeconds),
            // A connection that broke: whoever asked decides, and writes it down.
            isRepeatable: call.method == "GET")
    }

    private func log(
        _ call: StripeCall, _ start: ContinuousClock.Instant, _ answer: StripeResponse?,
        _ error: String?
    ) {
        var metadata: Logger.Metadata = [
            "endpoint": "\(call.endpoint)",
            "milliseconds": "\(Int((ContinuousClock.now - start) / .milliseconds(1)))",
        ]
        if let key = call.idempotencyKey { metadata["key"] = "\(key)" }
        if let answer {
            metadata["status"] = "\(answer.status)"
            metadata["request_id"] = "\(answer.requestID ?? "")"
            if answer.isReplayed { metadata["replayed"] = "true" }
        }
        if let error { metadata["error"] = "\(error)" }
        let level: Logger.Level = answer.map { $0.status < 400 } == true ? .debug : .info
        logger.log(level: level, "stripe", metadata: metadata)
    }
}
