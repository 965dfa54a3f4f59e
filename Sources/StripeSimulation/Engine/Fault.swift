/// Something that goes wrong with one request.
package struct Fault: Sendable, Equatable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Executed; the client hears nothing, and its connection is closed.
        case answerLost = "answer_lost"
        /// Executed; then the connection is reset.
        case resetAfter = "reset_after"
        /// Not executed; the connection is reset.
        case resetBefore = "reset_before"
        /// The client hears nothing; the request arrives later, when it is released or due.
        case held
        /// Not executed; 500, which is stored under the key.
        case errorStored = "error_500_stored"
        /// Executed; 500, which is stored under the key.
        case errorStoredAfter = "error_500_stored_after"
        /// Not executed and not stored; 500.
        case error = "error_500"
        /// Executed, and its own answer is stored; the client gets 500.
        case errorAfter = "error_500_after"
        /// Executed; 500 and nothing stored, so that the same key executes again.
        case errorForgotten = "error_500_forgotten"
        /// Not executed; 409, as if the key were in use.
        case conflict = "conflict_409"
        /// Not executed; 429 by the limiter, with `Stripe-Rate-Limited-Reason`.
        case rateLimited = "rate_limited"
        /// Not executed; 429 because the object is locked.
        case lockTimeout = "lock_timeout"
        /// Not executed; that 429 is stored under the key, as was seen in the field.
        case lockTimeoutStored = "lock_timeout_stored"
        /// Not executed; 502 with a page that is no JSON.
        case badGateway = "bad_gateway"
        /// Executed; then the same.
        case badGatewayAfter = "bad_gateway_after"
        /// Executed, and answered after `milliseconds`.
        case latency
        /// Not executed; silence for `milliseconds`, then the connection is closed.
        case stall
        /// Executed; half of the answer's body, then the connection is closed.
        case truncated
    }

    package var kind: Kind
    /// How long the client waits. With `maximumMilliseconds`: at least.
    package var milliseconds = 0
    /// The wait is drawn between `milliseconds` and this.
    package var maximumMilliseconds: Int?
    /// When a held request arrives; without it, when it is released.
    package var deliverAfterMilliseconds: Int?
    /// Sent as `Stripe-Should-Retry`.
    package var shouldRetry: Bool?

    package init(
        _ kind: Kind, milliseconds: Int = 0, maximumMilliseconds: Int? = nil,
        deliverAfterMilliseconds: Int? = nil, shouldRetry: Bool? = nil
    ) {
        self.kind = kind
        self.milliseconds = milliseconds
        self.maximumMilliseconds = maximumMilliseconds
        self.deliverAfterMilliseconds = deliverAfterMilliseconds
        self.shouldRetry = shouldRetry
    }
}

/// A scripted fault: it meets some of the requests that fit.
package struct FaultRule: Sendable, Equatable {
    package var method: String?
    /// A path or a path template: `/v1/invoices/{invoice}/finalize`.
    package var path: String?
    /// A part of the idempotency key, the query or the body.
    package var containing: String?
    /// The first request that is met, counted among those that fit since the rule was set.
    package var nth = 1
    /// How many are met, one after the other.
    package var times = 1
    package var fault: Fault
    fileprivate var fits = 0

    package init(
        method: String? = nil, path: String? = nil, containing: String? = nil, nth: Int = 1,
        times: Int = 1, _ fault: Fault
    ) {
        self.method = method
        self.path = path
        self.containing = containing
        self.nth = nth
        self.times = times
        self.fault = fault
    }
}

/// Faults by chance: the same requests meet the same faults under the same seed.
package struct FaultChance: Sendable, Equatable {
    package var seed: UInt64
    /// From 0 to 1.
    package var chance: Double
    package var faults: [Fault]

    package init(seed: UInt64, chance: Double, faults: [Fault]) {
        self.seed = seed
        self.chance = chance
        self.faults = faults
    }
}

struct FaultPlan {
    private(set) var rules: [FaultRule] = []
    private(set) var chance: FaultChance?
    /// How often each request was seen, for as long as chance decides.
    private var occurrences: [UInt64: UInt64] = [:]
    /// How often each kind was met.
    private(set) var met: [Fault.Kind: Int] = [:]

    mutating func add(_ rules: [FaultRule]) { self.rules += rules }

    mutating func set(_ chance: FaultChance?) {
        self.chance = chance
        occurrences = [:]
    }

    mutating func clear() {
        rules = []
        set(nil)
    }

    /// What goes wrong with a request, and how long its client waits.
    mutating func fault(
        for request: SimulatedRequest, template: String
    ) -> (fault: Fault, waitMilliseconds: Int)? {
        guard !rules.isEmpty || chance != nil else { return nil }
        var draw = Draw(state: 0)
        var found: Fault?
        for index in rules.indices where rules[index].fits(request, template: template) {
            rules[index].fits += 1
            let place = rules[index].fits - rules[index].nth
            if found == nil, (0..<rules[index].times).contains(place) { found = rules[index].fault }
        }
        if let chance, !chance.faults.isEmpty {
            draw = Draw(state: chance.seed)
            draw.mix(request.method)
            draw.mix(request.path)
            draw.mix(request.idempotencyKey ?? request.query)
            let identity = draw.state
            occurrences[identity, default: 0] += 1
            draw.mix(occurrences[identity] ?? 0)
            if found == nil, draw.fraction() < chance.chance {
                found = chance.faults[Int(draw.next() % UInt64(chance.faults.count))]
            }
        }
        guard let found else { return nil }
        met[found.kind, default: 0] += 1
        let spread = max(0, (found.maximumMilliseconds ?? found.milliseconds) - found.milliseconds)
        return (found, found.milliseconds + Int(draw.next() % UInt64(spread + 1)))
    }

    /// SplitMix64 over what is mixed in.
    private struct Draw {
        var state: UInt64

        mutating func mix(_ text: String) {
            for byte in text.utf8 { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }
            mix(0xFF)
        }

        mutating func mix(_ number: UInt64) { state = (state ^ number) &* 0x100_0000_01B3 }

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var value = state
            value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
            value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
            return value ^ (value >> 31)
        }

        mutating func fraction() -> Double { Double(next() >> 11) / 0x1p53 }
    }
}

extension FaultRule {
    fileprivate func fits(_ request: SimulatedRequest, template: String) -> Bool {
        guard method.map({ $0 == request.method }) ?? true else { return false }
        guard path.map({ $0 == template || $0 == request.path }) ?? true else { return false }
        guard let containing else { return true }
        return request.idempotencyKey?.contains(containing) ?? false
            || request.query.contains(containing)
            || String(decoding: request.body, as: UTF8.self).contains(containing)
    }
}
