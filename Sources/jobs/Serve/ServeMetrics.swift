internal import Ledger
internal import Synchronization

/// What this process has counted, for `/metrics`.
final class ServeMetrics: Sendable {
    /// A counter and its one label.
    enum Counter: Hashable, Comparable {
        /// Requests to the endpoint, by what became of them.
        case request(String)
        /// Events that were worked on, by how that ended.
        case event(String)
        /// Events that were found in Stripe's list and had not come.
        case backfilled

        fileprivate func sample(_ count: Int) -> LedgerMetrics.Sample {
            switch self {
            case .request(let result):
                .init("meterflow_webhook_requests_total", labels: "result=\"\(result)\"", count)
            case .event(let outcome):
                .init("meterflow_webhook_events_total", labels: "outcome=\"\(outcome)\"", count)
            case .backfilled: .init("meterflow_webhook_backfilled_total", count)
            }
        }
    }

    private struct State {
        var counts: [Counter: Int] = [:]
        var logged: [Counter: ContinuousClock.Instant] = [:]
        /// Unix time in seconds.
        var lastBackfill: Int64
    }

    private let state: Mutex<State>

    /// - Parameter now: Unix time in seconds. A list that was never read is as old as the process.
    init(now: Int64) {
        state = Mutex(State(lastBackfill: now))
    }

    func add(_ counter: Counter, _ count: Int = 1) {
        state.withLock { $0.counts[counter, default: 0] += count }
    }

    /// Counts a refusal.
    ///
    /// - Returns: how many there were, if it is time for a line in the log: one a second is enough.
    func refuse(_ cause: String) -> Int? {
        state.withLock { state in
            let counter = Counter.request(cause)
            state.counts[counter, default: 0] += 1
            let now = ContinuousClock.now
            if let last = state.logged[counter], now - last < .seconds(1) { return nil }
            state.logged[counter] = now
            return state.counts[counter]
        }
    }

    func backfilled(_ new: Int, at time: Int64) {
        state.withLock { state in
            state.counts[.backfilled, default: 0] += new
            state.lastBackfill = time
        }
    }

    var samples: [LedgerMetrics.Sample] {
        let (counts, lastBackfill) = state.withLock { ($0.counts, $0.lastBackfill) }
        let backfill = LedgerMetrics.Sample(
            "meterflow_webhook_backfill_timestamp_seconds", lastBackfill)
        return counts.sorted { $0.key < $1.key }.map { $0.key.sample($0.value) } + [backfill]
    }
}
