internal import ArgumentParser
internal import Ledger
internal import Logging
internal import Usage

extension RunCommand {
    struct SealUsage: StatusCommand {
        static let configuration = CommandConfiguration(
            commandName: "seal-usage",
            abstract: "Account for new usage events, batch by batch; billing does so first, too.",
            discussion: """
                Decides once and for all which event of each transaction id counts, adds usage up by hour \
                and day, and puts what cannot be billed into quarantine. Run it every few minutes. Once a \
                day it also compares the contents of the whole log with what was accounted for.
                """)

        @OptionGroup var common: CommonOptions
        @Flag(name: .long, help: "Compare the contents of the whole log now, not once a day.")
        var sweep = false
        @Option(name: .long, help: "How to print the result: table or json (one object).")
        var format: SummaryFormat = .table

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common) { [self] live in
                let sealer = try await live.sealer()
                let isSweep = sweep ? true : nil
                let summary = try await SealingProgress.run { report in
                    try await sealer.seal(comparesContents: isSweep, progress: report)
                }
                let report = SealingReport(summary: summary)
                live.logger.info("sealed", metadata: report.metadata)
                do {
                    try format == .json ? report.printJSON() : report.printText()
                } catch is BrokenOutput {
                    // Nobody reads it; the work is done all the same, and the status says how it ended.
                }
                return summary.figures.quarantined > 0 ? .needsAPerson : .done
            }
        }
    }
}

/// How the outcome of a run is printed.
enum SummaryFormat: String, ExpressibleByArgument, CaseIterable {
    case table
    case json
}
