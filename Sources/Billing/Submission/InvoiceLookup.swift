internal import Exact
internal import Ledger

/// Looking at Stripe for what became of an invoice whose requests have no answer.
extension InvoiceSubmission {
    /// Takes what Stripe has of this invoice as ours: an invoice that is finalized, or a draft that is
    /// complete. Other drafts of it are deleted.
    ///
    /// - Returns: whether there was anything to take.
    mutating func adopt() async throws -> Bool {
        let found = try await ours()
        // One that was voided may have been made good since.
        let finalized = found.filter { $0.status != .draft }
        let standing = finalized.filter { $0.status != .void }
        let final = standing.isEmpty ? Array(finalized.prefix(1)) : standing
        guard final.count < 2 else {
            throw try await hold(
                "two_at_stripe",
                "Stripe has it \(final.count) times: \(final.map(\.id).joined(separator: ", "))")
        }
        var kept = final.first
        for draft in found where draft.status == .draft {
            let lines = try await client.lines(of: draft)
            if kept == nil, LineComparison(invoice, lines) == .equal {
                kept = draft
            } else {
                try await delete(draft)
            }
        }
        guard let kept else { return false }
        if let known = unansweredCreation { try await end(known, as: .replaced) }
        state.status = .submitting
        state.stripeInvoiceID = kept.id
        state.recoveryPoint = .linesAdded
        try await move("adopted", "found at Stripe as \(kept.id)")
        if kept.status != .draft { try await review() }
        return true
    }

    /// Deletes drafts of this invoice other than its own: what a request left behind that was answered by
    /// an error and carried out all the same.
    mutating func deleteStrays() async throws {
        for draft in try await ours()
        where draft.status == .draft && draft.id != state.stripeInvoiceID {
            try await delete(draft)
        }
    }

    /// Sets the draft aside, and whatever keys it had. What Stripe still has of it is looked for before
    /// the next one is created.
    mutating func startAnew(_ words: String) async throws {
        if let known = unansweredCreation { try await end(known, as: .replaced) }
        state.recoveryPoint = nil
        state.stripeInvoiceID = nil
        state.draftEpoch += 1
        try await move("draft_set_aside", words)
    }

    /// The invoice is not where it was left: goes on from where Stripe has it.
    mutating func review() async throws {
        guard let found = try await read() else {
            guard state.status == .submitting else {
                throw try await hold("deleted_at_stripe", "Stripe does not have it any more")
            }
            return try await startAnew("Stripe does not have the draft any more")
        }
        switch found.status {
        case .draft: try await startAnew("the draft is not as it was left")
        case .open, .paid: try await confirm(found)
        case .void, .uncollectible:
            state.status = found.status == .void ? .void : .uncollectible
            throw try await hold(
                "\(found.status.rawValue)_at_stripe", "it is \(found.status.rawValue) at Stripe")
        }
    }

    private var unansweredCreation: StoredRequest? {
        stored.first {
            $0.step == .create && $0.epoch == state.draftEpoch && $0.outcome == nil
        }
    }

    private func ours() async throws -> [StripeInvoice] {
        guard let customer = invoice.stripeCustomerID else { return [] }
        // Nothing of a period is made before its end; a day for clocks that disagree.
        let since = String(invoice.end.unixSeconds - 86_400)
        var found: [StripeInvoice] = []
        try await client.list(
            "/v1/invoices", ["customer": customer, "created[gte]": since], id: \StripeInvoice.id
        ) { page in
            found += page.filter(isOurs)
        }
        return found
    }

    private func delete(_ draft: StripeInvoice) async throws {
        struct Deleted: Decodable {}
        do {
            _ = try await client.ask(.delete("/v1/invoices/\(draft.id)"), as: Deleted.self)
        } catch let error as StripeError where error.isMissing {
            // Somebody was faster.
        }
    }
}
