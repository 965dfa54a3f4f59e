internal import Exact
package import Ledger
package import Logging
internal import Postgres

/// What becomes of an event that is worked on.
package enum WebhookOutcome: String, Sendable, CaseIterable {
    case processed, ignored, foreign
    /// Somebody else works on its invoice: it is tried again at once, and that is no failure.
    case postponed
    /// It failed, and is tried again later.
    case failed
    /// It failed too often: a person must look.
    case dead
}

/// Works on one event: reads the invoice from Stripe under its claim, and moves the ledger's forward.
///
/// What an event says is never believed but for its being about something: whatever the order in which events
/// come, and however often, the invoice ends where Stripe has it.
package struct WebhookProcessor: Sendable {
    package struct Settings: Sendable {
        package var isLive: Bool
        /// The account that the ledger bills into.
        package var accountID: String
        /// Whether an invoice whose submission was interrupted may be taken up here. That may void it.
        package var heals: Bool

        package init(isLive: Bool, accountID: String, heals: Bool) {
            self.isLive = isLive
            self.accountID = accountID
            self.heals = heals
        }
    }

    let settings: Settings
    let store: WebhookStore
    let submissions: SubmissionStore
    let invoices: InvoiceStore
    let client: StripeClient
    let requests: StripeRequests
    let logger: Logger

    /// Attempts that fail for reasons of the event's own, and those in which Stripe did not answer, or the key
    /// was not allowed to ask.
    static let maximumAttempts = 8
    static let maximumUnanswered = 40
    /// When to look again at an event whose invoice somebody works on.
    static let busySeconds = 2

    package init(
        settings: Settings, store: WebhookStore, submissions: SubmissionStore,
        invoices: InvoiceStore, client: StripeClient, requests: StripeRequests, logger: Logger
    ) {
        self.settings = settings
        self.store = store
        self.submissions = submissions
        self.invoices = invoices
        self.client = client
        self.requests = requests
        self.logger = logger
    }

    /// Why an event leads to nothing now.
    enum Obstacle: Error {
        case ignored(String)
        case foreign(String)
        /// For so many seconds.
        case later(Int, String)
        /// It contradicts what the ledger holds.
        case contradiction(String)
    }

    /// - Throws: what makes going on pointless: the ledger is away, or Stripe does not let the key in. Whoever
    ///   took the event puts it back.
    package func process(_ taken: TakenEvent) async throws -> WebhookOutcome {
        guard taken.attempts <= Self.maximumUnanswered else {
            return try await fail(taken, "whoever worked on it did not come to an end")
        }
        do {
            try await follow(taken)
            return .processed
        } catch let obstacle as Obstacle {
            switch obstacle {
            case .ignored(let note):
                try await store.settle(taken, as: .ignored, note: note)
                return .ignored
            case .foreign(let note):
                try await store.settle(taken, as: .foreign, note: note)
                return .foreign
            case .later(let seconds, let note): return try await postpone(taken, seconds, note)
            case .contradiction(let note): return try await fail(taken, note)
            }
        } catch let interruption as SubmissionInterruption {
            let seconds = interruption == .claimLost ? Self.busySeconds : 60
            return try await postpone(taken, seconds, "\(interruption)")
        } catch let error as StripeError {
            switch error.kind {
            case .unauthorized: throw error
            case .retry, .throttled:
                return try await fail(taken, "\(error)", limit: Self.maximumUnanswered)
            // What a restricted key may not read is no fault of the event's.
            case .refused where error.status == 403:
                return try await fail(taken, "\(error)", limit: Self.maximumUnanswered)
            case .burned, .refused: return try await fail(taken, "\(error)")
            }
        } catch let error as PostgresError where error.isAboutTheStatement {
            return try await fail(taken, "\(error)")
        }
    }

    private func postpone(
        _ taken: TakenEvent, _ seconds: Int, _ note: String
    ) async throws -> WebhookOutcome {
        try await store.postpone(taken, seconds: seconds, isFailure: false, note: note)
        return .postponed
    }

    private func fail(
        _ taken: TakenEvent, _ reason: String, limit: Int = maximumAttempts
    ) async throws -> WebhookOutcome {
        guard taken.attempts < limit else {
            logger.error(
                "webhook given up", metadata: ["event": "\(taken.id)", "why": "\(reason)"])
            let alert = WebhookAlerts.deadLetter(
                taken.id, reason: reason, of: try await invoice(namedBy: taken))
            try await store.bury(taken, reason: reason, alert: alert)
            return .dead
        }
        logger.warning("webhook failed", metadata: ["event": "\(taken.id)", "why": "\(reason)"])
        try await store.postpone(
            taken, seconds: Self.delaySeconds(after: taken.attempts), isFailure: true, note: reason)
        return .failed
    }

    /// The invoice of ours that an event names by itself, and whose it is.
    private func invoice(
        namedBy taken: TakenEvent
    ) async throws -> (id: String, customerID: String)? {
        guard let event = try? WebhookEvent(Array(taken.payload.utf8)),
            let stripeID = event.object.invoice ?? event.object.id
        else { return nil }
        let metadata = event.object.metadata ?? [:]
        let isOurs = metadata[StripeMetadata.ledger] == requests.ledgerID
        return try await store.invoice(
            stripeID: stripeID, ourID: isOurs ? metadata[StripeMetadata.invoice] : nil)
    }

    /// 5, 10, 20 seconds and so on, at most an hour.
    static func delaySeconds(after attempts: Int) -> Int {
        min(5 << min(attempts - 1, 10), 3600)
    }
}

extension PostgresError {
    /// Whether the server is well and refuses what was asked of it, and would again.
    fileprivate var isAboutTheStatement: Bool {
        guard case .server(let state) = code else { return false }
        return !["08", "40", "53", "57", "58"].contains(state.prefix(2))
    }
}
