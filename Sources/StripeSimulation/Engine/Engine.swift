/// What lies between a request and the account: authentication, limits, faults, idempotency and
/// the journal.
final class Engine {
    let settings: StripeSimulator.Settings
    let account: StripeAccount
    private let table = ParameterTable.stripe
    private(set) var idempotency = IdempotencyStore()
    var limiter: RateLimiter?
    var faults = FaultPlan()
    var latencyMilliseconds: Int
    var webhooks = WebhookConduct()
    /// Requests on their way, by their number.
    private(set) var held: [Int: HeldRequest] = [:]
    /// How far the simulator's clock is ahead of the clock of the settings. Milliseconds.
    private(set) var clockOffset = 0
    private var journal: Journal?
    /// False while the journal is replayed, and while something runs that it holds as a whole.
    private var isRecording = true
    private var requestCount = 0
    private var prunedAt = 0

    struct HeldRequest {
        let number: Int
        let request: SimulatedRequest
        /// Milliseconds since 1970; nothing if it waits until it is released.
        let due: Int?
    }

    init(_ settings: StripeSimulator.Settings) throws {
        self.settings = settings
        account = StripeAccount(id: settings.accountID, livemode: settings.livemode)
        limiter = settings.limits.map { RateLimiter(limits: $0) }
        latencyMilliseconds = settings.latencyMilliseconds
        guard let path = settings.journalPath else { return }
        isRecording = false
        let opened = try Journal.open(
            path, account: settings.accountID, livemode: settings.livemode)
        for entry in opened.entries { replay(entry) }
        journal = opened.journal
        isRecording = true
    }

    /// The simulator's clock, in milliseconds since 1970.
    private var currentTime: Int { max(account.now, settings.clock() + clockOffset) }

    func tick() {
        advance(to: currentTime)
    }

    /// Lets happen what is due by then, each at its own time.
    private func advance(to time: Int) {
        if let due = account.agenda.next, due <= time {
            guard record(.tick(at: time)) == nil else { return }
        }
        runAgenda(to: time)
        guard account.now - prunedAt > 3_600_000 else { return }
        prunedAt = account.now
        idempotency.prune(at: account.now)
        account.forgetOldEvents()
    }

    private func runAgenda(to time: Int) {
        while let entry = account.agenda.take(until: time) {
            account.now = max(account.now, entry.due)
            if case .deliver(let number) = entry.task {
                deliver(number)
            } else {
                account.perform(entry.task)
            }
        }
        account.now = max(account.now, time)
    }

    // MARK: Requests

    func respond(to request: SimulatedRequest) -> Reply {
        tick()
        requestCount += 1
        let number = requestCount
        let id = StripeAccount.scrambled("\(account.id) request \(number)", count: 14)
        var reply = reply(to: request, number: number, id: "req_" + id)
        reply.add("Request-Id", "req_" + id)
        reply.add("Stripe-Version", request.version ?? StripeAccount.apiVersion)
        reply.delayMilliseconds += latencyMilliseconds
        if reply.delayMilliseconds > 0, let key = request.idempotencyKey {
            let time = account.now + reply.delayMilliseconds
            idempotency.setAnswered(key, request: "req_" + id, at: time)
        }
        return reply
    }

    private func reply(to request: SimulatedRequest, number: Int, id: String) -> Reply {
        if let error = Authentication.refusal(of: request, keys: settings.secretKeys) {
            var reply = Reply(.refusal(error))
            if error.status == 401 { reply.add("WWW-Authenticate", "Basic realm=\"Stripe\"") }
            return reply
        }
        guard let (operation, object) = table.operation(method: request.method, path: request.path)
        else { return Reply(.refusal(.unknownPath(request))) }
        if let reason = limiter?.admit(operation.name, at: account.now) {
            var reply = Reply(.refusal(.rateLimited))
            reply.add("Stripe-Rate-Limited-Reason", reason)
            return reply
        }
        let met = faults.fault(for: request, template: operation.path)
        if let met, var reply = instead(met.fault, of: request, number: number) {
            reply.delayMilliseconds += met.waitMilliseconds
            met.fault.mark(&reply)
            return reply
        }
        let arrival = Arrival(
            request: request, operation: operation, object: object ?? "", id: id, number: number)
        var reply = handle(arrival, met?.fault.kind)
        if let met {
            met.fault.spoil(&reply)
            reply.delayMilliseconds += met.waitMilliseconds
            met.fault.mark(&reply)
        }
        return reply
    }

    /// What a fault answers instead of letting the request in.
    private func instead(
        _ fault: Fault, of request: SimulatedRequest, number: Int
    ) -> Reply? {
        guard fault.kind == .held else { return fault.answerInstead(key: request.idempotencyKey) }
        let due = fault.deliverAfterMilliseconds.map { account.now + $0 }
        if let reply = record(.hold(at: account.now, number: number, request, due: due)) {
            return reply
        }
        hold(number, request, due: due)
        var reply = Reply(.refusal(.internalError))
        reply.transport = .closed
        return reply
    }

    private func hold(_ number: Int, _ request: SimulatedRequest, due: Int?) {
        held[number] = HeldRequest(number: number, request: request, due: due)
        if let due { account.agenda.add(.deliver(held: number), at: due) }
    }

    /// A request that was held arrives; nobody hears the answer.
    func deliver(_ number: Int) {
        guard let late = held.removeValue(forKey: number),
            let (operation, object) = table.operation(
                method: late.request.method, path: late.request.path)
        else { return }
        let wasRecording = isRecording
        isRecording = false
        defer { isRecording = wasRecording }
        let id = "req_" + StripeAccount.scrambled("\(account.id) held \(number)", count: 14)
        _ = handle(
            Arrival(
                request: late.request, operation: operation, object: object ?? "", id: id,
                number: number), nil)
    }

    struct Arrival {
        let request: SimulatedRequest
        let operation: ParameterTable.Operation
        let object: String
        let id: String
        let number: Int

        var form: Form {
            if request.query.isEmpty { return Form(encoded: request.body) }
            return Form(encoded: Array(request.query.utf8) + [UInt8(ascii: "&")] + request.body)
        }
        var endpoint: String { request.path }
        var key: String? { request.method == "POST" ? request.idempotencyKey : nil }
    }

    /// Replays, refuses, or executes.
    private func handle(_ arrival: Arrival, _ fault: Fault.Kind?) -> Reply {
        let form = arrival.form
        if let key = arrival.key {
            switch idempotency.find(key, endpoint: arrival.endpoint, form: form, at: account.now) {
            case .new: break
            case .refusal(let error): return Reply(.refusal(error))
            case .replay(let record):
                var reply = Reply(record.answer)
                reply.add("Idempotency-Key", key)
                reply.add("Idempotent-Replayed", "true")
                reply.add("Original-Request", record.request)
                return reply
            }
        }
        do throws(StripeError) {
            try arrival.operation.rules.check(form)
        } catch {
            return Reply(.refusal(error))
        }
        let entry = JournalEntry.request(
            at: account.now, number: arrival.number, arrival.request, fault: fault)
        if arrival.request.method != "GET", let failure = record(entry) { return failure }
        var reply = Reply(execute(arrival, form, fault))
        if let key = arrival.key {
            reply.add("Idempotency-Key", key)
            reply.add("Original-Request", arrival.id)
        }
        return reply
    }

    /// Execution has begun: from here on, what is answered is stored under the key.
    private func execute(_ arrival: Arrival, _ form: Form, _ fault: Fault.Kind?) -> Answer {
        account.cause = StripeAccount.Cause(request: arrival.id, idempotencyKey: arrival.key)
        defer { account.cause = nil }
        let call = Call(operation: arrival.operation.name, id: arrival.object, form: form)
        let answer: Answer
        switch fault {
        case .errorStored: answer = .refusal(.internalError)
        case .lockTimeoutStored: answer = .refusal(.lockTimeout)
        case .errorStoredAfter:
            _ = account.execute(call)
            answer = .refusal(.internalError)
        default: answer = account.execute(call)
        }
        if let key = arrival.key, fault != .errorForgotten {
            idempotency.store(
                key, endpoint: arrival.endpoint, form: form, answer: answer, request: arrival.id,
                at: account.now)
        }
        return answer
    }

    // MARK: Journal

    /// Writes down what is about to happen, or says why it cannot.
    private func record(_ entry: JournalEntry) -> Reply? {
        guard isRecording, let journal else { return nil }
        do {
            try journal.append(entry)
            return nil
        } catch {
            return Reply(.refusal(StripeError(status: 500, kind: .api, "\(error)")))
        }
    }

    /// Records a change that the control interface makes, and makes it.
    func change(_ path: String, _ body: JSONValue, text: [UInt8]) throws -> ControlAnswer {
        // One that is refused leaves a line too, which is refused again when it is replayed.
        if let failure = record(.control(at: account.now, path: path, body: text)) {
            throw ControlMistake("\(failure.status): the journal cannot be written")
        }
        let wasRecording = isRecording
        isRecording = false
        defer { isRecording = wasRecording }
        return try apply(path, body)
    }

    /// Moves the clock; what becomes due happens at its own time.
    func moveClock(byMilliseconds distance: Int) {
        clockOffset += distance
        runAgenda(to: account.now + distance)
    }

    func settle(delivery number: Int, isTaken: Bool) {
        guard account.deliveries[number] != nil,
            record(.delivery(at: account.now, number: number, isTaken: isTaken)) == nil
        else { return }
        account.settleDelivery(number, isTaken: isTaken)
    }

    func register(url: String, secret: String) throws {
        guard !account.endpoints.all.contains(where: { $0.url == url && !$0.isDeleted }) else {
            return
        }
        tick()
        if let failure = record(.endpoint(at: account.now, url: url, secret: secret)) {
            throw ControlMistake("\(failure.status): the journal cannot be written")
        }
        account.addEndpoint(url: url, secret: secret)
    }

    private func replay(_ entry: JournalEntry) {
        runAgenda(to: entry.time)
        switch entry {
        case .tick: break
        case .request(_, let number, let request, let fault):
            requestCount = number
            guard
                let (operation, object) = table.operation(
                    method: request.method, path: request.path)
            else { return }
            let id = StripeAccount.scrambled("\(account.id) request \(number)", count: 14)
            let arrival = Arrival(
                request: request, operation: operation, object: object ?? "", id: "req_" + id,
                number: number)
            _ = execute(arrival, arrival.form, fault)
        case .hold(_, let number, let request, let due):
            requestCount = number
            hold(number, request, due: due)
        case .control(_, let path, let body):
            guard let body = try? JSONValue(body) else { return }
            _ = try? apply(path, body)
        case .delivery(_, let number, let isTaken):
            account.settleDelivery(number, isTaken: isTaken)
        case .endpoint(_, let url, let secret):
            account.addEndpoint(url: url, secret: secret)
        }
    }
}
