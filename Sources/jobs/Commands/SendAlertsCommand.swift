internal import Alerts
internal import ArgumentParser
internal import Foundation
internal import Ledger

extension RunCommand {
    struct SendAlerts: StatusCommand, Sendable {
        static let configuration = CommandConfiguration(
            commandName: "send-alerts",
            abstract: "Tell the routes of alerts.routes what they have to hear.",
            discussion: """
                At least once, in order, and with one number for each message, by which services fold \
                repetitions. Run it every minute; beside jobs serve it is not needed.
                """)

        static let job = JobDescription(
            name: "send-alerts", summary: "tell people of alerts", cadence: nil,
            timeoutSeconds: 900, isServed: true,
            timer: .init(
                calendar: "*:*:00", cron: "* * * * *", randomizedDelaySeconds: 5,
                promisedDelaySeconds: 65, memoryMax: "512M"))

        @OptionGroup var common: CommonOptions
        @OptionGroup var metrics: MetricsOption
        @Option(name: .long, help: "How to print the result: table or json (one object).")
        var format: SummaryFormat = .table

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(
                common, usesClickHouse: false, job: Self.job.name
            ) { [self] live in
                try await Unattended.continuous(Self.job, live, metrics) { stop in
                    try await send(live, stop)
                }
            }
        }

        /// A message that is begun is ended, also when the process is asked to stop: else it is told twice.
        private func send(_ live: Live, _ stop: StopRequest) async throws -> Unattended.Outcome {
            stop.allowFinishing(seconds: live.settings.stopGraceSeconds / 2)
            let alerts = try await AlertDelivery(live)
            let summary = try await alerts.drain { stop.isRequested }
            if stop.isRequested { throw CancellationError() }
            let backlog = try await alerts.backlog()
            let counts: [(name: String, value: Int)] = [
                ("routed", summary.routed), ("delivered", summary.delivered),
                ("failed", summary.failed), ("waiting", backlog.waiting),
                ("unrouted", backlog.unrouted), ("stranded", backlog.stranded),
                ("dead_letters", backlog.deadLetters),
            ]
            let members = counts.map { "\(JSONText.string($0.name)):\($0.value)" }
            let figures = "{\(members.joined(separator: ","))}"
            do {
                if format == .json {
                    try printLine(figures)
                } else {
                    try printText(counts, live, stranded: backlog.strandedRoutes)
                }
            } catch is BrokenOutput {
                // Nobody reads it; what was sent is sent all the same.
            }
            let needsAPerson = backlog.deadLetters > 0 || backlog.stranded > 0
            return (needsAPerson ? .needsAPerson : .done, figures)
        }

        private func printText(
            _ counts: [(name: String, value: Int)], _ live: Live, stranded: String?
        ) throws {
            for count in counts where count.value > 0 || count.name == "delivered" {
                try printLine(
                    count.name.replacing("_", with: " ").padding(
                        toLength: 14, withPad: " ", startingAt: 0) + grouped(count.value))
            }
            if let stranded {
                try printLine(
                    "stranded are those of \(stranded): put it back into alerts.routes until they are sent, or jobs alerts discard ROUTE"
                )
            }
            if live.settings.alertRoutes.isEmpty {
                try printLine(
                    "no routes     alerts wait until alerts.routes of jobs.yaml names some")
            }
        }
    }
}
