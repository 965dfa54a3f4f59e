internal import Billing
internal import Exact
internal import Ledger
internal import Logging

/// Sending invoices to Stripe, wired to the settings.
struct Submission {
    private let live: Live
    private let store: SubmissionStore
    private let client: StripeClient
    private let check: AccountCheck
    private let requests: StripeRequests
    private let isLive: Bool
    private let stop: StopRequest

    /// Whether anything was begun or approved, of any month, that a run goes on with by itself.
    static func hasUnfinished(_ live: Live) async throws -> Bool {
        let store = SubmissionStore(pool: live.pool, holder: Live.processName)
        if try await !store.due(slot: nil, customers: nil, after: nil).isEmpty { return true }
        return try await !ProposalStore(pool: live.pool).creditNotesDue().isEmpty
    }

    /// Asks Stripe who we are to it.
    ///
    /// - Throws: what refuses to send: settings, another account than the ledger's, billing paused.
    static func prepare(_ live: Live, stop: StopRequest) async throws -> Submission {
        if let pause = try await BillingPause.current(pool: live.pool) {
            throw SubmissionInterruption.paused("\(pause.by) at \(pause.since): \(pause.reason)")
        }
        let submission = try await Submission(live, stop)
        try await submission.check.bind(StripeAccountStore(pool: live.pool))
        return submission
    }

    private init(_ live: Live, _ stop: StopRequest) async throws {
        self.live = live
        self.stop = stop
        (client, isLive) = try live.stripe()
        store = SubmissionStore(pool: live.pool, holder: Live.processName)
        check = AccountCheck(client: client, isLive: isLive)
        requests = live.settings.stripeRequests(
            try await InvoiceStore(pool: live.pool).ledgerID())
    }

    /// Goes on with whatever was begun or approved, of any month.
    @discardableResult
    func resume(customers: [String]? = nil) async throws -> SubmissionSummary {
        let due = try await store.due(slot: nil, customers: customers, after: nil)
        var options = SubmissionRun.Options()
        options.customers = customers
        var summary = SubmissionSummary()
        if let first = due.first {
            guard let month = CivilMonth(first.slot) else {
                preconditionFailure("checked by the schema")
            }
            let sweep = try await sweep(since: month)
            summary = try await run(options, slot: nil, sweep, total: nil)
        }
        try await submissionRun(options).makeCreditNotes(
            of: nil, ProposalStore(pool: live.pool), &summary)
        return summary
    }

    /// Sends the invoices of a month that are due.
    func submit(
        _ month: CivilMonth, customers: [String]?, limit: Int?
    ) async throws -> SubmissionReport {
        let carried = try await store.settleCarried(
            slot: "\(month)", mode: isLive ? "live" : "test", customers: customers)
        var sweep = AccountCheck.Sweep()
        var summary = SubmissionSummary()
        var options = SubmissionRun.Options()
        options.customers = customers
        options.limit = limit
        if try await !store.due(slot: "\(month)", customers: customers, after: nil).isEmpty {
            sweep = try await self.sweep(since: month)
            let before = try await store.progress(slot: "\(month)")
            summary = try await run(
                options, slot: "\(month)", sweep, total: before.computed + before.unfinished)
        }
        try await submissionRun(options).makeCreditNotes(
            of: "\(month)", ProposalStore(pool: live.pool), &summary)
        let progress = try await store.progress(slot: "\(month)")
        let isAllSent = try await store.due(slot: "\(month)", customers: nil, after: nil).isEmpty
        return SubmissionReport(
            month: month, isLive: isLive, summary: summary, sweep: sweep, carried: carried,
            progress: progress,
            isComplete: isAllSent && progress.unsettled == 0)
    }

    private func sweep(since month: CivilMonth) async throws -> AccountCheck.Sweep {
        // Nothing of a month is sent before it has ended somewhere; a day for clocks that disagree.
        let since = Int64(month.next.firstDay.daysSinceEpoch - 2) * 86_400
        return try await check.sweep(since: since, ledgerID: requests.ledgerID, store: store)
    }

    private func run(
        _ options: SubmissionRun.Options, slot: String?, _ sweep: AccountCheck.Sweep, total: Int?
    ) async throws -> SubmissionSummary {
        let line = ProgressLine("submitting", total: total.map { min($0, options.limit ?? .max) })
        defer { line.finish() }
        return try await submissionRun(options).run(slot: slot, suspects: sweep.suspects) {
            line.update($0.count)
        }
    }

    private func submissionRun(_ options: SubmissionRun.Options) -> SubmissionRun {
        var options = options
        options.width = live.settings.concurrency
        // An invoice that was begun is finished, if that does not take too long.
        options.isStopping = { [stop] in stop.isRequested }
        stop.allowFinishing(seconds: Int(live.settings.stopGraceSeconds) / 2)
        return SubmissionRun(
            invoices: InvoiceStore(pool: live.pool), store: store, client: client,
            requests: requests, isLive: isLive, options: options, logger: live.logger)
    }
}
