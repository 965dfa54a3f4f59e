internal import ArgumentParser
internal import Detection
internal import Ledger
internal import Synchronization

/// Thresholds, judged by what people have said of anomalies.
struct TuneCommand: StatusCommand {
    static let configuration = CommandConfiguration(
        commandName: "tune",
        abstract: "What thresholds would have come to, by the anomalies that people have reviewed.",
        discussion: """
            Acknowledged and resolved anomalies were real, dismissed ones were not. What scored below the \
            threshold of its time was never recorded: recall is of what was told. The proposed threshold \
            has the best harmonic mean of precision and recall; set detection.threshold for it.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var list: ListOptions
    @OptionGroup var selection: AnomalySelection
    @Option(name: .long, help: "Of this method (default: detection.method), or pattern.")
    var method: String?

    mutating func runToStatus() async throws -> ExitStatus {
        let filter = selection.filter
        return try await Live.run(common, usesClickHouse: false) { [list, method] live in
            let method = method ?? live.settings.detection.detector.method.rawValue
            let scores = Mutex<[(score: Double, isReal: Bool)]>([])
            try await AnomalyStore(pool: live.pool).forEachBatch(filter) { anomalies in
                for anomaly in anomalies
                where anomaly.method == method
                    && (anomaly.isConfirmed || anomaly.status == "dismissed")
                {
                    guard let score = Double(anomaly.score) else { continue }
                    scores.withLock { $0.append((score, anomaly.isConfirmed)) }
                }
            }
            let tuning = ThresholdTuning(scores.withLock { $0 })
            var listing = Listing(
                [
                    "threshold", "confirmed", "dismissed", "precision", "recall", "is_proposed",
                ].map { .init($0) }, format: list.format)
            for candidate in tuning.candidates {
                try listing.add([
                    .measured("\(candidate.threshold)"), .integer(Int64(candidate.confirmed)),
                    .integer(Int64(candidate.dismissed)), .measured("\(candidate.precision)"),
                    .measured("\(candidate.recall)"),
                    .text(candidate == tuning.best ? "yes" : "no"),
                ])
            }
            try listing.finish()
            return .done
        }
    }
}
