/// An event of Stripe as it came.
package struct ReceivedEvent: Sendable, Equatable {
    package enum Source: String, Sendable {
        /// Stripe sent it.
        case endpoint
        /// It was found in Stripe's list.
        case backfill
        /// Reconciliation found the invoice to be in another state than the ledger says.
        case reconcile
    }

    package let id: String
    package let type: String
    /// Nothing: a thin event.
    package let apiVersion: String?
    package let isLive: Bool
    /// The connected account that it is of; nothing: the endpoint's own.
    package let account: String?
    package let objectID: String?
    /// JSON.
    package let payload: String

    package init(
        id: String, type: String, apiVersion: String?, isLive: Bool, account: String?,
        objectID: String?, payload: String
    ) {
        self.id = id
        self.type = type
        self.apiVersion = apiVersion
        self.isLive = isLive
        self.account = account
        self.objectID = objectID
        self.payload = payload
    }
}

/// An event that somebody works on, until its time runs out or somebody else has taken it.
package struct TakenEvent: Sendable, Equatable {
    package let id: String
    package let payload: String
    /// How often it was taken, this time included.
    package let attempts: Int
    let token: Int64
}

/// What became of an event, for people.
package struct WebhookRecord: Sendable {
    package let id: String
    package let type: String
    package let state: String
    package let attempts: Int
    package let objectID: String?
    package let invoiceID: String?
    package let isLive: Bool
    package let account: String?
    package let apiVersion: String?
    package let source: String
    package let note: String?
    /// Unix time in milliseconds, like the others.
    package let received: Int64
    package let settled: Int64?
    package let nextAttempt: Int64
}

/// What events say of an invoice, beside its status.
package struct InvoiceStanding: Sendable, Equatable {
    package enum Dispute: String, Sendable {
        case open, won, lost
    }

    package var isOverdue = false
    package var dispute: Dispute?
    /// Minor units, like the next one.
    package var refunded: Int64 = 0
    package var credited: Int64 = 0

    package init() {}
}

/// What people hear of an event.
package struct AlertChanges: Sendable {
    package var raised: [Alert] = []
    /// Kinds of which all that was raised about the invoice is over.
    package var endedKinds: [String] = []
    /// The keys of others that are over.
    package var endedKeys: [String] = []

    package init() {}
}

extension Alert {
    /// Of an event that was given up.
    package static func deadWebhookKey(_ eventID: String) -> String {
        "webhook_dead_letter:\(eventID)"
    }
}

/// The invoice of ours that an event is about.
package struct WebhookSubject: Sendable, Equatable {
    package let invoiceID: String
    package let customerID: String
    package let slot: String
    /// Whether its submission has begun.
    package let isBegun: Bool
    package let standing: InvoiceStanding
}
