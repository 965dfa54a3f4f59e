internal import Digest

/// What was answered to each `Idempotency-Key`, for 24 hours of the simulator's clock.
///
/// Keys belong to the account, not to an endpoint. Source: docs.stripe.com/api/idempotent_requests
/// and docs.stripe.com/error-low-level.
struct IdempotencyStore {
    struct Record {
        let endpoint: String
        let fingerprint: [UInt8]
        let answer: Answer
        /// The request that was executed.
        let request: String
        let storedAt: Int
        /// Until then the first request is still being answered. Milliseconds since 1970.
        var answeredAt: Int
    }

    enum Finding {
        case new
        case replay(Record)
        case refusal(StripeError)
    }

    static let lifetimeMilliseconds = 24 * 3_600_000

    private var records: [String: Record] = [:]
    /// Keys in the order in which they were stored, with the time.
    private var order: [(key: String, storedAt: Int)] = []

    var count: Int { records.count }

    func find(_ key: String, endpoint: String, form: Form, at now: Int) -> Finding {
        guard let record = records[key], now - record.storedAt < Self.lifetimeMilliseconds else {
            return .new
        }
        guard record.endpoint == endpoint else {
            return .refusal(
                StripeError(
                    kind: .idempotency,
                    "Keys for idempotent requests can only be used for the same endpoint they "
                        + "were first used for ('\(endpoint)' vs '\(record.endpoint)'). Try using "
                        + "a key other than '\(key)' if you meant to execute a different "
                        + "request."))
        }
        guard record.fingerprint == Self.fingerprint(form) else {
            return .refusal(
                StripeError(
                    kind: .idempotency,
                    "Keys for idempotent requests can only be used with the same parameters they "
                        + "were first used with. Try using a key other than '\(key)' if you meant "
                        + "to execute a different request."))
        }
        guard record.answeredAt <= now else { return .refusal(.keyInUse(key)) }
        return .replay(record)
    }

    mutating func store(
        _ key: String, endpoint: String, form: Form, answer: Answer, request: String, at now: Int
    ) {
        records[key] = Record(
            endpoint: endpoint, fingerprint: Self.fingerprint(form), answer: answer,
            request: request, storedAt: now, answeredAt: now)
        order.append((key: key, storedAt: now))
    }

    /// The client of the request that was executed waits for the answer until then.
    mutating func setAnswered(_ key: String, request: String, at time: Int) {
        if records[key]?.request == request { records[key]?.answeredAt = time }
    }

    mutating func prune(at now: Int) {
        let expired = order.prefix { now - $0.storedAt >= Self.lifetimeMilliseconds }
        for entry in expired where records[entry.key]?.storedAt == entry.storedAt {
            records[entry.key] = nil
        }
        order.removeFirst(expired.count)
    }

    private static func fingerprint(_ form: Form) -> [UInt8] {
        SHA256.hash(form.canonical)
    }
}
