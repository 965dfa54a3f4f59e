internal import Digest

/// Hours of unusual volume that belong together, as they are stored: the peak, and what surrounds it.
package struct VolumeEpisode: Sendable, Equatable {
    package enum Direction: String, Sendable {
        case up, down, stopped
    }

    package let first: Hour
    package private(set) var last: Hour
    package private(set) var peak: Hour
    package private(set) var score: Double
    package private(set) var tailProbability: Double
    package private(set) var expected: Double
    package private(set) var expectedRange: ClosedRange<Double>
    package private(set) var observed: Double
    package private(set) var direction: Direction
    package private(set) var part: Part?
    package let threshold: Double
    package let method: Method
    /// Observed less expected, summed over the hours that reach the threshold.
    package private(set) var excess: Double
    /// How many those are.
    package private(set) var hours: Int

    /// From its first hour, or from a later one: what is stored is then extended.
    ///
    /// - Returns: nil if the hour reaches no threshold.
    package init?(_ judgement: Judgement, _ state: SeriesState) {
        guard judgement.news.episode != nil, let episode = state.episode.latest,
            let observed = judgement.observed
        else { return nil }
        (first, last, peak) = (episode.first, judgement.hour, judgement.hour)
        score = judgement.score
        tailProbability = judgement.tailProbability ?? 0
        expected = judgement.expected ?? 0
        expectedRange = judgement.expectedRange ?? expected...expected
        self.observed = observed
        direction = Self.direction(observed: observed, expected: expected)
        part = judgement.part
        (threshold, method) = (judgement.threshold, judgement.method)
        (excess, hours) = (observed - expected, 1)
    }

    /// Takes a later hour of the same episode.
    package mutating func add(_ next: Self) {
        precondition(next.first == first && next.last > last)
        last = next.last
        excess += next.excess
        hours += next.hours
        guard next.score > score else { return }
        (peak, score, tailProbability) = (next.peak, next.score, next.tailProbability)
        (expected, expectedRange) = (next.expected, next.expectedRange)
        (observed, direction, part) = (next.observed, next.direction, next.part)
    }

    private static func direction(observed: Double, expected: Double) -> Direction {
        observed >= expected ? .up : observed <= 0 ? .stopped : .down
    }
}

/// Names that say what they name: the same episode has the same name, whoever finds it, and whenever.
enum AnomalyName {
    static func of(customer: String, metricKey: String, lineage: String, first: Hour) -> String {
        let parts = [customer, metricKey, lineage, String(first.index)]
        return String(base32(SHA256.hash(lengthPrefixed(parts))).prefix(20))
    }
}
