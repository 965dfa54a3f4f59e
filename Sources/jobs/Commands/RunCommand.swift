internal import ArgumentParser
internal import Billing
internal import Exact
internal import Ledger
internal import Logging
internal import Usage

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a job for a slot of time.",
        subcommands: [SealUsage.self, Bill.self])

    struct Bill: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Price a month of usage and record its invoices.",
            discussion: """
                Reads the exact usage of the month in every customer's own time zone, prices it by the \
                catalog in force, and stores one invoice a customer. Running it again replaces what was \
                computed, and changes nothing if nothing has changed. Nothing is sent to Stripe: \
                --requests writes down what would be.
                """)

        @OptionGroup var common: CommonOptions
        @Option(
            name: .long,
            help: ArgumentHelp("The month, as 2026-10 (default: the last one).", valueName: "month")
        )
        var slot: CivilMonth?
        @Flag(name: .long, help: "Send nothing to Stripe, whatever billing.mode says.")
        var dryRun = false
        @Option(
            name: .long,
            help: ArgumentHelp("Write the requests to Stripe to this file.", valueName: "file"))
        var requests: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Dry-run only: price customers without terms by this plan.", valueName: "plan"))
        var defaultPlan: String?
        @Option(
            name: .long,
            help: ArgumentHelp("Only these customers, separated by commas.", valueName: "ids"))
        var customers: String?
        @Option(name: .long, help: "How to print the result: table or json (one object).")
        var format: SummaryFormat = .table

        mutating func runToStatus() async throws -> ExitStatus {
            try refuseSending(try common.settings())
            return try await Live.run(common) { [self] live in try await run(live) }
        }

        /// Before anything is opened: what must not be done is refused at once.
        private func refuseSending(_ settings: Settings) throws {
            try settings.refuseUnexpectedLiveKey()
            guard dryRun || settings.billingMode == .dryRun else {
                throw Failure(
                    .configuration,
                    "billing.mode is live, but this version sends nothing to Stripe; add --dry-run")
            }
        }

        private func run(_ live: Live) async throws -> ExitStatus {
            let now = Instant.now
            let month = slot ?? CivilMonth(containing: .today).previous
            let (calculation, version) = try await live.calculation(of: month)
            let plan = try plan(of: calculation.catalog)
            let sealing = try await SealingProgress.run { report in
                try await live.sealer().seal(waits: true, progress: report)
            }
            let summary = try await BillingRun(
                calculation: calculation, defaultPlan: plan,
                customers: customers?.split(separator: ",").map(String.init), now: now,
                sealed: sealing.usage
            ).run(usage: live.usage, pool: live.pool)
            live.logger.info(
                "billed",
                metadata: [
                    "slot": "\(month)", "catalog": "\(version.version)",
                    "cutoff_batch": "\(sealing.usage.cutoff)",
                    "customers": "\(summary.customers)", "due": "\(summary.due.count)",
                    "needs_a_person": "\(summary.needsAPerson)",
                    "seconds": "\((Instant.now.milliseconds - now.milliseconds) / 1000)",
                ])
            var written: String?
            if let requests {
                written = try await writeRequests(to: requests, live, month, version, calculation)
            }
            let report = BillingReport(summary: summary, metrics: calculation.catalog.metrics)
            do {
                try format == .json ? report.printJSON() : report.printText()
                if let written, format == .table { try printLine("requests  \(written)") }
            } catch is BrokenOutput {
                // Nobody reads it; the work is done all the same, and the status says how it ended.
            }
            return summary.needsAPerson ? .needsAPerson : .done
        }

        private func plan(of catalog: Catalog) throws -> Plan? {
            guard let defaultPlan else { return nil }
            guard let plan = catalog.plan(defaultPlan) else {
                let known = catalog.plans.map(\.code).joined(separator: ", ")
                throw Failure(
                    .usage,
                    "--default-plan: catalog \(catalog.version) has no plan '\(defaultPlan)', but \(known)"
                )
            }
            return plan
        }

        private func writeRequests(
            to path: String, _ live: Live, _ month: CivilMonth, _ version: CatalogStore.Version,
            _ calculation: InvoiceCalculation
        ) async throws -> String {
            let writer: PlanFileWriter
            do {
                writer = try PlanFileWriter(path: path, ledgerID: calculation.ledgerID)
            } catch {
                throw Failure(.usage, "--requests \(path) cannot be written: \(error)")
            }
            let filter = InvoiceFilter(slot: month, isDue: true)
            try await InvoiceStore(pool: live.pool).forEach(filter) { invoices in
                for invoice in invoices { try writer.add(invoice) }
            }
            try writer.finish(
                slot: month, catalogVersion: version.version, catalogHash: version.sourceSHA256,
                programVersion: programVersion)
            return
                "\(grouped(writer.requestCount)) requests of \(grouped(writer.invoiceCount)) invoices in \(path)"
        }
    }
}

extension CivilMonth: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }
}
