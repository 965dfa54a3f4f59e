internal import Exact
internal import Ledger

/// How the work on one invoice ended.
enum SubmissionResult: Sendable, Equatable {
    /// Mailed, or left to Stripe to collect.
    case collected
    /// A person must look at it: why, in words.
    case held(String)
    /// Given up until a person has looked: why, in words, and whether Stripe did not answer at all.
    case deadLetter(String, isUnanswered: Bool)
}

/// Takes one invoice, under a claim, from where it stands to where nothing more is to be sent.
///
/// Every step is: store what is about to be sent, send it, store what came back together with how far the
/// invoice has come. Whoever finds it at any point goes on from there: an answer that was lost is asked
/// for again under the same key, or, once Stripe may have forgotten the key, looked up.
struct InvoiceSubmission {
    let invoice: Invoice
    let claim: InvoiceClaim
    let store: SubmissionStore
    let client: StripeClient
    let requests: StripeRequests
    /// Whether the key is of live mode.
    let isLive: Bool

    var state: SubmissionState
    /// Newest first.
    var stored: [StoredRequest]
    /// Whether to look for the invoice at Stripe before anything is created.
    var isSuspect: Bool
    var lastError: StripeError?

    /// So many keys of one kind are used up before a person is asked.
    private static let maximumEpoch = 12

    /// Why the work stops before the invoice is collected.
    struct Stop: Error {
        let result: SubmissionResult
    }

    mutating func run() async throws -> SubmissionResult {
        do {
            while true {
                switch state.recoveryPoint {
                case nil: try await createDraft()
                case .draftCreated: try await addLines()
                case .linesAdded: try await verifyDraft()
                case .verified: try await finalize()
                case .finalized: try await collect()
                case .collected: return .collected
                }
            }
        } catch let stop as Stop {
            return stop.result
        }
    }

    // MARK: Steps

    private mutating func createDraft() async throws {
        let epoch = state.draftEpoch
        guard epoch < Self.maximumEpoch else {
            throw try await giveUp(
                "Stripe's drafts of this invoice do not last: \(epoch) were made")
        }
        let known = stored.first { $0.step == .create && $0.epoch == epoch }
        if known?.outcome != nil || (known == nil && (epoch > 0 || isSuspect)) {
            if try await adopt() { return }
            if known?.outcome != nil {
                return try await startAnew("the key of its draft is used up")
            }
        }
        switch try await post(.create, epoch: epoch) {
        case .done(let answer, let isReplayed, let record):
            guard answer.livemode == isLive else {
                throw try await hold("livemode", "Stripe answered in another mode", record)
            }
            state.status = .submitting
            state.recoveryPoint = .draftCreated
            state.stripeInvoiceID = answer.id
            try await move("draft_created", answer.id, record)
            // What was answered earlier may be out of date, and a request that was answered by an error
            // may have left a draft of its own.
            if isReplayed || record.isRepeated {
                try await deleteStrays()
                if try await read()?.status != .draft { try await review() }
            }
        case .unknown:
            if try await adopt() { return }
            try await startAnew("nothing came of the request for a draft")
        case .refused(let error):
            throw try await giveUp("Stripe refused the invoice: \(error)")
        }
    }

    private mutating func addLines() async throws {
        // One key a draft: where it is used up, the draft is replaced, so that a request that is still on
        // its way finds nothing to add to.
        let known = stored.first { $0.step == .addLines && $0.epoch == state.draftEpoch }
        if known?.outcome == .refused { return try await startAnew("its lines were refused") }
        switch try await post(.addLines, epoch: state.draftEpoch) {
        case .done(let answer, _, let record):
            state.recoveryPoint = .linesAdded
            try await move("lines_added", nil, record)
            if !record.isRepeated { try await verify(answer) }
        case .unknown:
            try await verifyDraft()
        case .refused(let error):
            if error.isMissing || error.code == "invoice_not_editable" {
                return try await review()
            }
            throw try await giveUp("Stripe refused the lines: \(error)")
        }
    }

    private mutating func verifyDraft() async throws {
        guard let draft = try await read(), draft.status == .draft else {
            return try await review()
        }
        try await verify(draft)
    }

    private mutating func finalize() async throws {
        switch try await post(.finalize, epoch: epoch(of: .finalize)) {
        case .done(let answer, _, let record):
            try await confirm(answer, record)
        case .unknown:
            guard let found = try await read() else { return try await review() }
            guard found.status == .draft else { return try await confirm(found) }
            try await setAside(.finalize)
        case .refused(let error):
            guard let found = try await read() else { return try await review() }
            guard found.status == .draft else { return try await confirm(found) }
            throw try await giveUp("Stripe does not finalize the invoice: \(error)")
        }
    }

    private mutating func collect() async throws {
        let step = requests.lastStep(of: invoice)
        switch try await post(step, epoch: epoch(of: step)) {
        case .done(let answer, _, let record):
            try await end(answer.status, record)
        case .unknown, .refused:
            guard let found = try await read() else { return try await review() }
            guard found.status == .open else { return try await end(found.status) }
            try await collectLater(found, step)
        }
    }

    /// After a request to mail or collect without effect, or of which nothing is known.
    private mutating func collectLater(_ found: StripeInvoice, _ step: SubmissionStep) async throws
    {
        let last = stored.first { $0.step == step }
        switch step {
        case .send where try await wasMailed(found): try await end(.open, detail: "it was mailed")
        case .collect where found.autoAdvance: try await end(.open)
        case .pay where lastError?.status == 402:
            // One payment was tried, and did not go through: what follows is a person's decision.
            state.status = .paymentFailed
            state.recoveryPoint = .collected
            try await move("payment_failed", lastError.map { "\($0)" })
        default:
            if last?.outcome == .refused {
                throw try await giveUp(
                    "the invoice is finalized, but Stripe does not \(step.rawValue) it: "
                        + (lastError.map { "\($0)" } ?? "no reason given"))
            }
            try await setAside(step)
        }
    }

    /// Nothing came of a request: the next one of its kind gets a key of its own.
    private mutating func setAside(_ step: SubmissionStep) async throws {
        guard let last = stored.first(where: { $0.step == step }), last.outcome == nil else {
            return
        }
        try await end(last, as: .replaced)
    }

    // MARK: What Stripe holds

    /// Compares a draft that is there with what it should be.
    private mutating func verify(_ draft: StripeInvoice) async throws {
        switch LineComparison(invoice, try await client.lines(of: draft)) {
        case .equal:
            state.recoveryPoint = .verified
            try await move("verified", nil)
        case .incomplete(let words): try await startAnew(words)
        case .foreign(let words):
            throw try await hold("edited_at_stripe", "the draft was changed at Stripe: \(words)")
        }
    }

    /// Compares a finalized invoice with what it should be, before anything is mailed or collected.
    mutating func confirm(_ found: StripeInvoice, _ record: Record? = nil) async throws {
        guard found.status != .void, found.status != .uncollectible else {
            return try await review()
        }
        if let words = try await difference(of: found) {
            guard found.status == .open else {
                throw try await hold(
                    "differs_at_stripe", "Stripe has it as \(found.status), but \(words)", record)
            }
            return try await void("it was finalized, but \(words)", record)
        }
        state.status = found.status == .paid ? .paid : .open
        state.recoveryPoint = found.status == .paid ? .collected : .finalized
        try await move("finalized", found.id, record)
    }

    /// What is wrong with an invoice at Stripe; nothing: it is ours, to the last line.
    func difference(of found: StripeInvoice) async throws -> String? {
        guard isOurs(found) else { return "its metadata are not ours any more" }
        if found.currency != invoice.currency.code { return "its currency is \(found.currency)" }
        if found.subtotal != invoice.totalMinor {
            return "it comes to \(found.subtotal) instead of \(invoice.totalMinor)"
        }
        switch LineComparison(invoice, try await client.lines(of: found)) {
        case .equal: return nil
        case .incomplete(let words), .foreign(let words): return words
        }
    }

    func isOurs(_ found: StripeInvoice) -> Bool {
        found.metadata[StripeMetadata.invoice] == invoice.invoiceID
            && found.metadata[StripeMetadata.ledger] == requests.ledgerID
    }

    /// - Returns: nothing if Stripe has no such invoice any more.
    func read() async throws -> StripeInvoice? {
        guard let id = state.stripeInvoiceID else { return nil }
        do {
            return try await client.ask(.get("/v1/invoices/\(id)"))
        } catch let error as StripeError where error.isMissing {
            return nil
        }
    }

    /// A mailing leaves no trace in the invoice, but an event.
    func wasMailed(_ found: StripeInvoice) async throws -> Bool {
        var wasMailed = false
        let filter: StripeForm = ["type": "invoice.sent", "created[gte]": String(found.created)]
        try await client.list("/v1/events", filter, id: \StripeEvent.id) { events in
            wasMailed = wasMailed || events.contains { $0.data.object.id == found.id }
        }
        return wasMailed
    }

    /// The next of these keys that may still be used.
    mutating func epoch(of step: SubmissionStep) async throws -> Int {
        guard let last = stored.first(where: { $0.step == step }) else { return 0 }
        guard last.outcome != nil, last.outcome != .done else { return last.epoch }
        guard last.epoch + 1 < Self.maximumEpoch else {
            throw try await giveUp(
                "Stripe answered \(step.rawValue) \(last.epoch + 1) times with an error that it keeps: "
                    + (lastError.map { "\($0)" } ?? "see jobs invoices show"))
        }
        return last.epoch + 1
    }
}
