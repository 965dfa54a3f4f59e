internal import Ledger

/// Giving back what an invoice that was sent charged too much.
extension InvoiceSubmission {
    /// Makes one approved credit note, once.
    ///
    /// What was asked for is looked for among the invoice's notes before it is asked for again, and then under the same
    /// key, however old: a request that is still on its way finds its key in use. Another key is taken only after Stripe
    /// has answered under the last one, and has no such note all the same.
    mutating func makeCreditNote(_ note: CreditNoteDue) async throws -> SubmissionResult {
        do {
            var tries = Tries(client.patience)
            while true {
                let epoch = try await epoch(of: note)
                let last = requests(of: note).first
                if let last, try await adopt(note, last) { return .collected }
                let paid = try await paidMinor(of: note)
                let made = requests.creditNote(note, of: invoice, paidMinor: paid, epoch: epoch)
                let exchange: Exchange<StripeCreditNote> = try await exchange(
                    made, epoch: epoch, &tries)
                switch exchange {
                case .done(let answer, _, let record):
                    try await store.credited(
                        claim, note, stripeID: answer.id,
                        ending: .init(
                            key: record.request.idempotencyKey, outcome: .done, objectID: answer.id),
                        attempt: (record.attempt, record.answer))
                    return .collected
                case .unknown: try await reloadRequests()
                case .refused(let error):
                    // What is paid may have changed between the question and the request.
                    guard try await paidMinor(of: note) == paid else { continue }
                    throw try await giveUp(
                        "Stripe refused the credit note of proposal \(note.proposalID): \(error)")
                }
            }
        } catch let stop as Stop {
            return stop.result
        }
    }

    /// So many keys may a note use up.
    private static var epochsOfANote: Int { 16 }

    private func requests(of note: CreditNoteDue) -> [StoredRequest] {
        let first = note.number * Self.epochsOfANote
        return stored.filter {
            $0.step == .creditNote && first..<first + Self.epochsOfANote ~= $0.epoch
        }
    }

    /// The note's key that may be used: the last one, unless Stripe has answered under it.
    private mutating func epoch(of note: CreditNoteDue) async throws -> Int {
        let first = note.number * Self.epochsOfANote
        guard let last = requests(of: note).first else { return first }
        guard last.outcome != nil else { return last.epoch }
        guard last.epoch + 1 < first + Self.epochsOfANote else {
            throw try await giveUp(
                "Stripe did not make the credit note of proposal \(note.proposalID): "
                    + (lastError.map { "\($0)" } ?? "see jobs invoices show"))
        }
        return last.epoch + 1
    }

    /// Looks for the note among those of the invoice.
    ///
    /// - Returns: whether Stripe has made it.
    private func adopt(_ note: CreditNoteDue, _ request: StoredRequest) async throws -> Bool {
        var found: [StripeCreditNote] = []
        try await client.list(
            "/v1/credit_notes", ["invoice": invoice.stripeInvoiceID ?? ""],
            id: \StripeCreditNote.id
        ) { page in
            found += page.filter {
                $0.metadata[StripeMetadata.proposal] == String(note.proposalID)
                    && $0.metadata[StripeMetadata.ledger] == requests.ledgerID
            }
        }
        guard let made = found.first else { return false }
        try await store.credited(
            claim, note, stripeID: made.id,
            ending: .init(key: request.idempotencyKey, outcome: .replaced))
        return true
    }

    /// How much of a note is of what was paid already.
    private func paidMinor(of note: CreditNoteDue) async throws -> Int64 {
        let found: StripeAmountRemaining = try await client.ask(
            .get("/v1/invoices/\(invoice.stripeInvoiceID ?? "")"))
        return max(0, note.amountMinor - found.amountRemaining)
    }
}
