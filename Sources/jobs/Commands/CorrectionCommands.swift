internal import ArgumentParser
internal import Billing
internal import Exact
internal import Ledger
internal import Logging
internal import Usage

extension InvoicesCommand {
    struct Propose: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Propose what makes up for late usage of a month that was sent.",
            discussion: """
                Counts the month again, with everything sealed by now, and compares: each invoice that was \
                sent and would come to another amount gets one proposal, a supplementary invoice or a credit \
                note. Nothing is sent, and no invoice changes, before somebody approves. Running it again \
                replaces what is open. Exits 1 if proposals wait for a person.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "The month, as 2026-10.") var slot: CivilMonth
        @Option(name: .long, help: "Of this customer alone.") var customer: String?

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common) { [slot, customer, list] live in
                let sealed = try await SealingProgress.run { report in
                    try await live.sealer().seal(waits: true, progress: report)
                }.usage
                let open = try await live.correcting { store, lease in
                    let differences = try await BillingRun(
                        calculation: live.calculation(of: slot).0, defaultPlan: nil,
                        customers: nil, now: .now, sealed: sealed
                    ).differences(isDone: true, usage: live.usage, pool: live.pool)
                    let corrections = Corrections.of(differences, cutoffBatch: sealed.cutoff)
                        .filter { customer == nil || $0.customerID == customer }
                    let (added, withdrawn) = try await store.propose(
                        corrections, slot: "\(slot)", customerID: customer, by: Live.person, lease)
                    live.logger.info(
                        "proposed",
                        metadata: [
                            "slot": "\(slot)", "cutoff_batch": "\(sealed.cutoff)",
                            "added": "\(added)", "withdrawn": "\(withdrawn)",
                        ])
                    return try await store.list(
                        .init(slot: "\(slot)", customerID: customer, isOpen: true))
                }
                var listing = Listing(ProposalRow.columns, format: list.format)
                for proposal in open { try listing.add(ProposalRow.cells(proposal)) }
                try listing.finish()
                if list.format == .table {
                    try printLine(
                        open.isEmpty
                            ? "nothing to correct: what was sent is what the month comes to"
                            : "decide with: jobs invoices approve|reject ID --reason ...")
                }
                return open.isEmpty ? .done : .needsAPerson
            }
        }
    }

    struct Approve: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let the next run of bill send what was proposed.",
            discussion: """
                A supplementary invoice is sent like every invoice, once; what is less than Stripe charges is \
                carried into the customer's next one. A credit note lowers what is still to be paid; of what \
                was paid, the customer's balance at Stripe gets it.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The proposal's number.") var id: Int64
        @Option(name: .long, help: "Why; recorded with your name.") var reason: String

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id, reason] live in
                let words = try await live.correcting { store, lease in
                    let proposal = try await store.proposal(id)
                    let invoices = InvoiceStore(pool: live.pool)
                    let invoice = try await invoices.invoice(proposal.invoiceID)
                    guard !["void", "uncollectible"].contains(invoice.status) else {
                        throw Failure(
                            .badInput,
                            "\(invoice.invoiceID) is \(invoice.status) by now: run jobs invoices propose again"
                        )
                    }
                    guard proposal.kind == .supplementary else {
                        guard !live.settings.automaticTax else {
                            throw Failure(
                                .refused,
                                "stripe.automatic_tax is on: make this credit note at Stripe, by line, and reject the proposal"
                            )
                        }
                        try await store.approve(
                            proposal, as: nil, by: Live.person, reason: reason, lease)
                        return "the next jobs run bill makes the credit note"
                    }
                    let supplementary = Corrections.supplementary(
                        proposal, to: invoice, ledgerID: try await invoices.ledgerID())
                    try await store.approve(
                        proposal, as: supplementary, by: Live.person, reason: reason, lease)
                    return supplementary.status == .carried
                        ? "it is too small to be charged: the customer's next invoice has it"
                        : "the next jobs run bill sends \(supplementary.invoiceID)"
                }
                try printLine("approved; \(words)")
                return .done
            }
        }
    }

    struct Reject: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Leave an invoice as it was sent; its difference is not told again.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The proposal's number.") var id: Int64
        @Option(name: .long, help: "Why; recorded with your name.") var reason: String

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id, reason] live in
                try await live.correcting { store, lease in
                    try await store.reject(
                        try await store.proposal(id), by: Live.person, reason: reason, lease)
                }
                try printLine("rejected; what was sent stays, and is not proposed again")
                return .done
            }
        }
    }
}

extension Live {
    /// Works on proposals while nobody else does.
    fileprivate func correcting<Result: Sendable>(
        _ body: @escaping @Sendable (ProposalStore, Lease) async throws -> Result
    ) async throws -> Result {
        let store = ProposalStore(pool: pool)
        return try await Lease.with(
            ProposalStore.leaseName, holder: Self.processName, pool: pool, waits: true
        ) { lease in try await body(store, lease) }
    }
}

/// A proposal as a row of a list.
private enum ProposalRow {
    static let columns: [Listing.Column] = [
        .init("proposal_id"), .init("invoice_id"), .init("customer_id"),
        .init("slot", isInTable: false),
        .init("kind"), .init("currency"), .init("amount_minor"),
        .init("cutoff_batch", isInTable: false), .init("status", isInTable: false),
        .init("lines", isInTable: false), .init("what"),
    ]

    static func cells(_ proposal: Proposal) -> [Cell] {
        let lines = proposal.lines.map { line in
            """
            {"line_id":\(JSONText.string(line.lineID)),"metric":\(JSONText.string(line.metric)),\
            "quantity":\(JSONText.string(line.quantity)),"amount_minor":\(line.amountMinor),\
            "description":\(JSONText.string(line.description))}
            """
        }
        return [
            .integer(proposal.id), .text(proposal.invoiceID), .text(proposal.customerID),
            .text(proposal.slot), .text(proposal.kind.rawValue), .text(proposal.currency.code),
            .money(proposal.amountMinor, proposal.currency), .integer(proposal.cutoffBatch),
            .text(proposal.status.rawValue), .json("[\(lines.joined(separator: ","))]"),
            .text(proposal.lines.map(\.description).joined(separator: "; ")),
        ]
    }
}
