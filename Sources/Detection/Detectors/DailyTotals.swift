/// A day's total, as it was compared.
package struct DayTotal: Sendable, Equatable {
    package let observed: Double
    package let expected: Double
    /// Where an ordinary one lies.
    package let expectedRange: ClosedRange<Double>
}

/// The rule of daily totals: the trailing 24 hours against the 30 latest UTC days that ended before
/// them.
struct DailyTotals: Sendable {
    struct Summary: Sendable {
        var mean: Float = 0
        var standardDeviation: Float = 0
        var days: Float = 0
    }

    /// A day or a trailing window with fewer hours is not judged.
    static let minimumHours = 18
    /// Fewer days make no standard deviation worth the name.
    static let minimumDays = 7

    /// The days up to the day before yesterday: during a day, the window reaches into yesterday.
    var untilDayBefore = Summary()
    /// The days up to yesterday: at 23:00 the window is exactly today.
    var untilYesterday = Summary()

    init() {}

    var fields: [6 of Float] {
        [
            untilDayBefore.mean, untilDayBefore.standardDeviation, untilDayBefore.days,
            untilYesterday.mean, untilYesterday.standardDeviation, untilYesterday.days,
        ]
    }

    /// - Parameter fields: as `fields` gives them.
    init(fields: [6 of Float]) {
        untilDayBefore = Summary(mean: fields[0], standardDeviation: fields[1], days: fields[2])
        untilYesterday = Summary(mean: fields[3], standardDeviation: fields[4], days: fields[5])
    }

    /// - Parameters:
    ///   - history: ends with a whole UTC day.
    ///   - days: how many totals make the baseline.
    init(_ history: HourlyHistory, days: Int = 30) {
        let wholeDays = history.values.count / 24
        let totals = (0..<wholeDays).map { age in
            let day = history.values.dropLast(age * 24).suffix(24)
            return Self.total(day.span)
        }
        untilYesterday = Self.summary(totals.prefix(days))
        untilDayBefore = Self.summary(totals.dropFirst().prefix(days))
    }

    /// The sum, extrapolated to 24 hours if a few are missing; nil if too many are.
    static func total(_ hours: Span<Float>) -> Double? {
        var (sum, present) = (0.0, 0)
        for index in hours.indices where !hours[index].isNaN {
            sum += Double(hours[index])
            present += 1
        }
        return present >= minimumHours ? sum * 24 / Double(present) : nil
    }

    private static func summary(_ totals: some Collection<Double?>) -> Summary {
        let known = totals.compactMap(\.self)
        guard known.count >= minimumDays else { return Summary() }
        var sum = 0.0
        for total in known { sum += total }
        let mean = sum / Double(known.count)
        var squares = 0.0
        for total in known { squares += (total - mean) * (total - mean) }
        let deviation = (squares / Double(known.count - 1)).squareRoot()
        return Summary(
            mean: Float(finite: mean), standardDeviation: Float(finite: deviation),
            days: Float(known.count))
    }

    /// Standard deviations between the total and the mean; nil while there is no baseline.
    ///
    /// Where all days were alike, the deviation is 0: a total within a millionth of the mean then
    /// scores 0, any other `limit`.
    func score(total: Double, at hour: Hour, limit: Double = 10) -> Double? {
        let summary = summary(at: hour)
        guard summary.days > 0 else { return nil }
        let (mean, deviation) = (Double(summary.mean), Double(summary.standardDeviation))
        let distance = abs(total - mean)
        if distance <= 1e-6 * abs(mean) { return 0 }
        guard deviation > 1e-6 * abs(mean) else { return limit }
        return distance / deviation
    }

    /// What a total is compared with.
    func compared(_ total: Double, at hour: Hour) -> DayTotal {
        let summary = summary(at: hour)
        let (mean, reach) = (Double(summary.mean), 3 * Double(summary.standardDeviation))
        return DayTotal(
            observed: total, expected: mean, expectedRange: mean - reach...mean + reach)
    }

    private func summary(at hour: Hour) -> Summary {
        hour.ofDay == 23 ? untilYesterday : untilDayBefore
    }
}
