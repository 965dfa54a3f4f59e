internal import ArgumentParser
internal import Billing
internal import Exact
internal import Ledger
internal import Logging
internal import Usage

extension RunCommand {
    struct Bill: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Price a month of usage, record its invoices, and send them.",
            discussion: """
                Reads the exact usage of the month in every customer's own time zone, prices it by the \
                catalog in force, and stores one invoice a customer. Running it again replaces what was \
                computed and not sent, and changes nothing if nothing has changed.

                With billing.mode live it then creates, finalizes and sends the invoices at Stripe, each \
                exactly once, whoever is killed or runs beside it. In dry-run nothing is sent; --requests \
                writes down what would be.
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
        @Option(
            name: .long,
            help: ArgumentHelp("Send at the most so many invoices.", valueName: "number"))
        var limit: Int?
        @Option(name: .long, help: "How to print the result: table or json (one object).")
        var format: SummaryFormat = .table

        mutating func validate() throws {
            if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            let settings = try common.settings()
            try settings.refuseUnexpectedLiveKey()
            let month = slot ?? CivilMonth(containing: .today).previous
            let isSent = !dryRun && settings.billingMode == .live
            if isSent { try checkSending(settings, month) }
            return try await Live.run(common) { [self] live in
                try await run(live, month, isSent: isSent)
            }
        }

        /// Before anything is opened: what must not be done is refused at once.
        private func checkSending(_ settings: Settings, _ month: CivilMonth) throws {
            _ = try settings.requiredStripeKey()
            guard let first = settings.firstSlot else {
                throw SettingsError(
                    """
                    billing.mode is live, but billing.first_slot is not set: say which month is the first \
                    that is billed from here, so that none is billed twice
                    """)
            }
            guard month >= first else {
                throw Failure(
                    .refused,
                    "\(month) is before billing.first_slot, \(first): it was billed elsewhere")
            }
            guard defaultPlan == nil else {
                throw Failure(.usage, "--default-plan is for dry-runs: nobody agreed to pay that")
            }
        }

        private func run(
            _ live: Live, _ month: CivilMonth, isSent: Bool
        ) async throws -> ExitStatus {
            let now = Instant.now
            let submission = isSent ? try await Submission.prepare(live) : nil
            if let submission, slot == nil { try await submission.resume() }
            let (calculation, version) = try await live.calculation(of: month)
            let plan = try plan(of: calculation.catalog)
            let chosen = customers?.split(separator: ",").map(String.init)
            let sealing = try await SealingProgress.run { report in
                try await live.sealer().seal(waits: true, progress: report)
            }
            let summary = try await BillingRun(
                calculation: calculation, defaultPlan: plan, customers: chosen, now: now,
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
            let report = BillingReport(
                summary: summary, metrics: calculation.catalog.metrics, isSent: isSent)
            try printed {
                try format == .json ? report.printJSON() : report.printText()
                if let written, format == .table { try printLine("requests  \(written)") }
            }
            guard let submission else { return summary.needsAPerson ? .needsAPerson : .done }
            let sent = try await submission.submit(month, customers: chosen, limit: limit)
            try printed { try format == .json ? sent.printJSON() : sent.printText() }
            return summary.needsAPerson || sent.needsAPerson ? .needsAPerson : .done
        }

        /// Nobody may read it any more; the work is done all the same, and the status says how it ended.
        private func printed(_ body: () throws -> Void) throws {
            do { try body() } catch is BrokenOutput {}
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
                writer = try PlanFileWriter(
                    path: path, requests: live.settings.stripeRequests(calculation.ledgerID))
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
