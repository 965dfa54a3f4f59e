internal import Ledger

/// What the check of a day came to, for one metric.
struct DayOutcome {
    /// What was found of one series.
    struct Found {
        let customer: String
        let check: PatternCheck
        let verdict: Verdict
        let direction: VolumeEpisode.Direction
        let observed: Double
        let expected: Double
        /// Its hours are on record as unusual: no second row for them.
        let isFlagged: Bool

        var isUp: Bool { direction == .up }

        fileprivate func isVolume(_ isUp: Bool) -> Bool {
            check.isVolumeUnusual && self.isUp == isUp
        }
    }

    var judged = 0
    var observed = 0.0
    var expected = 0.0
    var found: [Found] = []
    /// Of those whose hours are on record as unusual, and are all that is.
    var volumes: [Found] = []

    /// Whether the unusual ones among some series are so many that all series have to be asked.
    ///
    /// - Parameter active: how many there are in all.
    func mayShift(of active: Double, share: Double) -> Bool {
        found.count >= FleetShift.minimumSeries && Double(found.count) >= share * active
    }

    /// Tells what many series have in common from what is one's own.
    ///
    /// - Parameter shifts: of the fleet's hours that touch the day, by whether upwards: what went the
    ///   same way is part of them, and so are patterns, if they are many.
    func grouped(_ shifts: Set<Bool>, share: Double) -> DayGroups {
        let minimum = max(Double(FleetShift.minimumSeries), share * Double(judged))
        let patterns = found.count { $0.check.isPatternUnusual }
        let arePatterns = Double(patterns) >= minimum
        let volumes = [true, false].filter { isUp in
            shifts.contains(isUp) || Double(found.count { $0.isVolume(isUp) }) >= minimum
        }
        func isPattern(_ found: Found) -> Bool { arePatterns && found.check.isPatternUnusual }

        var groups = DayGroups()
        groups.alone = found.filter { found in
            !isPattern(found) && !volumes.contains { found.isVolume($0) }
        }
        if arePatterns && shifts.isEmpty {
            groups.series[observed >= expected, default: 0] += patterns
        }
        for isUp in volumes where !shifts.contains(isUp) {
            let count = found.count { $0.isVolume(isUp) && !isPattern($0) }
            guard count > 0 else { continue }
            groups.areVolumes.insert(isUp)
            groups.series[isUp, default: 0] += count
        }
        return groups
    }
}

/// The unusual series of a day.
struct DayGroups {
    /// Of a shift upwards, or not.
    var series: [Bool: Int] = [:]
    /// Which shifts are of volumes, not only of patterns.
    var areVolumes: Set<Bool> = []
    /// Those that are part of none.
    var alone: [DayOutcome.Found] = []
}

/// An unusual day, as it is stored.
struct PatternFinding {
    /// nil: the fleet.
    let customer: String?
    let kind: String
    let isCritical: Bool
    let direction: VolumeEpisode.Direction
    let first: Hour
    /// Its first hour.
    let day: Hour
    let score: Double
    let threshold: Double
    let similarity: Double?
    let expected: Double
    let observed: Double
    let series: Int?
    let action: String
    /// It goes on, or this very day was recorded before.
    let isRecorded: Bool
}

extension PatternFinding {
    /// Of warnings: patterns, which nothing else shows, then the most unusual.
    static func goesFirst(_ left: Self, _ right: Self) -> Bool {
        let (isLeftVolume, isRightVolume) = (left.kind == "volume", right.kind == "volume")
        guard isLeftVolume == isRightVolume else { return isRightVolume }
        guard left.score == right.score else { return left.score > right.score }
        return (left.customer ?? "") < (right.customer ?? "")
    }

    /// One series' day.
    ///
    /// - Parameter known: what of it is on record.
    init(
        _ found: DayOutcome.Found, of day: Hour, known: BaselineStore.DayEpisode?,
        _ settings: PatternCheck.Settings
    ) {
        let isVolume = found.verdict.kind == .volume
        self.init(
            customer: found.customer, kind: found.verdict.kind.rawValue,
            isCritical: found.verdict.severity == .critical, direction: found.direction,
            first: known.map { Hour(Int($0.firstHour)) } ?? day, day: day,
            score: isVolume
                ? abs(found.check.volumeChange) / settings.volumeChange * 3
                : found.check.shapeScore,
            threshold: isVolume ? 3 : settings.shapeScore,
            similarity: found.check.similarity, expected: found.expected,
            observed: found.observed, series: nil, action: found.verdict.recommendedAction,
            isRecorded: known != nil)
    }

    /// A day of many series.
    init(
        _ outcome: DayOutcome, of day: Hour, isUp: Bool, series: Int, isVolume: Bool,
        known: BaselineStore.DayEpisode?, _ policy: DetectionPolicy
    ) {
        let share = Double(series) / Double(max(1, outcome.judged))
        let action =
            switch (isVolume, isUp) {
            case (false, _): "Many customers kept other hours: a holiday, or a change of ours."
            case (true, true): "Many customers used more than usual: an event, or a change of ours."
            case (true, false):
                "Many customers used less than usual: a holiday, or an outage of ours or the exporter's."
            }
        self.init(
            customer: nil, kind: "fleet", isCritical: true,
            direction: isUp ? .up : outcome.observed <= 0 ? .stopped : .down,
            first: known.map { Hour(Int($0.firstHour)) } ?? day, day: day,
            score: policy.pattern.shapeScore * share / policy.fleetShare,
            threshold: policy.pattern.shapeScore, similarity: nil, expected: outcome.expected,
            observed: outcome.observed, series: series,
            action: action + " Plan it with jobs anomalies mute.", isRecorded: known != nil)
    }
}
