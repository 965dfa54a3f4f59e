internal import ArgumentParser
internal import Detection
internal import Exact
internal import Glibc
internal import Usage

struct DetectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detect",
        abstract: "How anomalies are found in usage.",
        subcommands: [BacktestCommand.self, TuneCommand.self, BaselinesCommand.self])

    struct BacktestCommand: StatusCommand {
        static let configuration = CommandConfiguration(
            commandName: "backtest",
            abstract: "Judge recorded series hour by hour, as the hourly job would have.",
            discussion: """
                The input has the columns series,timestamp,value (RFC 3339 UTC, rows in any order); rows \
                of one hour are summed, an hour without rows is missing, and a zero is a zero. The output \
                has series,timestamp,score,flagged,episode: a flagged hour is one that somebody would have \
                been told of. With --labels (series,start,end) the flagged hours are compared with \
                reviewed anomalies. Needs no database.
                """)

        @Option(
            name: .long, help: ArgumentHelp("The series; - for standard input.", valueName: "file"))
        var input: String
        @Option(
            name: .long,
            help: ArgumentHelp("Where the scores go; - for standard output.", valueName: "file"))
        var output: String
        @Option(
            name: .long,
            help: "For a fleet, or for a few series that somebody watches.")
        var sensitivity: Sensitivity = .default
        @Option(name: .long, help: "How an hour is scored.")
        var method: Method = .composite
        @Option(name: .long, help: "The score from which an hour is told of.")
        var threshold = 3.0
        @Option(
            name: .long,
            help: ArgumentHelp("How many days zscore compares with.", valueName: "days"))
        var windowDays = 30
        @Option(
            name: .long,
            help: ArgumentHelp("Reviewed anomalies to compare with.", valueName: "file"))
        var labels: String?

        mutating func validate() throws {
            guard threshold > 0, threshold.isFinite else {
                throw ValidationError("--threshold is a number above 0")
            }
            guard 7...30 ~= windowDays else {
                throw ValidationError("--window-days is a number from 7 to 30")
            }
            guard input != "-" || labels != "-" else {
                throw ValidationError("--input and --labels cannot both be standard input")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            let file = try await InputFile.withDescriptor(input) { try SeriesFile(descriptor: $0) }
            let names = Set(file.series.map(\.name))
            var reviewed: Labels?
            if let labels {
                reviewed = try await InputFile.withDescriptor(labels) {
                    try Labels(descriptor: $0, knownSeries: names)
                }
            }
            let settings = DetectorSettings(
                method: method, sensitivity: sensitivity, threshold: threshold)
            var run = BacktestRun(
                backtest: Backtest(settings, totalDays: windowDays), labels: reviewed,
                output: output)
            try run.judge(file)
            try run.report()
            return .done
        }
    }
}

/// Judges all series, and writes and counts what comes of it.
private struct BacktestRun {
    let backtest: Backtest
    let labels: Labels?
    let output: String

    private var scores = LabelScores()
    private var (seriesCount, hourCount, flaggedCount, episodeCount) = (0, 0, 0, 0)

    init(backtest: Backtest, labels: Labels?, output: String) {
        (self.backtest, self.labels, self.output) = (backtest, labels, output)
    }

    mutating func judge(_ file: SeriesFile) throws {
        let writer = try ScoreWriter(path: output)
        defer { writer.close() }
        try writer.write(header: ["series", "timestamp", "score", "flagged", "episode"])
        var progress = Progress("backtest")
        defer { progress.finish() }
        for series in file.series {
            try Task.checkCancellation()
            var alerts: [Hour] = []
            let prefix = writer.field(series.name)
            var (hours, episodes) = (0, 0)
            try backtest.run(series) { offset, judgement in
                guard series.hasRows(offset) else { return }
                hours += 1
                if judgement.news.isAlert { alerts.append(judgement.hour) }
                episodes = judgement.news.episode?.number ?? episodes
                try writer.write(prefix, judgement)
            }
            seriesCount += 1
            hourCount += hours
            flaggedCount += alerts.count
            episodeCount += episodes
            if let labels { scores.add(series, alerts: alerts, labels) }
            progress.update("\(grouped(seriesCount)) of \(grouped(file.series.count)) series")
        }
        try writer.flush()
    }

    /// Beside scores on standard output, the report goes to standard error.
    func report() throws {
        var lines = [
            "\(grouped(seriesCount)) series, \(grouped(hourCount)) hours: "
                + "\(grouped(flaggedCount)) flagged in \(grouped(episodeCount)) episodes"
        ]
        if labels != nil {
            lines += [
                "\(grouped(scores.labels)) anomalies, \(grouped(scores.found)) found",
                "precision                       \(decimals(scores.precision, 3))",
                "recall                          \(decimals(scores.recall, 3))",
                "false episodes per series-week  \(decimals(scores.falseEpisodesPerSeriesWeek, 4))",
                "median delay, hours             \(scores.medianDelayHours.map(String.init) ?? "-")",
            ]
        }
        let text = lines.joined(separator: "\n") + "\n"
        try write(Array(text.utf8), to: output == "-" ? STDERR_FILENO : STDOUT_FILENO)
    }

    private func decimals(_ value: Double?, _ places: Int) -> String {
        guard let value else { return "-" }
        var scale = 1.0
        for _ in 0..<places { scale *= 10 }
        let digits = String(Int((value * scale).rounded()))
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return "\(padded.dropLast(places)).\(padded.suffix(places))"
    }
}

/// Writes the scores in large pieces.
private final class ScoreWriter {
    private let descriptor: Int32
    private let isOwned: Bool
    private var bytes: [UInt8] = []

    init(path: String) throws {
        isOwned = path != "-"
        descriptor =
            isOwned
            ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666) : STDOUT_FILENO
        guard descriptor >= 0 else {
            throw Failure(
                .usage, "--output \(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    func close() {
        if isOwned { Glibc.close(descriptor) }
    }

    /// A name as it stood in the input, quoted if it must be, with the comma behind it.
    func field(_ name: String) -> [UInt8] {
        guard name.contains(where: { $0 == "," || $0 == "\"" }) else {
            return Array("\(name),".utf8)
        }
        let doubled = name.map { $0 == "\"" ? "\"\"" : String($0) }.joined()
        return Array("\"\(doubled)\",".utf8)
    }

    func write(header: [String]) throws {
        bytes += Array((header.joined(separator: ",") + "\n").utf8)
    }

    func write(_ prefix: [UInt8], _ judgement: Judgement) throws {
        bytes += prefix
        let instant = Instant(milliseconds: Int64(judgement.hour.index) * 3_600_000)
        let news = judgement.news
        let episode = news.episode.map { String($0.number) } ?? ""
        bytes += "\(instant),\(news.newsScore),\(news.isAlert ? 1 : 0),\(episode)\n".utf8
        if bytes.count > 1 << 18 { try flush() }
    }

    func flush() throws {
        try jobs.write(bytes, to: descriptor)
        bytes.removeAll(keepingCapacity: true)
    }
}

extension Sensitivity: ExpressibleByArgument {}
extension Method: ExpressibleByArgument {}
