internal import Foundation
package import Ledger

/// What must be so before a run sends its first request.
package struct AccountCheck: Sendable {
    /// Why nothing may be sent to this account.
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    /// What Stripe has under this ledger's name.
    package struct Sweep: Sendable, Equatable {
        /// Invoices of the ledger that it does not know to be at Stripe: it was restored from a backup.
        package var suspects: Set<String> = []
        /// Invoices of Stripe whose invoice the ledger does not know at all.
        package var unknown: [String] = []
        /// Drafts that were left behind, and were deleted.
        package var strays = 0

        package init() {}
    }

    private let client: StripeClient
    private let isLive: Bool

    package init(client: StripeClient, isLive: Bool) {
        self.client = client
        self.isLive = isLive
    }

    /// Binds the ledger to the key's account, the first time; compares it, every other time.
    ///
    /// - Throws: ``Refusal``; what asking Stripe throws.
    package func bind(_ store: StripeAccountStore) async throws {
        let account: StripeAccount = try await client.ask(.get("/v1/account"))
        let given = BoundAccount(accountID: account.id, isLive: isLive)
        let bound = try await store.bind(given)
        guard bound == given else {
            throw Refusal(
                description: """
                    this ledger bills into Stripe's account \(Self.name(bound)), but STRIPE_API_KEY is of \
                    \(Self.name(given)); correct the key, or use another database for another account
                    """)
        }
    }

    /// Goes through Stripe's invoices since a time for those of this ledger.
    ///
    /// A draft that is not the one that its invoice goes on with is deleted: a request left it behind.
    ///
    /// - Parameter since: Unix time in seconds.
    package func sweep(
        since: Int64, ledgerID: String, store: SubmissionStore
    ) async throws -> Sweep {
        var sweep = Sweep()
        try await client.list(
            "/v1/invoices", ["created[gte]": String(since)], id: \StripeInvoice.id
        ) { page in
            let ours = page.filter { $0.metadata[StripeMetadata.ledger] == ledgerID }
            guard !ours.isEmpty else { return }
            let known = try await store.known(
                ours.compactMap { $0.metadata[StripeMetadata.invoice] })
            for found in ours {
                let id = found.metadata[StripeMetadata.invoice] ?? ""
                switch known[id] {
                case nil: sweep.unknown.append(found.id)
                case let known? where known.stripeInvoiceID == found.id: break
                case let known? where known.stripeInvoiceID != nil && found.status == .draft:
                    sweep.strays += try await delete(found) ? 1 : 0
                case let known? where known.stripeInvoiceID != nil:
                    if found.status != .void { sweep.unknown.append(found.id) }
                // The ledger would not send it now, but Stripe has it.
                case let known? where !known.isBegun && known.status != "computed":
                    if found.status != .void { sweep.unknown.append(found.id) }
                default: sweep.suspects.insert(id)
                }
            }
        }
        return sweep
    }

    private func delete(_ draft: StripeInvoice) async throws -> Bool {
        struct Deleted: Decodable {}
        do {
            _ = try await client.ask(.delete("/v1/invoices/\(draft.id)"), as: Deleted.self)
            return true
        } catch let error as StripeError where error.isMissing || error.kind == .refused {
            return false
        }
    }

    private static func name(_ account: BoundAccount) -> String {
        "\(account.accountID) (\(account.isLive ? "live" : "test") mode)"
    }
}
