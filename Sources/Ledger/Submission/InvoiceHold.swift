package import Postgres

/// A person's holds. Both take the invoice's claim: a run that works on it is not contradicted.
package struct InvoiceHold: Sendable {
    private let invoices: InvoiceStore
    private let store: SubmissionStore

    /// - Parameter person: whose word it is; the journal has the name.
    package init(pool: PostgresPool, person: String) {
        invoices = InvoiceStore(pool: pool)
        store = SubmissionStore(pool: pool, holder: person)
    }

    /// Nothing more is sent of the invoice before it is released.
    ///
    /// - Throws: `LedgerError` if there is nothing left to hold, or a run works on it.
    package func hold(_ invoiceID: String, reason: String) async throws {
        try await change(invoiceID) { state in
            guard ![.paid, .void, .uncollectible, .superseded].contains(state.status),
                state.recoveryPoint != .collected
            else { throw LedgerError.nothingToHold(invoiceID, state) }
            if let hold = state.standingHold { throw LedgerError.isHeld(invoiceID, hold) }
            state.standingHold = "by_hand"
            return ("held", reason)
        }
    }

    /// Lets the next run go on with the invoice from where it stands.
    ///
    /// - Throws: `LedgerError` if it is not held, or was ended at Stripe, or a run works on it.
    package func release(_ invoiceID: String, reason: String) async throws {
        let computed = try await invoices.invoice(invoiceID).holdReason
        try await change(invoiceID) { state in
            guard state.standingHold != nil else {
                throw LedgerError.isNotHeld(invoiceID, computedHold: computed)
            }
            guard state.status != .void, state.status != .uncollectible else {
                throw LedgerError.nothingToHold(invoiceID, state)
            }
            state.standingHold = nil
            return ("released", reason)
        }
    }

    private func change(
        _ invoiceID: String,
        _ body: (inout SubmissionState) throws -> (event: String, detail: String)
    ) async throws {
        _ = try await invoices.invoice(invoiceID)
        guard let claim = try await store.claim(invoiceID) else {
            let holder = try await store.holder(of: invoiceID)
            throw LedgerError.held(
                invoiceID,
                by: holder.map { "\($0.name), for \($0.seconds) s at the most" } ?? "just ended")
        }
        do {
            var state = try await store.state(claim)
            let (event, detail) = try body(&state)
            try await store.move(claim, to: state, event: event, detail: detail)
            try await store.release(claim)
        } catch {
            try await store.release(claim)
            throw error
        }
    }
}

extension LedgerError {
    fileprivate static func nothingToHold(_ id: String, _ state: SubmissionState) -> Self {
        Self(
            code: .conflict,
            description: "invoice \(id) is \(state.status.rawValue): nothing more is sent of it")
    }

    fileprivate static func isHeld(_ id: String, _ hold: String) -> Self {
        Self(code: .conflict, description: "invoice \(id) is held already: \(hold)")
    }

    fileprivate static func isNotHeld(_ id: String, computedHold: String?) -> Self {
        guard let computedHold else {
            return Self(code: .conflict, description: "invoice \(id) is not held")
        }
        return Self(
            code: .conflict,
            description: """
                invoice \(id) is held because of \(computedHold), which goes away when its cause does: \
                jobs invoices show \(id)
                """)
    }
}
