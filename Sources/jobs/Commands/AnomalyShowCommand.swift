internal import ArgumentParser
internal import Detection
internal import Foundation
internal import Ledger

extension AnomaliesCommand {
    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Explain one anomaly: its numbers, its hours beside what was expected.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The anomaly's id.") var id: String
        @Option(
            name: .long,
            help: ArgumentHelp("Write a page with the plot to this file.", valueName: "file"))
        var html: String?

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common) { [id, html] live in
                let page = try await AnomalyPage.read(id, live)
                if let html {
                    do {
                        try Data(page.file.utf8).write(to: URL(filePath: html))
                    } catch {
                        throw Failure(.usage, "--html \(html) cannot be written")
                    }
                }
                try Self.explain(page.anomaly, page.notes, page.view)
                return .done
            }
        }

        private static func explain(
            _ anomaly: Anomaly, _ notes: [AnomalyNote], _ view: SeriesView?
        ) throws {
            func number(_ text: String?) -> String {
                text.flatMap(Double.init).map(shortened) ?? "-"
            }
            let who = anomaly.customerID ?? "the fleet"
            var lines = [
                "\(anomaly.severity) \(anomaly.kind) of \(anomaly.metric), \(who): \(anomaly.status)",
                "hours     \(anomaly.firstHour) to \(anomaly.lastHour), \(anomaly.hours) unusual, most at \(anomaly.peakHour)",
                "seen      \(number(anomaly.observed)), expected \(number(anomaly.expected))"
                    + (anomaly.expectedLow.map {
                        " (\(number($0)) to \(number(anomaly.expectedHigh)))"
                    } ?? ""),
                "excess    \(number(anomaly.excess)) over all of these hours",
                "score     \(number(anomaly.score)), threshold \(number(anomaly.threshold)), by \(anomaly.method)\(anomaly.part.map { " (\($0))" } ?? "")",
            ]
            if let similarity = anomaly.similarity {
                lines.append("shape     \(number(similarity)) of 1 like its weekday's")
            }
            if let series = anomaly.series { lines.append("series    \(grouped(series))") }
            if let reason = anomaly.closeReason { lines.append("closed    \(reason)") }
            lines.append("next      \(anomaly.recommendedAction)")
            for note in notes {
                let why = note.note.map { ": \($0)" } ?? ""
                lines.append("\(note.recordedAt)  \(note.event) by \(note.by)\(why)")
            }
            for line in lines { try printLine(line) }
            guard let view, !view.points.isEmpty else { return }
            try printLine()
            // A screen's width of hours around the worst one.
            let peak = view.points.firstIndex { $0.hour == Hour(anomaly.peakHour) } ?? 0
            let end = min(view.points.count, max(peak + 24, 66))
            let shown = Array(view.points[max(0, end - 66)..<end])
            for line in TerminalPlot(points: shown).lines { try printLine(line) }
        }
    }
}
