internal import Usage

/// Reviewed anomalies, by series.
package struct Labels: Sendable {
    /// The hours that a label touches.
    private(set) var hoursBySeries: [String: [ClosedRange<Hour>]] = [:]

    /// Reads `series,start,end`, RFC 3339; an end on the hour is exclusive.
    package init(descriptor: Int32, knownSeries: Set<String>) throws {
        var reader = LineReader(descriptor: descriptor)
        var table = CSVLines(["series", "start", "end"])
        while let line = try reader.next() {
            guard let fields = try table.fields(line) else { continue }
            let name = String(decoding: fields[0], as: UTF8.self)
            guard knownSeries.contains(name) else {
                throw SeriesFileError(
                    lineNumber: line.number, column: "series", reason: "is not in the input")
            }
            let start = try SeriesFile.milliseconds(fields[1], "start", line.number)
            let end = try SeriesFile.milliseconds(fields[2], "end", line.number)
            guard start <= end else {
                throw SeriesFileError(
                    lineNumber: line.number, column: "end", reason: "is before the start")
            }
            let first = Hour(Int(start / 3_600_000))
            let last = Hour(Int(max(start, end - 1) / 3_600_000))
            hoursBySeries[name, default: []].append(first...last)
        }
        try table.finish()
    }

    init(_ hoursBySeries: [String: [ClosedRange<Hour>]]) {
        self.hoursBySeries = hoursBySeries
    }
}

/// How alerts compare with reviewed anomalies.
///
/// An alert inside a label is true. False alerts less than a day apart are one false episode.
package struct LabelScores: Sendable {
    package private(set) var labels = 0
    package private(set) var found = 0
    package private(set) var falseEpisodes = 0
    package private(set) var hours = 0
    private var delays: [Int] = []

    package init() {}

    package mutating func add(_ series: SeriesFile.Series, alerts: [Hour], _ labels: Labels) {
        let known = labels.hoursBySeries[series.name] ?? []
        self.labels += known.count
        hours += series.hours.count
        for label in known {
            guard let first = alerts.first(where: label.contains) else { continue }
            found += 1
            delays.append(first - label.lowerBound)
        }
        var previous: Hour?
        for alert in alerts where !known.contains(where: { $0.contains(alert) }) {
            if previous.map({ alert - $0 > EpisodeTracker.memoryHours }) ?? true {
                falseEpisodes += 1
            }
            previous = alert
        }
    }

    /// Of what was told, the share that was an anomaly; nil if nothing was told.
    package var precision: Double? {
        found + falseEpisodes > 0 ? Double(found) / Double(found + falseEpisodes) : nil
    }

    /// Of the anomalies, the share that was told; nil without labels.
    package var recall: Double? { labels > 0 ? Double(found) / Double(labels) : nil }

    package var falseEpisodesPerSeriesWeek: Double? {
        hours > 0 ? Double(falseEpisodes) * 168 / Double(hours) : nil
    }

    /// Hours from a label's start to its first alert, of those found.
    package var medianDelayHours: Int? {
        delays.isEmpty ? nil : delays.sorted()[delays.count / 2]
    }
}
