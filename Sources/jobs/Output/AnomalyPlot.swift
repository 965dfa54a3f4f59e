internal import Detection
internal import Foundation
internal import Ledger

/// A series around an anomaly, drawn in characters.
struct TerminalPlot {
    let points: [SeriesView.Point]
    private static let height = 12

    /// From the top; a column an hour.
    var lines: [String] {
        let largest = points.reduce(0.0) {
            max($0, $1.observed ?? 0, min($1.expected?.upperBound ?? 0, 1e36))
        }
        guard largest > 0, let first = points.first else { return ["no usage"] }
        func row(_ value: Double) -> Int {
            Int((max(0, min(value, largest)) / largest * Double(Self.height - 1)).rounded())
        }
        var grid = [[Character]](
            repeating: [Character](repeating: " ", count: points.count), count: Self.height)
        for (column, point) in points.enumerated() {
            if let expected = point.expected {
                for level in row(expected.lowerBound)...row(expected.upperBound) {
                    grid[level][column] = "·"
                }
            }
            if let observed = point.observed {
                grid[row(observed)][column] = point.isFlagged ? "#" : "o"
            }
        }
        let axis = (0..<Self.height).reversed().map { level in
            let value = largest * Double(level) / Double(Self.height - 1)
            let label = level % 3 == 0 || level == Self.height - 1 ? shortened(value) : ""
            let blanks = String(repeating: " ", count: max(0, 10 - label.count))
            var line = blanks + label + " |" + String(grid[level])
            while line.hasSuffix(" ") { line.removeLast() }
            return line
        }
        return axis + [
            String(repeating: " ", count: 11) + "+" + String(repeating: "-", count: points.count),
            String(repeating: " ", count: 12)
                + "\(first.hour.instant), an hour a column: o seen, # unusual, · expected",
        ]
    }
}

/// A page about an anomaly, whole in itself.
struct AnomalyPage {
    let anomaly: Anomaly
    let view: SeriesView?
    let notes: [AnomalyNote]

    private static let (width, height) = (960.0, 260.0)

    var html: String {
        let title =
            "\(anomaly.kind) of \(anomaly.metric), \(anomaly.customerID ?? "the fleet")"
        let facts: [(String, String?)] = [
            ("Status", anomaly.status), ("Severity", anomaly.severity),
            ("First hour", "\(anomaly.firstHour)"), ("Last hour", "\(anomaly.lastHour)"),
            ("Peak", "\(anomaly.peakHour)"),
            ("Seen", Double(anomaly.observed).map(shortened)),
            ("Expected", Double(anomaly.expected).map(shortened)),
            ("Score", Double(anomaly.score).map(shortened)),
            ("Threshold", Double(anomaly.threshold).map(shortened)),
            ("Method", anomaly.method), ("Why it is closed", anomaly.closeReason),
        ]
        return """
            <!doctype html>
            <html lang="en"><meta charset="utf-8"><title>\(Self.escaped(title))</title>
            <style>body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
            dl{display:grid;grid-template-columns:max-content 1fr;gap:.1rem 1.5rem}dd{margin:0}svg{width:100%}
            .band{fill:#cfe3f7}.seen{fill:none;stroke:#234;stroke-width:1.5}.flag{fill:#c22}
            .day{fill:#234}.weekday{fill:#9bc}</style>
            <h1>\(Self.escaped(title))</h1>
            <p>\(Self.escaped(anomaly.recommendedAction))</p>
            <dl>\(facts.compactMap { name, text in
                text.map { "<dt>\(name)</dt><dd>\(Self.escaped($0))</dd>" }
            }.joined())</dl>
            \(view.map { series($0.points) + shapes($0) } ?? "")
            <h2>What was said</h2>
            <ul>\(notes.map { note in
                "<li>\(note.recordedAt) \(Self.escaped("\(note.event) by \(note.by)\(note.note.map { ": \($0)" } ?? "")"))</li>"
            }.joined())</ul>
            </html>

            """
    }

    private func series(_ points: [SeriesView.Point]) -> String {
        let largest = points.reduce(1e-9) {
            max($0, $1.observed ?? 0, min($1.expected?.upperBound ?? 0, 1e36))
        }
        let step = Self.width / Double(max(1, points.count))
        func at(_ column: Int, _ value: Double) -> String {
            let share = max(0, min(value, largest)) / largest
            return String(
                format: "%.1f,%.1f", (Double(column) + 0.5) * step,
                Self.height - 10 - share * (Self.height - 20))
        }
        let known = points.enumerated().compactMap { column, point in
            point.expected.map { (column, $0) }
        }
        let band =
            known.map { at($0.0, $0.1.upperBound) }
            + known.reversed().map { at($0.0, $0.1.lowerBound) }
        let seen = points.enumerated().compactMap { column, point in
            point.observed.map { at(column, $0) }
        }
        let flags = points.enumerated().compactMap { column, point -> String? in
            guard point.isFlagged, let observed = point.observed else { return nil }
            let place = at(column, observed).split(separator: ",")
            return
                "<circle class=\"flag\" cx=\"\(place[0])\" cy=\"\(place[1])\" r=\"4\"><title>\(point.hour.instant): \(shortened(observed)), score \(shortened(point.score))</title></circle>"
        }
        return """
            <h2>Hour by hour</h2>
            <svg viewBox="0 0 \(Int(Self.width)) \(Int(Self.height))" role="img" aria-label="usage by hour">
            <polygon class="band" points="\(band.joined(separator: " "))"/>
            <polyline class="seen" points="\(seen.joined(separator: " "))"/>\(flags.joined())</svg>
            <p>Line: seen. Band: expected. Dots: unusual. At the top: \(shortened(largest)).</p>
            """
    }

    private func shapes(_ view: SeriesView) -> String {
        guard view.weekdayShape.count == 24 else { return "" }
        let largest = max(1e-9, (view.dayShape + view.weekdayShape).max() ?? 1)
        let bars = (0..<24).map { hour in
            zip(["weekday", "day"], [view.weekdayShape[hour], view.dayShape[hour]]).enumerated()
                .map { index, bar in
                    let size = bar.1 / largest * 150
                    return String(
                        format:
                            "<rect class=\"%@\" x=\"%d\" y=\"%.1f\" width=\"16\" height=\"%.1f\"/>",
                        bar.0, hour * 40 + index * 17, 160 - size, size)
                }.joined()
        }
        return """
            <h2>The day's shape</h2>
            <svg viewBox="0 0 960 160" role="img" aria-label="shares of the day by hour">\(bars.joined())</svg>
            <p>Dark: the day of the peak. Light: what its weekday is like. From 0 to 23 h UTC.</p>
            """
    }

    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("'", with: "&#39;")
    }
}
