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
            has the best harmonic mean of precision and recall. With --method pattern it is about days: \
            those whose similarity to their weekday is lower are told, and those whose volume has changed \
            by more.
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
            let reviews = Mutex<[SettingTuning.Review]>([])
            try await AnomalyStore(pool: live.pool).forEachBatch(filter) { anomalies in
                let found = anomalies.compactMap { SettingTuning.Review($0, method: method) }
                reviews.withLock { $0 += found }
            }
            var listing = Listing(
                [
                    "setting", "threshold", "confirmed", "dismissed", "precision", "recall",
                    "is_proposed",
                ].map { .init($0) }, format: list.format)
            for (setting, tuning) in SettingTuning(reviews.withLock { $0 }).tunings {
                for candidate in tuning.candidates {
                    try listing.add([
                        .text(setting.rawValue),
                        .measured("\(setting.value(candidate.threshold))"),
                        .integer(Int64(candidate.confirmed)),
                        .integer(Int64(candidate.dismissed)),
                        .measured("\(candidate.precision)"), .measured("\(candidate.recall)"),
                        .text(candidate == tuning.best ? "yes" : "no"),
                    ])
                }
            }
            try listing.finish()
            return .done
        }
    }
}
