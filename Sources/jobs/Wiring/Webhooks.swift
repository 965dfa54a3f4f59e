internal import Billing
internal import Exact
internal import Ledger
internal import Logging
internal import Synchronization

/// Stripe's events, wired to the settings.
struct Webhooks: Sendable {
    let store: WebhookStore
    let records: WebhookRecords
    let client: StripeClient
    let backfill: WebhookBackfill
    let logger: Logger
    private let isLive: Bool
    private let heals: Bool
    private let accounts: StripeAccountStore
    private let submissions: SubmissionStore
    private let invoices: InvoiceStore
    private let requests: StripeRequests

    init(_ live: Live) async throws {
        (client, isLive) = try live.stripe(attempts: 3)
        store = WebhookStore(pool: live.pool)
        records = WebhookRecords(pool: live.pool)
        backfill = WebhookBackfill(store: store, client: client)
        logger = live.logger
        // A dry run sends nothing to Stripe that changes anything.
        heals = live.settings.billingMode == .live
        accounts = StripeAccountStore(pool: live.pool)
        submissions = SubmissionStore(pool: live.pool, holder: Live.processName)
        invoices = InvoiceStore(pool: live.pool)
        requests = live.settings.stripeRequests(try await invoices.ledgerID())
    }

    /// What works on events, for the account that the ledger bills into.
    ///
    /// - Throws: `AccountCheck.Refusal` if the key is of another one.
    func run() async throws -> WebhookRun {
        try await AccountCheck(client: client, isLive: isLive).bind(accounts)
        guard let account = try await accounts.bound() else {
            preconditionFailure("it was just bound")
        }
        let processor = WebhookProcessor(
            settings: .init(isLive: isLive, accountID: account.accountID, heals: heals),
            store: store, submissions: submissions, invoices: invoices, client: client,
            requests: requests, logger: logger)
        return WebhookRun(store: store, processor: processor)
    }
}
