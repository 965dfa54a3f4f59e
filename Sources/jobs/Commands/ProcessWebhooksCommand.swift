internal import ArgumentParser
internal import Billing
internal import Exact
internal import Foundation
internal import Ledger
internal import Logging

extension RunCommand {
    struct ProcessWebhooks: StatusCommand, Sendable {
        static let configuration = CommandConfiguration(
            commandName: "process-webhooks",
            abstract: "Read Stripe's events, and bring the status of invoices up to date.",
            discussion: """
                Asks Stripe for the events since the last time (it keeps 30 days), and works on them and on \
                whatever came to jobs serve. For hosts without a server: run it every few minutes. Beside \
                jobs serve it is not needed.
                """)

        static let job = JobDescription(
            name: "process-webhooks", summary: "bring the status of invoices up to date",
            cadence: nil, timeoutSeconds: 3600, isServed: true,
            timer: .init(
                calendar: "*:0/5", cron: "*/5 * * * *", randomizedDelaySeconds: 30,
                promisedDelaySeconds: 330, memoryMax: "1G"))

        @OptionGroup var common: CommonOptions
        @OptionGroup var metrics: MetricsOption
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
            return try await Live.run(
                common, usesClickHouse: false, job: Self.job.name
            ) { [self] live in
                try await Unattended.continuous(Self.job, live, metrics) { _ in
                    try await process(live)
                }
            }
        }

        private func process(_ live: Live) async throws -> Unattended.Outcome {
            guard live.settings.stripeAPIKey != nil || live.settings.billingMode == .live else {
                // Launched by a timer before the first month is billed live.
                live.logger.info("billing.mode is dry-run, and there is no STRIPE_API_KEY")
                return (.done, nil)
            }
            let webhooks = try await Webhooks(live)
            let run = try await webhooks.run()
            var read = WebhookBackfill.Summary()
            var unread: StripeError?
            do {
                read = try await backfill(webhooks.backfill)
            } catch let error as StripeError where error.kind != .unauthorized {
                // What came all the same is worked on first.
                unread = error
            }
            let summary = try await run.drainPatiently {
                try await Task.sleep(for: .seconds($0))
            }
            let backlog = try await webhooks.records.backlog()
            let counts: [(name: String, value: Int)] =
                [("listed", read.read), ("new", read.new)]
                + WebhookOutcome.allCases.map { ($0.rawValue, summary[$0]) }
                + [("pending", backlog.pending), ("dead_letters", backlog.deadLetters)]
            let members = counts.map { "\(JSONText.string($0.name)):\($0.value)" }
            let figures = "{\(members.joined(separator: ","))}"
            do {
                try format == .json ? printLine(figures) : printText(counts)
            } catch is BrokenOutput {
                // Nobody reads it; the work is done all the same.
            }
            if let unread { throw unread }
            return (backlog.deadLetters > 0 ? .needsAPerson : .done, figures)
        }

        private func backfill(
            _ backfill: WebhookBackfill
        ) async throws -> WebhookBackfill.Summary {
            if noBackfill { return WebhookBackfill.Summary() }
            let now = Instant.now.unixSeconds
            guard let since else { return try await backfill.follow(now: now) }
            return try await backfill.sweep(
                since: Int64(since.daysSinceEpoch) * 86_400, now: now)
        }

        private func printText(_ counts: [(name: String, value: Int)]) throws {
            for count in counts where count.value > 0 || count.name == "processed" {
                try printLine(
                    count.name.replacing("_", with: " ").padding(
                        toLength: 14, withPad: " ", startingAt: 0) + grouped(count.value))
            }
        }
    }
}
