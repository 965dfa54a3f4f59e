internal import ArgumentParser
internal import Billing
internal import Exact
internal import Foundation
internal import Ledger
internal import Usage

struct InvoicesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invoices", abstract: "Look at invoices, explain them, and check them.",
        subcommands: [
            List.self, Show.self, Export.self, Verify.self, Hold.self, Release.self, Propose.self,
            Approve.self, Reject.self,
        ])

    struct List: StatusCommand {
        static let configuration = CommandConfiguration(abstract: "List invoices with their lines.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "Of this month, as 2026-10.") var slot: CivilMonth?
        @Option(name: .long, help: "Of this customer.") var customer: String?
        @Option(
            name: .long,
            help: "With this status, such as computed, carried, skipped_zero, superseded.")
        var status: String?

        mutating func runToStatus() async throws -> ExitStatus {
            let filter = InvoiceFilter(slot: slot, customerID: customer, status: status)
            return try await Live.run(common, usesClickHouse: false) { [list] live in
                var listing = Listing(InvoiceRow.columns, format: list.format)
                try await InvoiceStore(pool: live.pool).forEach(filter) { invoices in
                    for invoice in invoices { try listing.add(InvoiceRow.cells(invoice)) }
                }
                try listing.finish()
                return .done
            }
        }
    }

    struct Export: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Write a month's invoice lines as CSV, one line a row, with events and tiers, for a spreadsheet.",
            discussion: """
                Every invoice of the month is there, one without lines as a row without a line. What the rows \
                come to, and how many customers have no invoice (unmapped, inactive, not closed), is said on \
                stderr. Exits 1 if the rows do not come to what the ledger's invoices do. In JSON tiers are \
                objects, and decimals strings.
                """)

        @OptionGroup var common: CommonOptions
        @Option(name: .long, help: "The month, as 2026-10.") var slot: CivilMonth
        @Option(name: .long, help: "csv or json.") var format: ListFormat = .csv

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [slot, format] live in
                var export = InvoiceExport(slot, format: format)
                try await InvoiceStore(pool: live.pool).forEach(InvoiceFilter(slot: slot)) {
                    invoices in
                    for invoice in invoices { try export.add(invoice) }
                }
                try export.finish()
                let tiesOut = export.tiesOut(
                    try await BillingStatus.list(slot: "\(slot)", pool: live.pool))
                let run = try await MonthReport.lastRun(of: slot, pool: live.pool)
                writeText(export.summary(tiesOut: tiesOut, run: run), to: STDERR_FILENO)
                return tiesOut ? .done : .needsAPerson
            }
        }
    }

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Explain one invoice: its lines, its tiers, and everything that happened to it.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The invoice's id.") var id: String

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [id] live in
                try await InvoiceExplanation.read(id, live).print()
                return .done
            }
        }
    }

    struct Hold: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send nothing more of an invoice before it is released.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The invoice's id.") var id: String
        @Option(name: .long, help: "Why; recorded with your name.") var reason: String

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id, reason] live in
                try await InvoiceHold(pool: live.pool, person: Live.person).hold(id, reason: reason)
                try printLine("held; let it go on with: jobs invoices release \(id) --reason ...")
                return .done
            }
        }
    }

    struct Release: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let the next run go on with a held invoice from where it stands.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The invoice's id.") var id: String
        @Option(name: .long, help: "Why; recorded with your name.") var reason: String

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id, reason] live in
                try await InvoiceHold(pool: live.pool, person: Live.person).release(
                    id, reason: reason)
                try printLine("released; the next run goes on with it")
                return .done
            }
        }
    }

    struct Verify: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Compute invoices again from the events, and compare; exits 1 if one differs."
        )

        @OptionGroup var common: CommonOptions
        @Argument(help: ArgumentHelp("The ids of invoices.", valueName: "id"))
        var ids: [String] = []
        @Option(name: .long, help: "All invoices of this month.") var slot: CivilMonth?

        mutating func validate() throws {
            guard ids.isEmpty != (slot == nil) else {
                throw ValidationError("name invoices, or a month with --slot")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common) { [ids, slot] live in
                let store = InvoiceStore(pool: live.pool)
                var verifier = try await Verifier(live)
                if let slot {
                    try await store.forEach(InvoiceFilter(slot: slot)) { invoices in
                        for invoice in invoices { try await verifier.verify(invoice) }
                    }
                }
                for id in ids { try await verifier.verify(try await store.invoice(id)) }
                try printLine(
                    "\(grouped(verifier.verified)) verified: \(grouped(verifier.differing)) differ")
                return verifier.differing > 0 ? .needsAPerson : .done
            }
        }
    }
}

/// Verifies invoice after invoice, and prints what differs.
private struct Verifier {
    private let live: Live
    private let ledgerID: String
    private let catalogs: [String: CatalogStore.Version]
    private(set) var verified = 0
    private(set) var differing = 0

    init(_ live: Live) async throws {
        self.live = live
        ledgerID = try await InvoiceStore(pool: live.pool).ledgerID()
        catalogs = Dictionary(
            uniqueKeysWithValues: try await CatalogStore(pool: live.pool).all().map {
                ($0.version, $0)
            })
    }

    mutating func verify(_ invoice: Invoice) async throws {
        guard let version = catalogs[invoice.catalogVersion], let slot = CivilMonth(invoice.slot)
        else {
            preconditionFailure("the schema refuses an invoice without its catalog or slot")
        }
        let calculation = InvoiceCalculation(
            catalog: try Catalog(yaml: version.source), catalogHash: version.sourceSHA256,
            ledgerID: ledgerID, slot: slot, policy: live.settings.invoicePolicy)
        let query = try await live.usageQuery(of: invoice, metrics: calculation.catalog.metrics)
        let none = calculation.catalog.metrics.map { _ in MetricUsage.none }
        let counted = try await live.usage.fromWinners(query, customer: invoice.customerID)
        var rolledUp: CustomerUsage?
        try await live.usage.forEachBatch(query, customer: invoice.customerID) { customers in
            rolledUp = customers.first ?? rolledUp
        }
        let quarantined = try await QuarantineStore(pool: live.pool, sealed: query.sealed)
            .customers(
                invoice.start..<invoice.end, customer: invoice.customerID)
        let verification = InvoiceVerification(
            invoice: invoice, calculation: calculation, usage: counted?.metrics ?? none,
            isQuarantined: !quarantined.isEmpty)
        var differences =
            invoice.kind == Proposal.Kind.supplementary.rawValue
            ? verification.differences(charged: try await charged(invoice))
            : verification.differences
        if counted != rolledUp {
            differences.append(
                "the rollups do not agree with the events: run jobs run seal-usage --rebuild")
        }
        verified += 1
        guard !differences.isEmpty else { return }
        differing += 1
        try printLine("\(invoice.invoiceID) of \(invoice.customerID) differs:")
        for difference in differences { try printLine("  \(difference)") }
    }

    /// What the invoice's month was charged, line by line, with this supplementary invoice.
    private func charged(_ supplementary: Invoice) async throws -> [String: Int64] {
        let regular = InvoiceID.invoice(
            ledgerID: ledgerID, customerID: supplementary.customerID, start: supplementary.start,
            end: supplementary.end, kind: "regular", revision: 0)
        return try await ProposalStore(pool: live.pool)
            .charged(regular, through: supplementary.revision)
    }
}

/// An invoice as a row of a list.
enum InvoiceRow {
    static let columns: [Listing.Column] = [
        .init("invoice_id"), .init("customer_id"), .init("slot"),
        .init("timezone", isInTable: false), .init("period_start", isInTable: false),
        .init("period_end", isInTable: false), .init("kind"),
        .init("revision", isInTable: false), .init("mode", isInTable: false), .init("status"),
        .init("hold_reason"), .init("currency"), .init("total_minor"),
        .init("stripe_invoice_id", isInTable: false),
        .init("catalog_version"),
        .init("cutoff_batch", isInTable: false), .init("lines", isInTable: false),
    ]

    static func cells(_ invoice: Invoice) throws -> [Cell] {
        let lines = invoice.lines.map { line in
            """
            {"line_id":\(JSONText.string(line.lineID)),"metric":\(JSONText.string(line.metric)),\
            "quantity":\(JSONText.string(line.quantity)),"amount_minor":\(line.amountMinor),\
            "description":\(JSONText.string(line.description))}
            """
        }
        return [
            .text(invoice.invoiceID), .text(invoice.customerID), .text(invoice.slot),
            .text(invoice.timezone), .text("\(invoice.start)"), .text("\(invoice.end)"),
            .text(invoice.kind), .integer(Int64(invoice.revision)), .text(invoice.mode),
            .text(invoice.status), .text(invoice.holdReason), .text(invoice.currency.code),
            .money(invoice.totalMinor, invoice.currency), .text(invoice.stripeInvoiceID),
            .text(invoice.catalogVersion), .integer(invoice.cutoffBatch),
            .json("[\(lines.joined(separator: ","))]"),
        ]
    }
}
