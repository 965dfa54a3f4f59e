internal import Digest

/// Hours of unusual volume that belong together, as they are stored: the peak, and what surrounds it.
package struct VolumeEpisode: Sendable, Equatable {
    package enum Direction: String, Sendable {
        case up, down, stopped
    }

    /// Where the episode began, be it before these hours.
    package let first: Hour
    package private(set) var peak: Hour
    package private(set) var score: Double
    package private(set) var tailProbability: Double
    /// What was compared at the peak: the hour, or for `zscore` the day's total.
    package private(set) var expected: Double
    package private(set) var expectedRange: ClosedRange<Double>
    package private(set) var observed: Double
    package private(set) var part: Part?
    package let threshold: Double
    package let method: Method
    /// The hours that reach the threshold.
    package private(set) var hours: [Hour]
    /// Observed less expected, in each of them.
    package private(set) var excesses: [Double]
    /// Their sum.
    package private(set) var excess: Double
    /// Whether what scored in the first of these hours lies above what was expected.
    package let isUp: Bool
    /// The first of these hours is at least twice as unusual as the worst before it.
    private let isTwice: Bool
    /// It is unusual one way, the other, or, by several hours together and by itself, both.
    private let goesUp: Bool
    private let goesDown: Bool

    /// From its first hour, or from a later one: what is stored is then extended.
    ///
    /// - Returns: nil if the hour reaches no threshold.
    package init?(_ judgement: Judgement) {
        guard let episode = judgement.news.episode, let value = judgement.observed else {
            return nil
        }
        (first, peak) = (episode.first, judgement.hour)
        score = judgement.score
        tailProbability = judgement.tailProbability ?? 0
        let centre = judgement.expected ?? 0
        observed = judgement.total?.observed ?? value
        expected = judgement.total?.expected ?? centre
        expectedRange =
            judgement.total?.expectedRange ?? judgement.expectedRange ?? centre...centre
        part = judgement.part
        (threshold, method) = (judgement.threshold, judgement.method)
        (hours, excesses, excess) = ([judgement.hour], [value - centre], value - centre)
        isUp = judgement.isUp
        isTwice = judgement.score >= judgement.news.peak * 2
        goesUp = judgement.score(isUp: true) >= judgement.threshold
        goesDown = judgement.score(isUp: false) >= judgement.threshold
    }

    package var last: Hour { hours[hours.count - 1] }
    /// These hours are the episode's from its first on.
    var isFromFirst: Bool { hours[0] == first }

    /// Of volume; or of hours that lie as unusual beside each other, whatever their volume.
    package var kind: Verdict.Kind {
        switch part {
        case .shape24, .shape72: .pattern
        default: .volume
        }
    }

    /// Which way the hours go together.
    package var direction: Direction {
        if excess >= 0 { return .up }
        return kind == .volume && observed <= 0 ? .stopped : .down
    }

    /// Takes a later hour of the same episode.
    package mutating func add(_ next: Self) {
        precondition(next.first == first && next.hours[0] > last)
        hours += next.hours
        excesses += next.excesses
        excess += next.excess
        guard next.score > score else { return }
        (peak, score, tailProbability) = (next.peak, next.score, next.tailProbability)
        (expected, expectedRange) = (next.expected, next.expectedRange)
        (observed, part) = (next.observed, next.part)
    }

    /// Whether these hours, later ones of an episode, are more than what it began with, upwards or not:
    /// twice as unusual as all before, or unusual the other way.
    func breaksOut(of isUp: Bool) -> Bool {
        !isFromFirst && (isTwice || (isUp ? goesDown : goesUp))
    }

    /// Whether an hour has to be told apart from those before it: it may be more than a shift's.
    func breaks(at next: Self) -> Bool {
        isFromFirst ? next.breaksOut(of: isUp) : next.isTwice
    }

    /// Whether these hours are part of a shift of the fleet: they began when many others did, and went the
    /// same way, or are what followed of that; and they did not outlive it by a day.
    func isPart(of shift: ShiftHours) -> Bool {
        guard last - shift.last <= EpisodeTracker.memoryHours else { return false }
        if (shift.isUp ? goesUp : goesDown) && shift.onsets.contains(hours[0]) { return true }
        return !isFromFirst && shift.onsets.contains(first) && !breaksOut(of: shift.isUp)
    }
}

/// Names that say what they name: the same episode has the same name, whoever finds it, and whenever.
enum AnomalyName {
    static func of(customer: String, metricKey: String, lineage: String, first: Hour) -> String {
        let parts = [customer, metricKey, lineage, String(first.index)]
        return String(base32(SHA256.hash(lengthPrefixed(parts))).prefix(20))
    }
}
