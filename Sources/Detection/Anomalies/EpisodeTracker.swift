/// Says which hours are news: after an alert, the next is one only if it scores above every hour of the
/// 24 before, and of its episode. An episode is what lies between alerts less than a day apart.
package struct EpisodeTracker: Sendable {
    static let memoryHours = 24

    package struct Episode: Sendable, Equatable {
        /// From 1, within the series.
        package var number: Int
        package var first: Hour
        package var last: Hour
        package var peak: Float
    }

    /// The scores of the last 24 hours, by hour of the day, in steps of 1/256 and at most 255.
    var scores = [24 of UInt16](repeating: 0)
    private static let stepsPerUnit = 256.0
    package var latest: Episode?

    package struct Outcome: Sendable {
        /// Whether somebody is to be told.
        package let isAlert: Bool
        /// The score, as far as it is news.
        package let newsScore: Double
        /// The episode that the hour belongs to.
        package let episode: Episode?
        /// The highest score before: of the 24 hours, and of the episode.
        package let peak: Double
    }

    /// - Parameter score: 0 for a missing hour.
    mutating func observe(_ hour: Hour, score: Double, threshold: Double) -> Outcome {
        let slot = hour.ofDay
        scores[slot] = 0
        var highest: UInt16 = 0
        for slot in scores.indices { highest = max(highest, scores[slot]) }
        var peak = Double(highest) / Self.stepsPerUnit
        var isHigher = score > peak
        if let latest, hour - latest.last <= Self.memoryHours {
            peak = max(peak, Double(latest.peak))
            // As coarse as the peak is kept: an equal score is not higher.
            isHigher = isHigher && Float(score) > latest.peak
        }
        scores[slot] = UInt16((max(0, min(255, score)) * Self.stepsPerUnit).rounded(.up))
        let isAlert = score >= threshold && isHigher
        if score >= threshold {
            if var episode = latest, hour - episode.last <= Self.memoryHours {
                episode.last = hour
                episode.peak = max(episode.peak, Float(score))
                latest = episode
            } else {
                latest = Episode(
                    number: (latest?.number ?? 0) + 1, first: hour, last: hour, peak: Float(score))
            }
        }
        let isNews = isHigher || peak < threshold
        return Outcome(
            isAlert: isAlert,
            newsScore: isNews ? score : min(score * (threshold / peak), threshold.nextDown),
            episode: score >= threshold ? latest : nil, peak: peak)
    }
}
