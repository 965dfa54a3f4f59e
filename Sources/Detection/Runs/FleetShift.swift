/// Many series of a metric that are unusual in the same hours, in one direction: one thing, not many.
struct FleetShift {
    let metric: DetectedMetric
    let isUp: Bool
    let first: Hour
    private(set) var last: Hour
    /// The worst hour, and what it was like.
    private(set) var peak: Hour
    private(set) var series: Int
    private(set) var score: Double
    private(set) var observed: Double
    private(set) var expected: Double
    /// Observed less expected, over all hours.
    private(set) var excess: Double
    private(set) var hours = 1
    let threshold: Double

    /// Fewer series are no fleet.
    static let minimumSeries = 10

    /// - Parameters:
    ///   - first: of the shift that goes on, or the hour itself.
    ///   - share: of the judged series, from which on it is one.
    /// - Returns: nil if too few are unusual.
    init?(
        _ metric: DetectedMetric, isUp: Bool, first: Hour, _ hour: Hour, _ tally: HourTally,
        _ threshold: Double, share: Double
    ) {
        let count = isUp ? tally.up : tally.down
        guard count >= Self.minimumSeries, Double(count) >= share * Double(tally.judged) else {
            return nil
        }
        (self.metric, self.isUp, self.first, last, peak) = (metric, isUp, first, hour, hour)
        series = count
        // The threshold, as often as the share of series is reached.
        score = threshold * Double(count) / max(1, share * Double(max(1, tally.judged)))
        (observed, expected, self.threshold) = (tally.observed, tally.expected, threshold)
        excess = tally.observed - tally.expected
    }

    /// Takes a later hour.
    mutating func add(_ next: Self) {
        last = next.last
        excess += next.excess
        hours += next.hours
        guard next.score > score else { return }
        (peak, series, score) = (next.peak, next.series, next.score)
        (observed, expected) = (next.observed, next.expected)
    }

    var direction: VolumeEpisode.Direction { isUp ? .up : observed <= 0 ? .stopped : .down }

    var recommendedAction: String {
        isUp
            ? "Many customers at once: look for a change of ours (a release, a retry loop in a client library), or plan the event with jobs anomalies mute."
            : "Many customers at once: look for an outage of ours or of the exporter, or plan the event with jobs anomalies mute."
    }
}

extension MetricOutcome {
    /// The shifts of its hours; those less than a day apart are one.
    func shifts(_ policy: DetectionPolicy) -> [FleetShift] {
        var shifts: [FleetShift] = []
        for (offset, tally) in tallies.enumerated() {
            let hour = first + offset
            for isUp in [true, false] {
                let live = shifts.lastIndex {
                    $0.isUp == isUp && hour - $0.last <= EpisodeTracker.memoryHours
                }
                let shift = FleetShift(
                    metric, isUp: isUp, first: live.map { shifts[$0].first } ?? hour, hour, tally,
                    policy.detector.threshold, share: policy.fleetShare)
                guard let shift else { continue }
                if let live { shifts[live].add(shift) } else { shifts.append(shift) }
            }
        }
        return shifts
    }

    /// Whether the unusual ones among these series are so many that all series have to be asked.
    ///
    /// - Parameter active: how many there are in all.
    func mayShift(of active: Double, share: Double) -> Bool {
        tallies.contains { tally in
            let count = max(tally.up, tally.down)
            return count >= FleetShift.minimumSeries && Double(count) >= share * active
        }
    }
}
