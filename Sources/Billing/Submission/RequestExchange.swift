internal import Ledger

/// Sending a request of an invoice, and writing down what comes of it.
extension InvoiceSubmission {
    /// What is known of a request after it was sent as often as it helps.
    enum Exchange<Object> {
        /// Stripe did it. What follows from it is written down together with the record.
        case done(Object, isReplayed: Bool, Record)
        /// Nothing is known, and asking again will not tell.
        case unknown
        /// Stripe did not do it.
        case refused(StripeError)
    }

    /// An answer that is not written down yet.
    struct Record {
        let request: StoredRequest
        let attempt: Int64
        let answer: AttemptAnswer
        let objectID: String
        /// Whether the request went out more than once.
        let isRepeated: Bool
    }

    mutating func post(
        _ step: SubmissionStep, epoch: Int
    ) async throws -> Exchange<StripeInvoice> {
        let made = requests.request(
            step, for: invoice, stripeInvoiceID: state.stripeInvoiceID ?? "", epoch: epoch)
        var tries = Tries(client.patience)
        return try await exchange(made, epoch: epoch, &tries)
    }

    /// - Parameter tries: how often Stripe was asked already; more than enough, and the invoice is given up.
    mutating func exchange<Object: StripeObject>(
        _ made: StripeRequest, epoch: Int, _ tries: inout Tries
    ) async throws -> Exchange<Object> {
        let step = made.step
        let known = stored.first { $0.step == step && $0.epoch == epoch }
        if let known, known.outcome != nil || !known.isFresh && step != .creditNote {
            return .unknown
        }
        // What was stored is sent, to the byte, whatever this version would send.
        let (key, path, body) =
            known.map { ($0.idempotencyKey, $0.path, $0.body) }
            ?? (made.idempotencyKey, made.path, made.body)
        let call = StripeCall.post(path, body: body, key: key)
        var isRepeated = known != nil
        while true {
            if isRepeated, step == .send, let found = try await read(), try await wasMailed(found) {
                return .unknown
            }
            let asked = ContinuousClock.now
            try await client.transport.awaitTurn(of: call)
            let start = ContinuousClock.now
            guard
                let attempt = try await store.prepare(
                    step, epoch: epoch, key: key, path: path, body: body,
                    waitedMilliseconds: Int((start - asked) / .milliseconds(1)), claim)
            else { return .unknown }
            if known == nil, !isRepeated { try await reloadRequests() }
            guard let request = stored.first(where: { $0.idempotencyKey == key }) else {
                preconditionFailure("it was just stored")
            }
            // Counts the time in which the machine was asleep: the claim does, too.
            let safe = SubmissionStore.claimSeconds - StripeConnection.timeoutSeconds
            guard ContinuousClock.now - start < .seconds(safe) else { continue }
            do {
                let (object, response) = try await client.attempt(call, as: Object.self)
                let answer = AttemptAnswer(
                    httpStatus: response.status, requestID: response.requestID,
                    isReplayed: response.isReplayed, error: nil)
                return .done(
                    object, isReplayed: response.isReplayed,
                    Record(
                        request: request, attempt: attempt, answer: answer, objectID: object.id,
                        isRepeated: isRepeated))
            } catch let error as StripeError {
                lastError = error
                let answer = AttemptAnswer(
                    httpStatus: error.status == 0 ? nil : error.status, requestID: error.requestID,
                    isReplayed: error.isReplayed, error: "\(error)")
                switch error.kind {
                case .burned:
                    try await end(request, as: .burned, (attempt, answer))
                    return .unknown
                case .refused:
                    try await end(request, as: .refused, (attempt, answer))
                    return .refused(error)
                case .unauthorized:
                    try await store.answer(attempt, answer)
                    throw error
                case .retry, .throttled:
                    try await store.answer(attempt, answer)
                    isRepeated = isRepeated || error.kind == .retry
                    do {
                        try await tries.wait(after: error)
                    } catch let error as StripeError {
                        throw try await giveUp(
                            "Stripe does not answer \(step.rawValue): \(error)", isUnanswered: true)
                    }
                    // It is looked for before it is asked for again.
                    if step == .creditNote { return .unknown }
                }
            }
        }
    }

    mutating func reloadRequests() async throws {
        stored = try await store.requests(of: invoice.invoiceID)
    }

    // MARK: Writing down

    /// Writes how far the invoice has come, and what it follows from.
    mutating func move(_ event: String, _ detail: String?, _ record: Record? = nil) async throws {
        let ending = record.map {
            SubmissionStore.Ending(
                key: $0.request.idempotencyKey, outcome: .done, objectID: $0.objectID)
        }
        try await store.move(
            claim, to: state, event: event, detail: detail, ending: ending,
            attempt: record.map { ($0.attempt, $0.answer) })
        if let record { note(record.request, .done) }
    }

    /// Writes how a request ended that moves nothing.
    mutating func end(
        _ request: StoredRequest, as outcome: StoredRequest.Outcome,
        _ attempt: (id: Int64, answer: AttemptAnswer)? = nil
    ) async throws {
        try await store.end(
            SubmissionStore.Ending(key: request.idempotencyKey, outcome: outcome), attempt: attempt,
            claim)
        note(request, outcome)
    }

    /// Nothing more is to be sent.
    mutating func end(
        _ status: StripeInvoice.Status, _ record: Record? = nil, detail: String? = nil
    ) async throws {
        switch status {
        case .open: state.status = .open
        case .paid: state.status = .paid
        case .draft, .void, .uncollectible: return try await review()
        }
        state.recoveryPoint = .collected
        try await move("collected", detail, record)
    }

    /// Leaves the invoice to a person; releasing it goes on from where it stands.
    mutating func hold(
        _ reason: String, _ words: String, _ record: Record? = nil
    ) async throws -> Stop {
        state.standingHold = reason
        try await move("held", words, record)
        return Stop(result: .held("\(reason): \(words)"))
    }

    mutating func giveUp(_ reason: String, isUnanswered: Bool = false) async throws -> Stop {
        try await store.giveUp(claim, state, reason: reason)
        return Stop(result: .deadLetter(reason, isUnanswered: isUnanswered))
    }

    /// Takes back an invoice that is finalized and not what it should be, before anybody has seen it.
    mutating func void(_ words: String, _ record: Record?) async throws {
        state.status = .open
        try await move("to_be_voided", words, record)
        var record: Record?
        switch try await post(.void, epoch: epoch(of: .void)) {
        case .done(_, _, let done): record = done
        case .unknown, .refused:
            guard try await read()?.status == .void else {
                let reason = lastError.map { "\($0)" } ?? "no reason given"
                throw try await giveUp("\(words); and Stripe does not void it: \(reason)")
            }
        }
        state.status = .void
        throw try await hold("voided", words, record)
    }

    private mutating func note(_ request: StoredRequest, _ outcome: StoredRequest.Outcome) {
        guard let index = stored.firstIndex(of: request) else { return }
        stored[index].outcome = outcome
    }
}
