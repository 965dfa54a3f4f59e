internal import ArgumentParser
internal import Billing
internal import Exact
internal import Ledger
internal import Logging
internal import Usage

extension RunCommand {
    struct Bill: SlotJobCommand {
        static let configuration = CommandConfiguration(
            commandName: "bill",
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
        @OptionGroup var slots: SlotOptions
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
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Send what this file says, which --requests wrote; refused if anything has changed.",
                valueName: "file"))
        var plan: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Refuse a plan whose usage was sealed longer ago, as 36h or 3d.", valueName: "age"))
        var maxPlanAge: Age?
        @Option(name: .long, help: "How to print the result: table or json (one object).")
        var format: SummaryFormat = .table

        mutating func validate() throws {
            try validateSlots()
            if let limit, limit < 1 { throw ValidationError("--limit is at least 1") }
            if plan != nil, requests != nil || customers != nil || defaultPlan != nil {
                throw ValidationError(
                    "--plan says what is sent; --requests, --customers and --default-plan go without it"
                )
            }
            if maxPlanAge != nil, plan == nil {
                throw ValidationError("--max-plan-age goes with --plan")
            }
            if requests != nil, let slot = slots.slot, slot.first != slot.last {
                throw ValidationError("--requests takes one month; \(slot) are several")
            }
        }

        /// Before anything is opened: what must not be done is refused at once.
        func check(_ settings: Settings) throws {
            try settings.refuseUnexpectedLiveKey()
            guard isSent(settings) else { return }
            _ = try settings.requiredStripeKey()
            guard let first = settings.firstSlot else {
                throw SettingsError(
                    """
                    billing.mode is live, but billing.first_slot is not set: say which month is the first \
                    that is billed from here, so that none is billed twice
                    """)
            }
            if let asked = slots.slot?.first, asked < Slot(first) {
                throw Failure(
                    .refused,
                    "\(asked) is before billing.first_slot, \(first): it was billed elsewhere")
            }
            guard defaultPlan == nil else {
                throw Failure(.usage, "--default-plan is for dry-runs: nobody agreed to pay that")
            }
        }

        func slotRange() throws -> SlotRange? {
            guard let plan else { return slots.slot }
            let slot = Slot(try PlanFile(path: plan).month)
            if let asked = slots.slot, asked != SlotRange(slot) {
                throw Failure(.usage, "--plan \(plan) is of \(slot), not of \(asked)")
            }
            return SlotRange(slot)
        }

        func isSent(_ settings: Settings) -> Bool {
            !dryRun && settings.billingMode == .live
        }

        func bill(
            _ month: CivilMonth, _ run: SlotRun, _ live: Live
        ) async throws -> SlotOutcome {
            let begin = ContinuousClock.now
            let isSent = isSent(live.settings)
            let submission = isSent ? try await Submission.prepare(live, stop: run.stop) : nil
            let (calculation, version) = try await live.calculation(of: month)
            let defaultPlan = try defaultPlan(of: calculation.catalog)
            let plan = try plan.map(PlanFile.init)
            var chosen = customers?.split(separator: ",").map(String.init)
            let sealed =
                if let plan { try await usage(of: plan, calculation, version, live) } else {
                    try await SealingProgress.run { report in
                        try await live.sealer().seal(waits: true, progress: report)
                    }.usage
                }
            let summary = try await BillingRun(
                calculation: calculation, defaultPlan: defaultPlan, customers: chosen, now: run.now,
                sealed: sealed
            ).run(usage: live.usage, lease: run.lease, pool: live.pool)
            live.logger.info(
                "billed",
                metadata: [
                    "slot": "\(month)", "catalog": "\(version.version)",
                    "cutoff_batch": "\(sealed.cutoff)",
                    "customers": "\(summary.customers)", "due": "\(summary.due.count)",
                    "needs_a_person": "\(summary.needsAPerson)",
                    "seconds": "\((ContinuousClock.now - begin).components.seconds)",
                ])
            var written: String?
            if let requests {
                written = try await writeRequests(
                    to: requests, live, version, calculation, cutoff: sealed.cutoff)
            }
            let report = BillingReport(
                summary: summary, metrics: calculation.catalog.metrics, cutoffBatch: sealed.cutoff,
                isSent: isSent)
            try printed {
                try format == .json ? report.printJSON() : report.printText()
                if let written, format == .table { try printLine("requests  \(written)") }
            }
            if let plan {
                let match = try await plan.match(
                    InvoiceStore(pool: live.pool),
                    live.settings.stripeRequests(calculation.ledgerID))
                chosen = match.customers
                try printed {
                    try printLine(
                        "plan      \(grouped(plan.header.invoices)) invoices: \(grouped(match.customers.count)) to send, "
                            + "\(grouped(match.begun)) begun before")
                }
            }
            let isWhole = chosen == nil && summary.notClosedUntil == nil
            guard let submission else {
                return SlotOutcome(
                    isComplete: isWhole, status: summary.needsAPerson ? .needsAPerson : .done,
                    figures: report.figures)
            }
            let heldAnomalies = try await live.settings.anomalyHolds.apply(
                to: month, pool: live.pool)
            if heldAnomalies > 0, format == .table {
                try printed {
                    try printLine(
                        "anomalies \(grouped(heldAnomalies)) invoices are held: jobs invoices list --slot \(month)"
                    )
                }
            }
            let sent = try await submission.submit(month, customers: chosen, limit: limit)
            try printed { try format == .json ? sent.printJSON() : sent.printText() }
            // What was begun is finished; the rest is for the next run.
            if !sent.isComplete && run.stop.isRequested { throw CancellationError() }
            return SlotOutcome(
                isComplete: isWhole && sent.isComplete,
                status: summary.needsAPerson || sent.needsAPerson || heldAnomalies > 0
                    ? .needsAPerson : .done,
                figures: report.figures)
        }

        /// Nobody may read it any more; the work is done all the same, and the status says how it ended.
        private func printed(_ body: () throws -> Void) throws {
            do { try body() } catch is BrokenOutput {}
        }

        /// The usage that a plan counted, once it is sure that nothing else has changed.
        private func usage(
            of plan: PlanFile, _ calculation: InvoiceCalculation, _ version: CatalogStore.Version,
            _ live: Live
        ) async throws -> SealedUsage {
            try plan.check(
                ledgerID: calculation.ledgerID, catalog: version,
                account: await StripeAccountStore(pool: live.pool).bound())
            let batches = BatchStore(pool: live.pool)
            if let maxPlanAge,
                try await batches.age(of: plan.header.cutoffBatch) > maxPlanAge.seconds
            {
                throw Failure(
                    .refused,
                    "the usage of the plan was sealed longer ago than \(maxPlanAge); make a new one"
                )
            }
            return try await batches.sealed(cutoff: plan.header.cutoffBatch)
        }

        private func defaultPlan(of catalog: Catalog) throws -> Plan? {
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
            to path: String, _ live: Live, _ version: CatalogStore.Version,
            _ calculation: InvoiceCalculation, cutoff: Int64
        ) async throws -> String {
            let writer: PlanFileWriter
            do {
                writer = try PlanFileWriter(
                    path: path, requests: live.settings.stripeRequests(calculation.ledgerID))
            } catch {
                throw Failure(.usage, "--requests \(path) cannot be written: \(error)")
            }
            let filter = InvoiceFilter(slot: calculation.slot, isDue: true)
            try await InvoiceStore(pool: live.pool).forEach(filter) { invoices in
                for invoice in invoices { try writer.add(invoice) }
            }
            try writer.finish(
                slot: calculation.slot, catalogVersion: version.version,
                catalogHash: version.sourceSHA256, cutoffBatch: cutoff,
                account: await StripeAccountStore(pool: live.pool).bound(),
                programVersion: programVersion)
            return
                "\(grouped(writer.requestCount)) requests of \(grouped(writer.invoiceCount)) invoices in \(path)"
        }
    }
}

/// A time span, as 36h or 3d.
struct Age: ExpressibleByArgument, CustomStringConvertible {
    let seconds: Int64
    let description: String

    init?(argument: String) {
        let units: [Character: Int64] = ["m": 60, "h": 3600, "d": 86_400]
        guard let unit = argument.last.flatMap({ units[$0] }),
            let count = Int64(argument.dropLast()),
            count > 0, count < 1_000_000
        else { return nil }
        seconds = count * unit
        description = argument
    }
}
