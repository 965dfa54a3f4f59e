internal import ArgumentParser
internal import Billing
internal import Exact
internal import Foundation
internal import Ledger
internal import Logging
internal import Usage

extension RunCommand {
    struct Reconcile: SlotJobCommand {
        static let configuration = CommandConfiguration(
            commandName: "reconcile",
            abstract: "Compare the ledger with usage and with Stripe, invoice by invoice.",
            discussion: """
                Compares what was charged in the two months before the day (or in --month), to everybody, \
                with the usage of now, and what was sent with what Stripe has: late, missing, price, \
                rounding, edited, duplicate, extra, status, stray_draft. Mends only what changes nothing \
                that a customer was told: a draft that was left behind is deleted, an invoice whose status \
                differs is read again. Exits 1 if anything differs that is not mended.
                """)

        static let job = JobDescription(
            name: "reconcile", summary: "compare the ledger with usage and with Stripe",
            cadence: .daily, graceSeconds: 4 * 3600, timeoutSeconds: 4 * 3600,
            timer: .init(
                calendar: "*-*-* 04:30:00 UTC", cron: "30 4 * * *", randomizedDelaySeconds: 900,
                promisedDelaySeconds: 24 * 3600, memoryMax: "2G"))

        @OptionGroup var common: CommonOptions
        @OptionGroup var slots: SlotOptions
        @OptionGroup var list: ListOptions
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Of these months, as 2026-09 or 2026-07..2026-09.", valueName: "M | M..N"))
        var month: SlotRange?
        @Option(
            name: .long,
            help: ArgumentHelp("Also write what differs here, as CSV.", valueName: "file"))
        var output: String?
        @Flag(name: .long, help: "Mend nothing.") var dryRun = false

        mutating func validate() throws {
            try validateSlots()
            guard month?.first.cadence ?? .monthly == .monthly else {
                throw ValidationError("--month is written like \(Cadence.monthly.example)")
            }
        }

        func slotJob(_ live: Live) throws -> SlotJob {
            SlotJob(
                name: Self.job.name, description: Self.job, cadence: .daily, catchUp: .latest,
                firstSlot: nil,
                dueAt: { $0.end.adding(seconds: Self.job.graceSeconds) },
                body: { [self] run in try await reconcile(run, live) })
        }

        private func reconcile(_ run: SlotRun, _ live: Live) async throws -> SlotOutcome {
            let billed = try await InvoiceStore(pool: live.pool).billedMonths(in: range(run.slot))
            let months = billed.map(\.month)
            var report = ReconciliationReport(months: months)
            if !months.isEmpty {
                let sealed = try await SealingProgress.run { progress in
                    try await live.sealer().seal(waits: true, progress: progress)
                }.usage
                for (month, isDone) in billed {
                    try Task.checkCancellation()
                    let differences = try await BillingRun(
                        calculation: live.calculation(of: month).0, defaultPlan: nil,
                        customers: nil, now: run.now, sealed: sealed
                    ).differences(isDone: isDone, usage: live.usage, pool: live.pool)
                    report.drifts += UsageReconciliation.drifts(differences, slot: "\(month)")
                }
                report.add(try await stripe(live, day: "\(run.slot)").run(months))
            }
            if !dryRun { try await alert(report, run.slot, live) }
            if let output { try report.writeCSV(to: output) }
            live.logger.info(
                "reconciled",
                metadata: [
                    "compared": "\(report.compared)", "drifts": "\(report.drifts.count)",
                    "healed": "\(report.healed)",
                ])
            do { try report.print(list.format) } catch is BrokenOutput {}
            return SlotOutcome(
                // Months that somebody asks for are another question than the day's.
                isComplete: month == nil,
                status: report.needsAPerson ? .needsAPerson : .done, figures: report.figures)
        }

        /// A month has one alert: of what needs a person now. None, if nothing does, or nobody looks at it any
        /// more.
        private func alert(
            _ report: ReconciliationReport, _ day: Slot, _ live: Live
        ) async throws {
            let alerts = AlertStore(pool: live.pool)
            for slot in report.months.map(String.init(describing:)) {
                let drifts = report.drifts.filter { $0.slot == slot && !$0.isHealed }
                if drifts.isEmpty {
                    try await alerts.resolve([Alert.driftKind], of: slot)
                } else {
                    try await alerts.raise(try Alert.drift(drifts, slot: slot), isOnly: true)
                }
            }
            guard month == nil else { return }
            try await alerts.resolve(Alert.driftKind, before: "\(range(day).lowerBound)")
        }

        private func range(_ day: Slot) -> ClosedRange<CivilMonth> {
            if let month, let first = month.first.month, let last = month.last.month {
                return first...last
            }
            guard let current = Slot(.monthly, containing: day.start).month else {
                preconditionFailure("a monthly slot is a month")
            }
            return current.previous.previous...current.previous
        }

        private func stripe(_ live: Live, day: String) async throws -> StripeReconciliation {
            let (client, isLive) = try live.stripe()
            try await AccountCheck(client: client, isLive: isLive).bind(
                StripeAccountStore(pool: live.pool))
            let invoices = InvoiceStore(pool: live.pool)
            return StripeReconciliation(
                client: client, invoices: invoices, events: WebhookStore(pool: live.pool),
                ledgerID: try await invoices.ledgerID(), isLive: isLive, day: day,
                follow: try await follow(live))
        }

        /// Works on Stripe's events as `process-webhooks` does; `nil`: nothing may be mended.
        private func follow(_ live: Live) async throws -> (@Sendable (Bool) async throws -> Void)? {
            guard !dryRun && live.settings.billingMode == .live else { return nil }
            let inbox = try await Webhooks(live).run()
            return { isAgain in
                if isAgain { try await Task.sleep(for: .seconds(2)) }
                _ = try await inbox.drainPatiently { try await Task.sleep(for: .seconds($0)) }
            }
        }
    }
}
