internal import ArgumentParser
internal import Exact
internal import Foundation
internal import Ledger

struct ReportCommand: StatusCommand {
    static let configuration = CommandConfiguration(
        commandName: "report", abstract: "Write a month as a page for finance.",
        discussion: """
            Totals by state and by metric, beside the month before and eleven others; who moved most, and \
            what waits for a person, by currency; and whether it all adds up. Exits 1 if it does not.
            """)

    @OptionGroup var common: CommonOptions
    @Option(name: .long, help: "The month, as 2026-10.") var slot: CivilMonth
    @Option(
        name: .long, help: ArgumentHelp("Where to write the page.", valueName: "file"))
    var html: String

    mutating func runToStatus() async throws -> ExitStatus {
        try await Live.run(common, usesClickHouse: false) { [slot, html] live in
            let report = try await MonthReport.read(slot, pool: live.pool)
            guard !report.ties.isEmpty else {
                throw Failure(
                    .badInput, "\(slot) has no invoices yet: jobs run bill --slot \(slot)")
            }
            do {
                try Data(MonthPage(report: report).file.utf8).write(
                    to: URL(filePath: html), options: .atomic)
            } catch {
                throw Failure(
                    .usage, "--html \(html) cannot be written: \(error.localizedDescription)")
            }
            let totals = report.ties.map { tie in
                "\(grouped(tie.invoices)) invoices, \(tie.currency.format(tie.totalMinor)) \(tie.currency.code.uppercased())"
                    + (report.parts(tie.currency).map { " (\($0))" } ?? "")
            }
            try printLine("\(slot): \(totals.joined(separator: "; "))")
            if report.ties.contains(where: { report.parts($0.currency) != nil }) {
                try printLine(MonthReport.meaning)
            }
            try printLine(
                report.tiesOut
                    ? "lines, invoices and states tie out"
                    : "LINES, INVOICES AND STATES DO NOT TIE OUT")
            return report.tiesOut ? .done : .needsAPerson
        }
    }
}
