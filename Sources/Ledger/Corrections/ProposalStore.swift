internal import Foundation
package import Postgres

/// Proposals of corrections: recorded, decided, and read. Whoever proposes or decides holds the lease, so that
/// nothing is proposed twice for what is being decided.
package struct ProposalStore: Sendable {
    package static let leaseName = "corrections"

    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Which proposals; `nil` is no restriction.
    package struct Filter: Sendable {
        package var slot: String?
        package var customerID: String?
        package var invoiceID: String?
        package var id: Int64?
        package var isOpen: Bool

        package init(
            slot: String? = nil, customerID: String? = nil, invoiceID: String? = nil,
            id: Int64? = nil, isOpen: Bool = false
        ) {
            self.slot = slot
            self.customerID = customerID
            self.invoiceID = invoiceID
            self.id = id
            self.isOpen = isOpen
        }

        var parameters: [(any PostgresEncodable)?] { [slot, customerID, invoiceID, id, isOpen] }
    }

    package func list(_ filter: Filter) async throws -> [Proposal] {
        try await pool.query(SQL.proposalList, filter.parameters).rows.map(Proposal.init)
    }

    package func proposal(_ id: Int64) async throws -> Proposal {
        guard let proposal = try await list(Filter(id: id)).first else {
            throw LedgerError(
                code: .notFound,
                description:
                    "there is no proposal \(id); jobs invoices propose shows those that are open")
        }
        return proposal
    }

    /// Makes these the open proposals of a month: those that say something else are withdrawn.
    ///
    /// - Parameter customerID: of this customer alone; `nil`: of all.
    /// - Returns: how many are new, and how many were withdrawn.
    package func propose(
        _ corrections: [Correction], slot: String, customerID: String?, by person: String,
        _ lease: Lease
    ) async throws -> (added: Int, withdrawn: Int) {
        let open = try await list(Filter(slot: slot, customerID: customerID, isOpen: true))
        let current = Dictionary(uniqueKeysWithValues: open.map { ($0.invoiceID, $0) })
        let wanted = Dictionary(uniqueKeysWithValues: corrections.map { ($0.invoiceID, $0) })
        let stale = open.filter { $0.lines != wanted[$0.invoiceID]?.lines }
        let new = corrections.filter { $0.lines != current[$0.invoiceID]?.lines }
        try await fenced(lease) { connection in
            for proposal in stale {
                try Self.decide(
                    connection, proposal.id, .withdrawn, by: person, "usage or terms have changed")
            }
            for correction in new {
                let lines = String(
                    decoding: try JSONEncoder().encode(correction.lines), as: UTF8.self)
                _ = try connection.query(
                    SQL.proposalAdd,
                    [
                        correction.invoiceID, correction.kind.rawValue, correction.amountMinor,
                        correction.cutoffBatch, correction.inputHash, person, lines,
                    ])
            }
        }
        return (new.count, stale.count)
    }

    /// What a supplementary invoice is called, and its lines.
    package struct Supplementary: Sendable {
        package let invoiceID: String
        /// Computed, or carried.
        package let status: ComputedInvoice.Status
        /// Of each of the proposal's lines, by its own id.
        package let lineIDs: [String: String]

        package init(invoiceID: String, status: ComputedInvoice.Status, lineIDs: [String: String]) {
            self.invoiceID = invoiceID
            self.status = status
            self.lineIDs = lineIDs
        }
    }

    /// - Parameter supplementary: the invoice that it becomes; `nil`: a credit note, which a run makes.
    /// - Throws: `LedgerError` if it is not open any more.
    package func approve(
        _ proposal: Proposal, as supplementary: Supplementary?, by person: String, reason: String,
        _ lease: Lease
    ) async throws {
        guard proposal.status == .open else { throw LedgerError.isDecided(proposal.id) }
        try await fenced(lease) { connection in
            if let supplementary {
                _ = try connection.query(SQL.balanceLock, [proposal.customerID])
                let names = supplementary.lineIDs.map { ["old_id": $0.key, "new_id": $0.value] }
                let lines = String(decoding: try JSONEncoder().encode(names), as: UTF8.self)
                _ = try connection.query(
                    SQL.supplementaryAdd,
                    [supplementary.invoiceID, proposal.id, supplementary.status.rawValue, lines])
            }
            try Self.decide(
                connection, proposal.id, .approved, by: person, reason, supplementary?.invoiceID)
        }
    }

    /// Leaves it as it was charged.
    package func reject(
        _ proposal: Proposal, by person: String, reason: String, _ lease: Lease
    ) async throws {
        try await fenced(lease) { connection in
            try Self.decide(connection, proposal.id, .rejected, by: person, reason)
        }
    }

    /// What was charged of the lines of an invoice, with what was decided of its proposals up to one.
    package func charged(_ invoiceID: String, through number: Int) async throws -> [String: Int64] {
        let rows = try await pool.query(SQL.chargedLines, [invoiceID, number]).rows
        return Dictionary(
            uniqueKeysWithValues: try rows.map {
                (try $0.decode("line_id"), try $0.decode("amount_minor"))
            })
    }

    /// Credit notes that were approved, and are still to be made.
    package func creditNotesDue(
        slot: String? = nil, customers: [String]? = nil, proposalID: Int64? = nil
    ) async throws -> [CreditNoteDue] {
        try await pool.query(SQL.creditNotesDue, [slot, customers, proposalID]).rows.map { row in
            CreditNoteDue(
                proposalID: try row.decode("proposal_id"), number: try row.decode("number"),
                invoice: SubmissionStore.Due(
                    slot: try row.decode("slot"), customerID: try row.decode("customer_id"),
                    invoiceID: try row.decode("invoice_id")),
                amountMinor: try row.decode("amount_minor"))
        }
    }

    private func fenced(
        _ lease: Lease, _ body: @Sendable (isolated PostgresConnection) throws -> Void
    ) async throws {
        try await pool.transaction { connection in
            try connection.mark(lease)
            try body(connection)
            try connection.fenceCommit(lease)
        }
    }

    private static func decide(
        _ connection: isolated PostgresConnection, _ id: Int64, _ status: Proposal.Status,
        by person: String, _ reason: String, _ supplementaryID: String? = nil
    ) throws {
        let decided = try connection.query(
            SQL.proposalDecide, [id, status.rawValue, person, reason, supplementaryID])
        guard !decided.rows.isEmpty else { throw LedgerError.isDecided(id) }
    }
}

extension LedgerError {
    fileprivate static func isDecided(_ id: Int64) -> Self {
        Self(code: .conflict, description: "proposal \(id) was decided already")
    }
}
