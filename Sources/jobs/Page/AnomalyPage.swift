internal import Billing
internal import Detection
internal import Foundation
internal import Ledger
internal import Usage

/// An anomaly with its plots.
struct AnomalyPage {
    let anomaly: Anomaly
    /// `nil`: there is no series to draw.
    var view: SeriesView?
    let notes: [AnomalyNote]

    /// - Parameter hasUsage: false: ClickHouse is not asked.
    static func read(_ id: String, _ live: Live, hasUsage: Bool = true) async throws -> AnomalyPage
    {
        let store = AnomalyStore(pool: live.pool)
        let anomaly = try await store.anomalies([id])[0]
        return AnomalyPage(
            anomaly: anomaly, view: hasUsage ? try await view(of: anomaly, live) : nil,
            notes: try await store.notes(of: id))
    }

    static func view(of anomaly: Anomaly, _ live: Live) async throws -> SeriesView? {
        let catalogs = try await CatalogStore(pool: live.pool).all()
        return try await SeriesView.of(
            anomaly, clickHouse: live.clickHouse, pool: live.pool,
            metrics: catalogs.flatMap { try Catalog(yaml: $0.source).metrics },
            policy: live.settings.detection)
    }

    private static let (width, height) = (960.0, 260.0)

    var title: String {
        "\(anomaly.kind) of \(anomaly.metric), \(anomaly.customerID ?? "the fleet")"
    }

    /// Whole in itself, to be sent to others.
    var file: String { PageFrame.standalone(title, body).text }

    var body: HTML {
        var facts: [(String, HTML)] = [
            ("Status", "\(anomaly.status)"), ("Severity", "\(anomaly.severity)"),
            ("First hour", .time(anomaly.firstHour)), ("Last hour", .time(anomaly.lastHour)),
            ("Peak", .time(anomaly.peakHour)), ("Seen", .measured(anomaly.observed)),
            ("Expected", .measured(anomaly.expected)), ("Score", .measured(anomaly.score)),
            ("Threshold", .measured(anomaly.threshold)), ("Method", "\(anomaly.method)"),
        ]
        if let reason = anomaly.closeReason { facts.append(("Why it is closed", "\(reason)")) }
        let list: [HTML] = facts.map { "<dt>\($0.0)</dt><dd>\($0.1)</dd>" }
        let said: [HTML] = notes.map { note in
            "<li>\(HTML.time(note.recordedAt)) \(note.event) by \(note.by)\(note.note.map { ": \($0)" } ?? "")</li>"
        }
        let plots: [HTML] = view.map { [series($0.points), shapes($0)] } ?? []
        return """
            <p>\(anomaly.recommendedAction)</p>
            <dl>\(list)</dl>
            \(plots)
            <h2>What was said</h2>
            \(said.isEmpty ? "<p>Nothing yet.</p>" : "<ul>\(said)</ul>" as HTML)
            """
    }

    private func series(_ points: [SeriesView.Point]) -> HTML {
        let largest = points.reduce(1e-9) {
            max($0, $1.observed ?? 0, min($1.expected?.upperBound ?? 0, 1e36))
        }
        let step = Self.width / Double(max(1, points.count))
        func place(_ column: Int, _ value: Double) -> (x: String, y: String) {
            let share = max(0, min(value, largest)) / largest
            return (
                String(format: "%.1f", (Double(column) + 0.5) * step),
                String(format: "%.1f", Self.height - 10 - share * (Self.height - 20))
            )
        }
        func line(_ values: [(Int, Double)]) -> String {
            values.map { place($0.0, $0.1) }.map { "\($0.x),\($0.y)" }.joined(separator: " ")
        }
        let known = points.enumerated().compactMap { column, point in
            point.expected.map { (column, $0) }
        }
        let band =
            known.map { ($0.0, $0.1.upperBound) } + known.reversed().map { ($0.0, $0.1.lowerBound) }
        let seen = points.enumerated().compactMap { column, point in
            point.observed.map { (column, $0) }
        }
        let flags: [HTML] = points.enumerated().compactMap { column, point in
            guard point.isFlagged, let observed = point.observed else { return nil }
            let at = place(column, observed)
            return """
                <circle class="flag" cx="\(at.x)" cy="\(at.y)" r="4">\
                <title>\(point.hour.instant): \(shortened(observed)), score \(shortened(point.score))</title></circle>
                """
        }
        let days: [HTML] = points.enumerated().compactMap { column, point in
            guard point.hour.ofDay == 0 else { return nil }
            let day = "\(point.hour.instant)".prefix(10)
            return "<text x=\"\(place(column, 0).x)\" y=\"\(Int(Self.height) + 6)\">\(day)</text>"
        }
        let lines: HTML = """
            <polygon class="band" points="\(line(band))"/>
            <polyline class="seen" points="\(line(seen))"/>
            """
        return """
            <h2>Hour by hour</h2>
            \(HTML.plot("usage by hour, beside what was expected", width: Int(Self.width), height: Int(Self.height) + 10, [lines] + flags + days))\
            <p>Line: seen. Band: expected. Dots: unusual. At the top: \(shortened(largest)).</p>
            """
    }

    private func shapes(_ view: SeriesView) -> HTML {
        guard view.weekdayShape.count == 24 else { return "" }
        let largest = max(1e-9, (view.dayShape + view.weekdayShape).max() ?? 1)
        let bars: [HTML] = (0..<24).flatMap { hour in
            [("weekday", view.weekdayShape[hour]), ("day", view.dayShape[hour])].enumerated()
                .map { index, bar in
                    let size = bar.1 / largest * 150
                    let (top, height) = (
                        String(format: "%.1f", 160 - size), String(format: "%.1f", size)
                    )
                    return """
                        <rect class="\(bar.0)" x="\(hour * 40 + index * 17)" y="\(top)" width="16" height="\(height)"/>
                        """
                }
        }
        return """
            <h2>The day's shape</h2>
            \(HTML.plot("shares of the day by hour, beside its weekday's", width: 960, height: 160, bars))\
            <p>Dark: the day of the peak. Light: what its weekday is like. From 0 to 23 h UTC.</p>
            """
    }
}
