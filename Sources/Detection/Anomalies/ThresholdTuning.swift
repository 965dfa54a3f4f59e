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
    package init(_ scores: [(score: Double, isReal: Bool)], count: Int = 12) {
        let sorted = scores.map(\.score).sorted()
        let real = scores.count { $0.isReal }
        let places = (0..<min(count, sorted.count)).map {
            $0 * sorted.count / min(count, sorted.count)
        }
        var seen: Set<Double> = []
        // Rounded down to a tenth: a threshold is for people to set.
        let thresholds = places.map { (sorted[$0] * 10).rounded(.down) / 10 }
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
