internal import ArgumentParser
internal import Exact
internal import Ledger
internal import Logging

extension RunCommand {
    struct Purge: SlotJobCommand {
        static let configuration = CommandConfiguration(
            commandName: "purge", abstract: "Delete what has served its time.",
            discussion: """
                Settled webhook events, resolved alerts, runs and slots that are older than \
                retention.*_days, and closed anomalies and baselines that have expired. Invoices, \
                their lines and journals, requests to Stripe, and whatever waits for a person stay.
                """)

        static let job = JobDescription(
            name: "purge", summary: "delete what has served its time", cadence: .daily,
            timeoutSeconds: 3600,
            timer: .init(
                calendar: "*-*-* 05:30:00 UTC", cron: "30 5 * * *", randomizedDelaySeconds: 900,
                promisedDelaySeconds: 24 * 3600, memoryMax: "1G"))

        static let usesClickHouse = false

        @OptionGroup var common: CommonOptions
        @OptionGroup var slots: SlotOptions

        func slotJob(_ live: Live) throws -> SlotJob {
            SlotJob(
                name: Self.job.name, description: Self.job, cadence: .daily, catchUp: .latest,
                firstSlot: nil, dueAt: { $0.end },
                body: { run in
                    let purged = try await Ledger.Purge(
                        retention: live.settings.retention, lease: run.lease, pool: live.pool
                    ).run()
                    let words = purged.map { "\(grouped($0.rows)) \($0.table)" }
                    live.logger.info("purged", metadata: ["rows": "\(words)"])
                    do {
                        try printLine("purged " + words.joined(separator: ", "))
                    } catch is BrokenOutput {}
                    let figures = purged.map { "\"\($0.table)\":\($0.rows)" }
                    return SlotOutcome(
                        isComplete: true, status: .done,
                        figures: "{\(figures.joined(separator: ","))}")
                })
        }
    }
}
