/// What a normal Monday, Tuesday, ... looks like: the shape of its 24 hours, and its volume.
package struct WeekdayBaseline: Sendable, Equatable {
    /// 0 is Monday.
    package let weekday: Int
    /// The share of the day's volume in each hour; 24 values that sum to 1, or all 0 for a day without
    /// usage.
    package let shape: [Double]
    /// The median volume of a day.
    package let volume: Double
    /// How many days it rests on.
    package let days: Int
}

/// One UTC day of a series.
package struct DayUsage: Sendable, Equatable {
    /// 0 is Monday.
    package let weekday: Int
    /// 24 values; nil where the hour is missing.
    package let hours: [Double?]
    /// Whether somebody confirmed an anomaly on this day, or a detector's episode was not dismissed.
    package let isFlagged: Bool

    package init(weekday: Int, hours: [Double?], isFlagged: Bool = false) {
        precondition(hours.count == 24 && 0..<7 ~= weekday)
        (self.weekday, self.hours, self.isFlagged) = (weekday, hours, isFlagged)
    }

    /// Usage below nothing counts as none.
    var values: [Double] { hours.map { max(0, ($0 ?? 0).isFinite ? $0 ?? 0 : 0) } }

    var volume: Double {
        var sum = 0.0
        for value in values { sum += value }
        return sum
    }

    /// A day with a few missing hours still has a shape.
    var isUsable: Bool { hours.count { $0 != nil } >= DailyTotals.minimumHours }
}

extension WeekdayBaseline {
    /// Days of a weekday that make a baseline.
    package static let minimumDays = 2

    /// The baseline of each weekday that has enough days.
    ///
    /// Flagged days are left out, unless nothing else is left. Each hour is the median over the days of
    /// its share of the day, so that one odd day among four changes little.
    package static func all(_ days: [DayUsage]) -> [WeekdayBaseline] {
        (0..<7).compactMap { weekday in
            let usable = days.filter { $0.weekday == weekday && $0.isUsable }
            let ordinary = usable.filter { !$0.isFlagged }
            let used = ordinary.count >= minimumDays ? ordinary : usable
            guard used.count >= minimumDays else { return nil }
            let shares = used.map { Self.normalised($0.values) }
            let medians = (0..<24).map { hour in Robust.median(shares.map { $0[hour] }) }
            return WeekdayBaseline(
                weekday: weekday, shape: normalised(medians),
                volume: Robust.median(used.map(\.volume)), days: used.count)
        }
    }

    /// Shares of the sum; all 0 if that is 0.
    static func normalised(_ values: [Double]) -> [Double] {
        var sum = 0.0
        for value in values { sum += value }
        guard sum > 0, sum.isFinite else { return [Double](repeating: 0, count: values.count) }
        return values.map { $0 / sum }
    }
}

/// Whether a new version of a baseline may take over from the ones before.
package struct BaselineDrift: Sendable, Equatable {
    package enum Limit: String, Sendable {
        /// The version in force until now.
        case previous
        /// The version of four weeks before: a baseline that is poisoned slowly passes the first limit.
        case fourWeeksOlder = "four_weeks_older"
    }

    package let limit: Limit
    package let similarity: Double
    /// New volume over old, less 1.
    package let volumeChange: Double

    package static let minimumSimilarity = 0.9
    /// Against the previous version, and against the one four weeks older.
    package static let maximumVolumeChange = (previous: 0.3, fourWeeksOlder: 0.5)

    /// Why a baseline is refused promotion; empty if it may be.
    ///
    /// - Parameters:
    ///   - previous: nil if there is none: then it is no limit.
    ///   - older: the version in force four weeks before that.
    package static func violations(
        of new: WeekdayBaseline, previous: WeekdayBaseline?, older: WeekdayBaseline?
    ) -> [BaselineDrift] {
        let limits = [
            (Limit.previous, previous, maximumVolumeChange.previous),
            (Limit.fourWeeksOlder, older, maximumVolumeChange.fourWeeksOlder),
        ]
        return limits.compactMap { limit, old, maximumChange in
            guard let old, old.volume > 0 || new.volume > 0 else { return nil }
            let similarity = PatternCheck.cosine(new.shape, old.shape)
            let change = PatternCheck.change(from: old.volume, to: new.volume)
            guard similarity < minimumSimilarity || abs(change) > maximumChange else { return nil }
            return BaselineDrift(limit: limit, similarity: similarity, volumeChange: change)
        }
    }
}
