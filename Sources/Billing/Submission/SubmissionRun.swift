package import Ledger
package import Logging
internal import Synchronization

/// Submits the invoices of a slot to Stripe, many side by side, each under a claim of its own.
package struct SubmissionRun: Sendable {
    package struct Options: Sendable {
        /// Only these; `nil`: everybody.
        package var customers: [String]?
        /// At the most so many invoices.
        package var limit: Int?
        /// How many invoices are worked on at once.
        package var width = 32
        /// Asked before each invoice: whether to begin no more.
        package var isStopping: @Sendable () -> Bool = { false }

        package init() {}
    }

    private let invoices: InvoiceStore
    private let store: SubmissionStore
    private let client: StripeClient
    private let requests: StripeRequests
    private let isLive: Bool
    private let options: Options
    private let logger: Logger

    package init(
        invoices: InvoiceStore, store: SubmissionStore, client: StripeClient,
        requests: StripeRequests, isLive: Bool, options: Options, logger: Logger
    ) {
        self.invoices = invoices
        self.store = store
        self.client = client
        self.requests = requests
        self.isLive = isLive
        self.options = options
        self.logger = logger
    }

    /// - Parameters:
    ///   - slot: `nil`: whatever was begun, of any slot.
    ///   - suspects: invoices that Stripe has and the ledger does not know to be there.
    ///   - progress: called after each invoice with how many are done.
    /// - Throws: what makes going on pointless: the ledger is away, Stripe does not let the key in, billing
    ///   was paused, or Stripe does not answer at all.
    package func run(
        slot: String?, suspects: Set<String> = [],
        progress: @escaping @Sendable (SubmissionSummary) -> Void = { _ in }
    ) async throws -> SubmissionSummary {
        let feed = Feed(store, slot: slot, options: options)
        let tally = Tally()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, options.width) {
                group.addTask {
                    while !options.isStopping(), let due = try await feed.next() {
                        let isSuspect = suspects.contains(due.invoiceID)
                        let end = try await claimed(due) { try await submit(due, $0, isSuspect) }
                        let current = tally.add(end, of: due)
                        progress(current)
                        guard current.unansweredInARow < options.width * 2 else {
                            throw StripeUnreachable(
                                "Stripe has not answered for \(current.unansweredInARow) invoices in a row"
                            )
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        return tally.summary
    }

    /// Makes the credit notes that were approved, one after the other.
    package func makeCreditNotes(
        of slot: String?, _ proposals: ProposalStore, _ summary: inout SubmissionSummary
    ) async throws {
        let due = try await proposals.creditNotesDue(slot: slot, customers: options.customers)
        for note in due where !options.isStopping() {
            let end = try await claimed(note.invoice) { claim in
                // Another run may have made it between the list and the claim.
                let isDue = try await !proposals.creditNotesDue(proposalID: note.proposalID).isEmpty
                guard isDue else { return .taken }
                var submission = try await submission(
                    of: note.invoice, claim, try await store.state(claim))
                let result = try await submission.makeCreditNote(note)
                return result == .collected ? .credited : self.end(result, of: note.invoice)
            }
            summary.add(end, of: note.invoice)
        }
    }

    /// Works on an invoice under a claim of its own.
    private func claimed(
        _ due: SubmissionStore.Due,
        _ work: (InvoiceClaim) async throws -> SubmissionSummary.End
    ) async throws -> SubmissionSummary.End {
        guard let claim = try await store.claim(due.invoiceID) else { return .taken }
        do {
            let end = try await work(claim)
            try await store.release(claim)
            return end
        } catch SubmissionInterruption.claimLost {
            return .taken
        } catch let interruption as SubmissionInterruption {
            try await store.release(claim)
            throw interruption
        } catch let error as StripeError {
            // While only looking something up: nothing is given up for that.
            try await store.release(claim)
            if error.kind == .unauthorized { throw error }
            logger.warning(
                "left for the next run",
                metadata: ["invoice": "\(due.invoiceID)", "error": "\(error)"])
            return .unanswered("\(error)")
        } catch is CancellationError {
            try await Task.detached { try await store.release(claim) }.value
            throw CancellationError()
        }
    }

    private func submit(
        _ due: SubmissionStore.Due, _ claim: InvoiceClaim, _ isSuspect: Bool
    ) async throws -> SubmissionSummary.End {
        var state = try await store.state(claim)
        if state.status == .computed {
            let mode = isLive ? "live" : "test"
            guard try await store.start(claim, customerID: due.customerID, mode: mode) else {
                return .changed
            }
            state = try await store.state(claim)
        }
        // Another run may have ended it, or computed it anew, between the list and the claim.
        guard state.recoveryPoint != .collected, state.standingHold == nil,
            [.submitting, .open, .paymentFailed].contains(state.status)
        else { return .taken }
        var submission = try await submission(of: due, claim, state, isSuspect: isSuspect)
        return end(try await submission.run(), of: due)
    }

    private func submission(
        of due: SubmissionStore.Due, _ claim: InvoiceClaim, _ state: SubmissionState,
        isSuspect: Bool = false
    ) async throws -> InvoiceSubmission {
        InvoiceSubmission(
            invoice: try await invoices.invoice(due.invoiceID), claim: claim, store: store,
            client: client, requests: requests, isLive: isLive, state: state,
            stored: try await store.requests(of: due.invoiceID), isSuspect: isSuspect)
    }

    private func end(
        _ result: SubmissionResult, of due: SubmissionStore.Due
    ) -> SubmissionSummary.End {
        switch result {
        case .collected: return .collected
        case .held(let words):
            logger.warning("held", metadata: ["invoice": "\(due.invoiceID)", "why": "\(words)"])
            return .held(words)
        case .deadLetter(let words, let isUnanswered):
            logger.warning(
                "dead letter", metadata: ["invoice": "\(due.invoiceID)", "why": "\(words)"])
            return .deadLetter(words, isUnanswered: isUnanswered)
        }
    }
}

/// What became of the invoices of a run.
package struct SubmissionSummary: Sendable, Equatable {
    package enum End: Sendable, Equatable {
        case collected
        /// A credit note was made.
        case credited
        case held(String)
        case deadLetter(String, isUnanswered: Bool)
        /// Another run works on it, or has ended it.
        case taken
        /// It was computed again, held, or its carried balance changed, since it was listed.
        case changed
        /// Stripe did not answer a question; the next run goes on.
        case unanswered(String)
    }

    package struct Failure: Sendable, Equatable {
        package let invoice: SubmissionStore.Due
        package let reason: String
    }

    package private(set) var collected = 0
    package private(set) var credited = 0
    package private(set) var taken = 0
    package private(set) var changed = 0
    package private(set) var held: [Failure] = []
    package private(set) var deadLetters: [Failure] = []
    package private(set) var unanswered: [Failure] = []
    /// How many of the last ones ended without a word from Stripe.
    fileprivate var unansweredInARow = 0

    package init() {}

    mutating func add(_ end: End, of invoice: SubmissionStore.Due) {
        var isUnanswered = false
        switch end {
        case .collected: collected += 1
        case .credited: credited += 1
        case .held(let reason): held.append(Failure(invoice: invoice, reason: reason))
        case .deadLetter(let reason, let hasNoAnswer):
            deadLetters.append(Failure(invoice: invoice, reason: reason))
            isUnanswered = hasNoAnswer
        case .taken: taken += 1
        case .changed: changed += 1
        case .unanswered(let reason):
            unanswered.append(Failure(invoice: invoice, reason: reason))
            isUnanswered = true
        }
        unansweredInARow = isUnanswered ? unansweredInARow + 1 : 0
    }

    package var needsAPerson: Bool {
        !held.isEmpty || !deadLetters.isEmpty || !unanswered.isEmpty || changed > 0
    }

    package var count: Int {
        collected + credited + taken + changed + held.count + deadLetters.count + unanswered.count
    }
}

/// Counts what becomes of the invoices of those who work side by side.
private final class Tally: Sendable {
    private let state = Mutex(SubmissionSummary())

    var summary: SubmissionSummary { state.withLock { $0 } }

    func add(
        _ end: SubmissionSummary.End, of invoice: SubmissionStore.Due
    ) -> SubmissionSummary {
        state.withLock { summary in
            summary.add(end, of: invoice)
            return summary
        }
    }
}

/// Hands out the invoices that are due, one by one and in order, to whoever asks.
private actor Feed {
    private let store: SubmissionStore
    private let slot: String?
    private let customers: [String]?
    private var remaining: Int
    private var page: ArraySlice<SubmissionStore.Due> = []
    private var last: SubmissionStore.Due?
    private var fetching: Task<Void, any Error>?
    private var isOver = false

    init(_ store: SubmissionStore, slot: String?, options: SubmissionRun.Options) {
        self.store = store
        self.slot = slot
        customers = options.customers
        remaining = options.limit ?? .max
    }

    func next() async throws -> SubmissionStore.Due? {
        while remaining > 0 {
            if let due = page.popFirst() {
                remaining -= 1
                return due
            }
            guard !isOver else { return nil }
            // One fetch at a time, for all who wait.
            let task = fetching ?? Task { try await fetch() }
            fetching = task
            try await task.value
        }
        return nil
    }

    private func fetch() async throws {
        defer { fetching = nil }
        let due = try await store.due(slot: slot, customers: customers, after: last)
        page = due[...]
        last = due.last ?? last
        isOver = due.isEmpty
    }
}
