internal import ArgumentParser
internal import Ledger
internal import Logging
internal import Usage

extension RunCommand {
    struct SealUsage: StatusCommand, Sendable {
        static let configuration = CommandConfiguration(
            commandName: "seal-usage",
            abstract: "Account for new usage events, batch by batch; billing does so first, too.",
            discussion: """
                Decides once and for all which event of each transaction id counts, adds usage up by hour \
                and day, and puts what cannot be billed into quarantine. Run it every few minutes. Once a \
                day it also compares the contents of the whole log with what was accounted for. It tells of \
                all that was sealed since it last did, also by other jobs.
                """)

        static let job = JobDescription(
            name: "seal-usage", summary: "account for new usage events", cadence: nil,
            timeoutSeconds: 3600,
            timer: .init(
                calendar: "*:0/5", cron: "*/5 * * * *", randomizedDelaySeconds: 30,
                promisedDelaySeconds: 330, memoryMax: "2G"))

        @OptionGroup var common: CommonOptions
        @Flag(name: .long, help: "Compare the contents of the whole log now, not once a day.")
        var sweep = false
        @Flag(
            name: .long,
            help:
                "Seal the whole log anew beside what is there, compare, and replace it if nothing differs."
        )
        var rebuild = false
        @Flag(name: .long, help: "With --rebuild: replace it whatever differs.")
        var acceptDifferences = false
        @OptionGroup var metrics: MetricsOption
        @Option(name: .long, help: "How to print the result: table or json (one object).")
        var format: SummaryFormat = .table

        mutating func validate() throws {
            guard rebuild || !acceptDifferences else {
                throw ValidationError("--accept-differences goes with --rebuild")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, job: Self.job.name) { [self] live in
                try await Unattended.continuous(
                    Self.job, live, metrics, timeoutSeconds: rebuild ? Self.rebuildSeconds : nil
                ) { _ in
                    let sealer = try await live.sealer()
                    return rebuild ? try await rebuild(sealer) : try await seal(sealer, live.logger)
                }
            }
        }

        /// Who begins one waits for it, and after a time-out it would begin anew.
        private static let rebuildSeconds: Int64 = 30 * 86_400

        private func seal(
            _ sealer: UsageSealer, _ logger: Logger
        ) async throws -> Unattended.Outcome {
            let isSweep = sweep ? true : nil
            let summary = try await SealingProgress.run { report in
                try await sealer.seal(comparesContents: isSweep, progress: report)
            }
            let report = SealingReport(summary: try await sealer.sinceLastReport(summary))
            logger.info("sealed", metadata: report.metadata)
            return try tell(report)
        }

        private func rebuild(_ sealer: UsageSealer) async throws -> Unattended.Outcome {
            let result = try await SealingProgress.run { report in
                try await sealer.rebuild(
                    acceptsDifferences: acceptDifferences, progress: report)
            }
            return try tell(SealingReport(summary: result.summary, rebuild: result))
        }

        private func tell(_ report: SealingReport) throws -> Unattended.Outcome {
            do {
                try format == .json ? report.printJSON() : report.printText()
            } catch is BrokenOutput {
                // Nobody reads it; the work is done all the same, and the status says how it ended.
            }
            return (report.status, report.json)
        }
    }
}

/// How the outcome of a run is printed.
enum SummaryFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}
