internal import Synchronization

/// A Stripe in memory: a request goes in, what becomes of it comes out.
///
/// It does no input or output but its journal, and can be called from many threads.
package final class StripeSimulator: Sendable {
    package struct Settings: Sendable {
        /// The keys that are let in. At least one.
        package var secretKeys: [String] = ["sk_test_simulator"]
        package var livemode = false
        package var accountID = "acct_1SimulatorMeterFlow"
        /// Nothing: no limits.
        package var limits: RateLimits?
        /// How long every answer to `/v1/` takes.
        package var latencyMilliseconds = 0
        /// Where every change is written, so that it outlives the process. Nothing: memory only.
        package var journalPath: String?
        /// Milliseconds since 1970; what the simulator's own clock is moved against.
        package var clock: @Sendable () -> Int

        package init(clock: @escaping @Sendable () -> Int) {
            self.clock = clock
        }
    }

    private let engine: Mutex<Engine>

    /// - Throws: ``JournalError`` if the journal cannot be read, or is of another account.
    package init(_ settings: Settings) throws {
        engine = Mutex(try Engine(settings))
    }

    /// Answers Stripe's API, and below `/_sim/` the simulator's own.
    package func respond(to request: SimulatedRequest) -> Outcome {
        if request.path.hasPrefix("/_sim/") {
            let response = engine.withLock { $0.control(request) }
            return Outcome(response: response, transport: .whole, delayMilliseconds: 0)
        }
        // Written out after the lock is given back.
        return engine.withLock { $0.respond(to: request) }.outcome
    }

    /// Does what has become due since; every request does that too.
    package func tick() {
        engine.withLock { $0.tick() }
    }

    /// The events to send now. Each must be reported.
    package func takeDeliveries(limit: Int = 16) -> [WebhookDelivery] {
        engine.withLock { $0.takeDeliveries(limit: limit) }.map { $0.delivery() }
    }

    /// - Parameter isTaken: whether the endpoint answered with 2xx; otherwise it is tried again.
    package func report(_ delivery: WebhookDelivery, isTaken: Bool) {
        engine.withLock { $0.report(delivery.number, isTaken: isTaken) }
    }

    /// Makes sure that events of all types go to the URL, signed with the secret.
    package func register(url: String, secret: String) throws {
        try engine.withLock { try $0.register(url: url, secret: secret) }
    }

    /// What was really done so far.
    package var effects: EffectCounts {
        engine.withLock { $0.account.effects }
    }

    /// Moves the clock forward, and does what becomes due on the way.
    package func advance(seconds: Int) {
        let body = Array(#"{"advance_seconds": \#(seconds)}"#.utf8)
        _ = respond(to: SimulatedRequest(method: "POST", path: "/_sim/clock", body: body))
    }

    /// The requests that are held on their way, in the order in which they came.
    package var heldNumbers: [Int] {
        engine.withLock { $0.held.keys.sorted() }
    }

    /// Lets held requests arrive, in this order; one that is no longer held is left out.
    package func release(_ numbers: [Int]) {
        for number in numbers {
            let body = Array(#"{"numbers": [\#(number)]}"#.utf8)
            _ = respond(
                to: SimulatedRequest(method: "POST", path: "/_sim/held/release", body: body))
        }
    }

    /// Adds scripted faults.
    package func add(_ rules: [FaultRule]) {
        engine.withLock { $0.faults.add(rules) }
    }

    /// Sets faults by chance; nothing ends them.
    package func set(_ chance: FaultChance?) {
        engine.withLock { $0.faults.set(chance) }
    }
}

/// An answer before it is written out.
struct Reply {
    var status: Int
    var headers: [SimulatedResponse.Header] = []
    var content: Content
    var transport = Outcome.Transport.whole
    var delayMilliseconds = 0

    enum Content {
        case answer(Answer)
        case page(String)
    }

    init(_ answer: Answer) {
        status = answer.status
        content = .answer(answer)
    }

    init(status: Int, page: String) {
        self.status = status
        content = .page(page)
    }

    mutating func add(_ name: String, _ value: String) {
        headers.append(SimulatedResponse.Header(name: name, value: value))
    }

    var outcome: Outcome {
        var response = SimulatedResponse(status: status, headers: headers)
        switch content {
        case .answer(let answer):
            var json = JSONWriter()
            answer.write(to: &json)
            response.body = json.bytes
            response.headers.append(
                SimulatedResponse.Header(name: "Content-Type", value: "application/json"))
        case .page(let text):
            response.body = Array(text.utf8)
            response.headers.append(
                SimulatedResponse.Header(name: "Content-Type", value: "text/html"))
        }
        return Outcome(
            response: response, transport: transport, delayMilliseconds: delayMilliseconds)
    }
}
