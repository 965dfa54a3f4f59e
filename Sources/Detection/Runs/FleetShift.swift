internal import Ledger

/// Many series of a metric that become unusual at about the same time, in one direction: one thing, not many.
///
/// It begins when many series begin to be unusual, and lasts while many are. Who began in other hours is
/// no part of it, however long it lasts.
struct FleetShift {
    let metric: DetectedMetric
    let isUp: Bool
    let first: Hour
    private(set) var last: Hour
    /// Hours in which many began to be unusual.
    private(set) var onsets: [Hour]
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
    /// For so long an episode counts as one that begins: not every series shows it in its first hour.
    static let onsetHours = 6

    /// - Parameters:
    ///   - live: the first hour of the shift that goes on, if there is one.
    ///   - share: of the judged series, from which on it is one.
    /// - Returns: nil if too few are unusual, or none goes on and too few begin to be.
    init?(
        _ metric: DetectedMetric, isUp: Bool, goingOnSince live: Hour?, _ hour: Hour,
        _ tally: HourTally, _ threshold: Double, share: Double
    ) {
        let count = isUp ? tally.up : tally.down
        func isMany(_ count: Int) -> Bool {
            count >= Self.minimumSeries && Double(count) >= share * Double(tally.judged)
        }
        let isOnset = isMany(isUp ? tally.newUp : tally.newDown)
        guard isOnset || (live != nil && isMany(count)) else { return nil }
        (self.metric, self.isUp, first, last, peak) = (metric, isUp, live ?? hour, hour, hour)
        onsets = isOnset ? [hour] : []
        series = count
        // The threshold, as often as the share of series is reached.
        score = threshold * Double(count) / max(1, share * Double(max(1, tally.judged)))
        (observed, expected, self.threshold) = (tally.observed, tally.expected, threshold)
        excess = tally.observed - tally.expected
    }

    /// Takes a later hour.
    mutating func add(_ next: Self) {
        last = next.last
        onsets += next.onsets
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

/// What of a shift says which episodes are part of it (`VolumeEpisode.isPart`).
struct ShiftHours: Sendable {
    let isUp: Bool
    let first: Hour
    let last: Hour
    let onsets: Set<Hour>
}

extension ShiftHours {
    /// - Parameter live: what of it is on record.
    init(_ shift: FleetShift, goingOnFrom live: Self? = nil) {
        self.init(
            isUp: shift.isUp, first: shift.first, last: shift.last,
            onsets: Set(shift.onsets).union(live?.onsets ?? []))
    }

    init(_ known: DetectionStore.FleetEpisode) {
        self.init(
            isUp: known.isUp, first: known.range.lowerBound, last: known.range.upperBound,
            onsets: Set(known.onsets.map { Hour(Int($0)) }))
    }
}

extension MetricOutcome {
    /// The shifts of its hours; those less than a day apart are one.
    ///
    /// - Parameter known: those that began before, and stay as they are.
    func shifts(_ policy: DetectionPolicy, after known: [ShiftHours]) -> [FleetShift] {
        var shifts: [FleetShift] = []
        for (offset, tally) in tallies.enumerated() {
            let hour = first + offset
            for isUp in [true, false] {
                let goesOn = known.contains {
                    $0.isUp == isUp && hour - $0.last <= EpisodeTracker.memoryHours
                }
                if goesOn { continue }
                let live = shifts.lastIndex {
                    $0.isUp == isUp && hour - $0.last <= EpisodeTracker.memoryHours
                }
                let shift = FleetShift(
                    metric, isUp: isUp, goingOnSince: live.map { shifts[$0].first }, hour, tally,
                    policy.detector.threshold, share: policy.fleetShare)
                guard let shift else { continue }
                if let live { shifts[live].add(shift) } else { shifts.append(shift) }
            }
        }
        return shifts
    }

    /// Whether so many of these series begin to be unusual, in hours in which that was not known, that all
    /// series have to be asked.
    ///
    /// - Parameter active: how many there are in all.
    func mayShift(of active: Double, share: Double, known: [ShiftHours]) -> Bool {
        tallies.enumerated().contains { offset, tally in
            [true, false].contains { isUp in
                let count = isUp ? tally.newUp : tally.newDown
                return count >= FleetShift.minimumSeries && Double(count) >= share * active
                    && !known.contains { $0.isUp == isUp && $0.onsets.contains(first + offset) }
            }
        }
    }
}
