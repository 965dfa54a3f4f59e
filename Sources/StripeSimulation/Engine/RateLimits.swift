/// Stripe's rate limits: a bucket of tokens an endpoint, and one for all.
///
/// An endpoint is a method and a path template; ids share it. Source: docs.stripe.com/rate-limits.
package struct RateLimits: Sendable {
    package var endpointPerSecond: Int
    package var globalPerSecond: Int

    package init(endpointPerSecond: Int = 25, globalPerSecond: Int = 100) {
        self.endpointPerSecond = endpointPerSecond
        self.globalPerSecond = globalPerSecond
    }
}

struct RateLimiter {
    let limits: RateLimits
    private var global: Bucket
    private var endpoints: [String: Bucket] = [:]

    init(limits: RateLimits) {
        self.limits = limits
        global = Bucket(perSecond: limits.globalPerSecond)
    }

    /// Counts a request, or says why it is refused (`Stripe-Rate-Limited-Reason`).
    mutating func admit(_ endpoint: String, at now: Int) -> String? {
        global.fill(at: now)
        var bucket = endpoints[endpoint] ?? Bucket(perSecond: limits.endpointPerSecond)
        bucket.fill(at: now)
        defer { endpoints[endpoint] = bucket }
        guard global.hasToken else { return "global-rate" }
        guard bucket.hasToken else { return "endpoint-rate" }
        global.take()
        bucket.take()
        return nil
    }

    private struct Bucket {
        let perSecond: Int
        /// Thousandths of a token.
        private var level: Int
        private var filledAt: Int?

        init(perSecond: Int) {
            self.perSecond = perSecond
            level = perSecond * 1_000
        }

        var hasToken: Bool { level >= 1_000 }

        mutating func take() { level -= 1_000 }

        mutating func fill(at now: Int) {
            // More than a second fills it, however long the clock jumped.
            let elapsed = min(1_000, max(0, now - (filledAt ?? now)))
            level = min(perSecond * 1_000, level + elapsed * perSecond)
            filledAt = now
        }
    }
}
