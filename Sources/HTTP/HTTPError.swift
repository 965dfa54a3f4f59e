/// Why a request got no complete response.
///
/// The description is safe to log: it has the address without credentials and query, libcurl's own
/// words, and of an underlying error only its type.
package struct HTTPError: Error, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable, CaseIterable {
        /// The request cannot be sent as it is; nothing was tried.
        case invalidRequest
        /// The host's name has no address, or the name server did not answer.
        case resolve
        /// No TCP connection.
        case connect
        /// No TLS session: unknown authority, wrong name, no common version.
        case tls
        /// The connection broke while the request went out.
        case send
        /// The connection broke, or spoke no HTTP, before the response was complete.
        case receive
        case timeoutConnect
        case timeoutTotal
        case stalled
        /// More body than `maximumResponseBytes`, or headers beyond 256 KB.
        case responseTooLarge
        /// The body ended before the end it had announced.
        case truncated
        /// The closure that supplies the request's body threw; see `underlying`.
        case requestBodyFailed
        /// The task was cancelled, or the closure reading the response was left.
        case cancelled
        /// The client was shut down.
        case closed
        case other
    }

    /// How far the request had come.
    package enum Phase: String, Sendable {
        /// Being checked; nothing was tried.
        case preparing
        /// Waiting for a free connection, looking the name up, connecting, or agreeing on TLS.
        case connecting
        /// Headers or body going out.
        case sending
        /// All sent, nothing received.
        case awaitingResponse
        /// In the headers or the body of the response.
        case receiving
    }

    package let code: Code
    package let phase: Phase
    /// False only if certainly no byte of the request left; a retry is then always safe.
    package let serverMayHaveActed: Bool
    /// What happened, in words.
    package let detail: String
    /// The request's method, and its address without credentials and query.
    package let request: String
    /// What the closure that supplies the body threw.
    package let underlying: (any Error)?

    package var description: String {
        var text = "\(request): \(detail) [\(code.rawValue), \(phase.rawValue)"
        text += serverMayHaveActed ? ", the server may have acted]" : ", nothing was sent]"
        if let underlying { text += " (caused by \(type(of: underlying)))" }
        return text
    }
}

/// Where a request stood when something went wrong: the part of an error that its cause does not
/// know.
struct HTTPErrorContext {
    var request: String
    var phase: HTTPError.Phase
    var serverMayHaveActed: Bool
}

extension HTTPError {
    private init(
        _ code: Code, _ detail: String, _ context: HTTPErrorContext,
        underlying: (any Error)? = nil
    ) {
        self.code = code
        phase = context.phase
        serverMayHaveActed = context.serverMayHaveActed
        self.detail = detail
        request = context.request
        self.underlying = underlying
    }

    static func invalidRequest(_ why: String, request: String) -> HTTPError {
        let context = HTTPErrorContext(
            request: request, phase: .preparing, serverMayHaveActed: false)
        return HTTPError(.invalidRequest, why, context)
    }

    static func cancelled(_ context: HTTPErrorContext) -> HTTPError {
        HTTPError(.cancelled, "cancelled", context)
    }

    static func closed(_ context: HTTPErrorContext) -> HTTPError {
        HTTPError(.closed, "the HTTP client was shut down", context)
    }

    static func totalTimeout(_ seconds: Double, _ context: HTTPErrorContext) -> HTTPError {
        HTTPError(.timeoutTotal, "not complete after \(seconds) s", context)
    }

    static func stalled(_ seconds: Double, _ context: HTTPErrorContext) -> HTTPError {
        HTTPError(.stalled, "no byte moved for \(seconds) s", context)
    }

    static func responseTooLarge(_ bytes: Int, _ context: HTTPErrorContext) -> HTTPError {
        HTTPError(.responseTooLarge, "the response is larger than \(bytes) bytes", context)
    }

    static func requestBodyFailed(
        _ underlying: any Error, _ context: HTTPErrorContext
    ) -> HTTPError {
        HTTPError(
            .requestBodyFailed, "the request's body could not be produced", context,
            underlying: underlying)
    }

    /// The server closed a kept-alive connection before it answered, and a second try might act
    /// twice.
    static func notRepeated(_ context: HTTPErrorContext) -> HTTPError {
        HTTPError(
            .receive,
            "the server closed the kept-alive connection before answering, and the request is not "
                + "repeatable", context)
    }

    static func noHead(_ context: HTTPErrorContext) -> HTTPError {
        HTTPError(.receive, "the connection ended within the head of the response", context)
    }

    static func other(_ detail: String, _ context: HTTPErrorContext) -> HTTPError {
        HTTPError(.other, detail, context)
    }

    /// From libcurl's result: `code` and `detail` are what ``CurlFailure`` made of it.
    static func network(
        _ code: Code, _ detail: String, _ context: HTTPErrorContext
    ) -> HTTPError {
        HTTPError(code, detail, context)
    }
}
