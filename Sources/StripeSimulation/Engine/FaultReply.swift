extension Fault {
    /// The answer to a request that never gets in; nothing if it does.
    func answerInstead(key: String?) -> Reply? {
        switch kind {
        case .resetBefore:
            var reply = Reply(.refusal(.internalError))
            reply.transport = .reset
            return reply
        case .stall:
            var reply = Reply(.refusal(.internalError))
            reply.transport = .closed
            return reply
        case .error: return Reply(.refusal(.internalError))
        case .conflict: return Reply(.refusal(.keyInUse(key ?? "")))
        case .rateLimited:
            var reply = Reply(.refusal(.rateLimited))
            reply.add("Stripe-Rate-Limited-Reason", "global-concurrency")
            return reply
        case .lockTimeout: return Reply(.refusal(.lockTimeout))
        case .badGateway: return Self.badGatewayPage
        case .answerLost, .resetAfter, .held, .errorStored, .errorStoredAfter, .errorAfter,
            .errorForgotten, .lockTimeoutStored, .badGatewayAfter, .latency, .truncated:
            return nil
        }
    }

    /// What becomes of the answer to a request that was executed.
    func spoil(_ reply: inout Reply) {
        switch kind {
        case .answerLost: reply.transport = .closed
        case .resetAfter: reply.transport = .reset
        case .truncated: reply.transport = .truncated
        case .errorAfter, .errorForgotten: reply = Reply(.refusal(.internalError))
        case .badGatewayAfter: reply = Self.badGatewayPage
        case .resetBefore, .held, .errorStored, .errorStoredAfter, .error, .conflict, .rateLimited,
            .lockTimeout, .lockTimeoutStored, .badGateway, .latency, .stall:
            break
        }
    }

    func mark(_ reply: inout Reply) {
        if let shouldRetry { reply.add("Stripe-Should-Retry", shouldRetry ? "true" : "false") }
    }

    private static var badGatewayPage: Reply {
        Reply(
            status: 502,
            page: "<html><head><title>502 Bad Gateway</title></head><body>"
                + "<center><h1>502 Bad Gateway</h1></center></body></html>\r\n")
    }
}
