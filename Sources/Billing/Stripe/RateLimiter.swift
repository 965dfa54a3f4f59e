internal import Synchronization

/// Spaces requests so that Stripe's limits are kept: one for all, one for each endpoint.
///
/// Whoever asks gets the moment of its turn, in the order of asking. A refusal by a limit makes it slower;
/// answers make it faster again, up to the set rate. Source: docs.stripe.com/rate-limits.
final class RateLimiter: Sendable {
    private struct Line {
        let limit: Double
        var rate: Double
        var free: ContinuousClock.Instant

        init(limit: Double, now: ContinuousClock.Instant) {
            self.limit = limit
            rate = limit
            free = now
        }
    }

    private let perEndpoint: Double
    private let lines: Mutex<(all: Line, endpoints: [String: Line])>

    init(perSecond: Double, perEndpoint: Double, now: ContinuousClock.Instant = .now) {
        self.perEndpoint = perEndpoint
        lines = Mutex((Line(limit: perSecond, now: now), [:]))
    }

    /// - Returns: when the request may go out.
    func reserve(
        _ endpoint: String, now: ContinuousClock.Instant
    ) -> ContinuousClock.Instant {
        lines.withLock { lines in
            var line = lines.endpoints[endpoint] ?? Line(limit: perEndpoint, now: now)
            // Apart from each other: who waits for a slow endpoint holds nobody else up.
            let turns = (all: max(now, lines.all.free), own: max(now, line.free))
            lines.all.free = turns.all + .seconds(1 / lines.all.rate)
            line.free = turns.own + .seconds(1 / line.rate)
            lines.endpoints[endpoint] = line
            return max(turns.all, turns.own)
        }
    }

    func slowDown(_ endpoint: String) {
        change(endpoint) { $0.rate = max($0.rate * 0.8, $0.limit / 20) }
    }

    func speedUp(_ endpoint: String) {
        change(endpoint) { $0.rate = min($0.limit, $0.rate + $0.limit / 200) }
    }

    private func change(_ endpoint: String, _ body: (inout Line) -> Void) {
        lines.withLock { lines in
            body(&lines.all)
            if var line = lines.endpoints[endpoint] {
                body(&line)
                lines.endpoints[endpoint] = line
            }
        }
    }
}
