package import Ledger

/// What thresholds would have come to, by anomalies that people have reviewed.
package struct ThresholdTuning: Sendable {
    package struct Candidate: Sendable, Equatable {
        package let threshold: Double
        package let confirmed: Int
        package let dismissed: Int
        /// Of what would have been told, the share that was real.
        package let precision: Double
        /// Of what was real, the share that would have been told.
        package let recall: Double

        /// Their harmonic mean.
        package var f1: Double {
            precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0
        }
    }

    /// From the lowest threshold to the highest.
    package let candidates: [Candidate]

    /// - Parameters:
    ///   - scores: of reviewed anomalies, and whether they were real.
    ///   - count: of thresholds to look at, at most: quantiles of the scores.
    ///   - stepsPerUnit: how fine they are: people set them.
    package init(
        _ scores: [(score: Double, isReal: Bool)], count: Int = 12, stepsPerUnit: Double = 10
    ) {
        let sorted = scores.map(\.score).sorted()
        let real = scores.count { $0.isReal }
        let places = (0..<min(count, sorted.count)).map {
            $0 * sorted.count / min(count, sorted.count)
        }
        var seen: Set<Double> = []
        let thresholds = places.map { (sorted[$0] * stepsPerUnit).rounded(.down) / stepsPerUnit }
            .filter { $0 > 0 && seen.insert($0).inserted }
        candidates = thresholds.map { threshold in
            let told = scores.filter { $0.score >= threshold }
            let confirmed = told.count { $0.isReal }
            return Candidate(
                threshold: threshold, confirmed: confirmed, dismissed: told.count - confirmed,
                precision: told.isEmpty ? 0 : Double(confirmed) / Double(told.count),
                recall: real == 0 ? 0 : Double(confirmed) / Double(real))
        }
    }

    /// The one with the best of both; the lower of equals.
    package var best: Candidate? {
        candidates.reduce(nil) { best, next in
            next.f1 > (best?.f1 ?? 0) ? next : best
        }
    }
}

/// What each setting of detection would have come to, by anomalies that people have reviewed.
package struct SettingTuning: Sendable {
    /// A reviewed anomaly, as far as a setting decides about it.
    package struct Review: Sendable {
        package let setting: Setting
        /// The larger, the more unusual.
        package let score: Double
        package let isReal: Bool
    }

    package enum Setting: String, CaseIterable, Sendable {
        case threshold = "detection.threshold"
        case similarity = "detection.similarity"
        case volumeChange = "detection.volume_change"

        /// What somebody would set: a similarity is told below it, the others from it on.
        package func value(_ threshold: Double) -> Double {
            self == .similarity ? ((1 - threshold) * 100).rounded() / 100 : threshold
        }

        fileprivate var stepsPerUnit: Double { self == .threshold ? 10 : 100 }
    }

    /// Those with reviews.
    package let tunings: [(setting: Setting, tuning: ThresholdTuning)]

    package init(_ reviews: [Review]) {
        tunings = Setting.allCases.compactMap { setting in
            let own = reviews.filter { $0.setting == setting }
                .map { (score: $0.score, isReal: $0.isReal) }
            guard !own.isEmpty else { return nil }
            let tuning = ThresholdTuning(own, stepsPerUnit: setting.stepsPerUnit)
            return (setting: setting, tuning: tuning)
        }
    }
}

extension SettingTuning.Review {
    /// Nil if nobody has said anything of it, or no setting decides about it: what is withdrawn was none.
    ///
    /// - Parameter method: how the hours are scored, or `pattern`: days that the daily check found, by
    ///   their similarity, or by their volume alone.
    package init?(_ anomaly: Anomaly, method: String) {
        guard anomaly.method == method, anomaly.status != "withdrawn",
            anomaly.isConfirmed || anomaly.status == "dismissed",
            let score = Double(anomaly.score)
        else { return nil }
        isReal = anomaly.isConfirmed
        guard method == "pattern" else {
            (setting, self.score) = (.threshold, score)
            return
        }
        switch anomaly.kind {
        case "volume":
            guard let expected = Double(anomaly.expected), let observed = Double(anomaly.observed)
            else { return nil }
            (setting, self.score) = (
                .volumeChange, abs(PatternCheck.change(from: expected, to: observed))
            )
        case "pattern", "both":
            guard let similarity = anomaly.similarity.flatMap(Double.init) else { return nil }
            (setting, self.score) = (.similarity, 1 - similarity)
        default: return nil
        }
    }
}
