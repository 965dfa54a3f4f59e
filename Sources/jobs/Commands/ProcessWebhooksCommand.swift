internal import ArgumentParser
internal import Billing
internal import Exact
internal import Foundation
internal import Ledger
internal import Logging

extension RunCommand {
    struct ProcessWebhooks: StatusCommand {
        static let configuration = CommandConfiguration(
            commandName: "process-webhooks",
            abstract: "Read Stripe's events, and bring the status of invoices up to date.",
            discussion: """
                Asks Stripe for the events since the last time (it keeps 30 days), and works on them and on \
                whatever came to jobs serve. For hosts without a server: run it every few minutes. Beside \
                jobs serve it is not needed.
                """)

        @OptionGroup var common: CommonOptions
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Read all events since this day again, as 2026-10-31.", valueName: "day"))
        var since: CivilDate?
        @Flag(name: .long, help: "Do not ask Stripe for events: only those that came.")
        var noBackfill = false
        @Option(name: .long, help: "How to print the result: table or json (one object).")
        var format: SummaryFormat = .table

        mutating func validate() throws {
            guard since == nil || !noBackfill else {
                throw ValidationError("--since asks Stripe, and --no-backfill does not")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) {
                [since, noBackfill, format] live in
                let webhooks = try await Webhooks(live)
                let run = try await webhooks.run()
                var read = WebhookBackfill.Summary()
                let now = Instant.now.unixSeconds
                if let since {
                    read = try await webhooks.backfill.sweep(
                        since: Int64(since.daysSinceEpoch) * 86_400, now: now)
                } else if !noBackfill {
                    read = try await webhooks.backfill.follow(now: now)
                }
                let summary = try await run.drainPatiently {
                    try await Task.sleep(for: .seconds($0))
                }
                let backlog = try await webhooks.records.backlog()
                let counts: [(name: String, value: Int)] =
                    [("listed", read.read), ("new", read.new)]
                    + WebhookOutcome.allCases.map { ($0.rawValue, summary[$0]) }
                    + [("pending", backlog.pending), ("dead_letters", backlog.deadLetters)]
                if format == .json {
                    let members = counts.map { "\(JSONText.string($0.name)):\($0.value)" }
                    try printLine("{\(members.joined(separator: ","))}")
                } else {
                    for count in counts where count.value > 0 || count.name == "processed" {
                        try printLine(
                            count.name.replacing("_", with: " ").padding(
                                toLength: 14, withPad: " ", startingAt: 0)
                                + grouped(count.value))
                    }
                }
                return backlog.deadLetters > 0 ? .needsAPerson : .done
            }
        }
    }
}
