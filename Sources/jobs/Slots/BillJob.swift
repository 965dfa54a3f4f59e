internal import Billing
internal import Exact
internal import Ledger
internal import Logging

extension RunCommand.Bill {
    static let job = JobDescription(
        name: "bill", summary: "price the closed month, record its invoices, and send them",
        cadence: .monthly,
        graceSeconds: 24 * 3600, dueLeadSeconds: 14 * 3600, timeoutSeconds: 6 * 3600,
        timer: .init(
            calendar: "*-*-* 02:30:00 UTC", cron: "30 2 * * *", randomizedDelaySeconds: 600,
            promisedDelaySeconds: 24 * 3600 + 600, memoryMax: "2G"))

    /// A month that was only tried out must still be billed: dry runs have slots of their own.
    private static let dryRunName = "bill-dry-run"

    static func recordedName(_ settings: Settings) -> String {
        settings.billingMode == .dryRun ? dryRunName : job.name
    }

    func name(_ settings: Settings) -> String {
        isSent(settings) ? Self.job.name : Self.dryRunName
    }

    func slotJob(_ live: Live) throws -> SlotJob {
        let isSent = isSent(live.settings)
        let customers = CustomerStore(pool: live.pool)
        return SlotJob(
            name: name(live.settings),
            description: Self.job, cadence: .monthly, catchUp: isSent ? .all : .latest,
            firstSlot: isSent ? live.settings.firstSlot.map { Slot($0) } : nil,
            dueAt: { slot in
                let end = try await BillingPeriod.lastEnd(
                    of: Self.month(slot), zones: customers.zones(of: Self.month(slot)))
                return end.adding(seconds: Self.job.graceSeconds)
            },
            resume: { stop in
                guard isSent, try await Submission.hasUnfinished(live) else { return nil }
                return Self.outcome(
                    try await Submission.prepare(live, stop: stop).resume(), live.logger)
            },
            body: { [self] run in
                try await bill(Self.month(run.slot), run, live)
            })
    }

    private static func outcome(
        _ summary: SubmissionSummary, _ logger: Logger
    ) -> Unattended.Outcome {
        let counts = [
            ("sent", summary.collected), ("credit_notes", summary.credited),
            ("held", summary.held.count),
            ("dead_letters", summary.deadLetters.count), ("unanswered", summary.unanswered.count),
            ("changed", summary.changed), ("taken", summary.taken),
        ]
        logger.info(
            "resumed",
            metadata: Logger.Metadata(
                uniqueKeysWithValues: counts.map {
                    ($0.0, Logger.MetadataValue.stringConvertible($0.1))
                }))
        let members = counts.map { "\"\($0.0)\":\($0.1)" }
        return (
            summary.needsAPerson ? .needsAPerson : .done, "{\(members.joined(separator: ","))}"
        )
    }

    private static func month(_ slot: Slot) -> CivilMonth {
        guard let month = slot.month else { preconditionFailure("bill's slots are months") }
        return month
    }
}
