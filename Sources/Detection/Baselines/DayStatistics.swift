/// The days of a history, each against the seasonal profile: its level, and its shape.
struct DayStatistics {
    struct Day {
        /// The logarithm of the day's level over the profile's, weighted by what each hour can tell.
        var level = 0.0
        /// The sum of the weights: the variance of `level` is its inverse, if hours are independent.
        var information = 0.0
        /// See `ShapeStatistic.energy`.
        var energy = 0.0
        var hours = 0
    }

    private let first: Hour
    private let raw: [Double]
    private let weights: [Double]
    private let days: [Day]
    /// What each day's level was expected to be; of the first three, what the fourth's was.
    private let expectedLevels: [Double]
    /// The mean of 1 / the number of values that make a centre.
    let centreError: Double

    /// The latest days make neither level nor scales: what begins on them must not hide itself.
    static let recentDays = 3

    /// Residuals beyond this many standard deviations count as that: one wild hour is no level.
    static let bound = 4.0

    /// - Parameter leftOut: days, since the first, that make neither level nor scales.
    init(
        _ stabilised: [Double], first: Hour, profile: SeasonalProfile, leftOut: Set<Int> = []
    ) {
        self.first = first
        weights = profile.centres.map(profile.variance.sensitivity)
        var raw = stabilised
        for offset in raw.indices { raw[offset] -= profile.centres[(first + offset).season] }
        self.raw = raw
        let weights = weights
        let start = first.day
        var days = [Day](
            repeating: Day(), count: raw.isEmpty ? 0 : (first + (raw.count - 1)).day - start + 1)
        var shapes = [ShapeStatistic](repeating: ShapeStatistic(), count: days.count)
        var projections = [Double](repeating: 0, count: days.count)
        for (offset, residual) in raw.enumerated() where !residual.isNaN {
            let hour = first + offset
            let day = hour.day - start
            let weight = weights[hour.season]
            let bounded = max(-Self.bound, min(Self.bound, residual))
            projections[day] += weight * bounded
            days[day].information += weight * weight
            days[day].hours += 1
            shapes[day].add(bounded, weight: weight, hourOfDay: hour.ofDay)
        }
        for day in days.indices where days[day].information > 0 {
            days[day].level = projections[day] / days[day].information
            days[day].energy = shapes[day].energy(level: days[day].level)
        }
        for day in leftOut { days[day].hours = 0 }
        self.days = days
        expectedLevels = days.indices.map {
            Self.expectedLevel(before: max($0, min(3, days.count)), days)
        }
        var sum = 0.0
        for count in profile.counts { sum += 1 / Double(count) }
        centreError = sum / Double(profile.counts.count)
    }

    var count: Int { days.count }

    /// Days that the profile is better made without: at most a third.
    func unusualDays() -> Set<Int> {
        let whole = days.indices.filter { days[$0].hours >= DailyTotals.minimumHours }
        guard whole.count >= 6 else { return [] }
        let centre = Robust.median(whole.map { days[$0].level })
        let spread = 1.4826 * Robust.median(whole.map { abs(days[$0].level - centre) })
        let energy = Robust.median(whole.map { days[$0].energy })
        func distance(_ day: Int) -> Double {
            max(
                abs(days[day].level - centre) / max(4 * spread, 0.1),
                days[day].energy / max(5 * energy, 5 * ShapeStatistic.medianEnergy))
        }
        let unusual = whole.filter { distance($0) > 1 }.sorted { distance($0) > distance($1) }
        return Set(unusual.prefix(whole.count / 3))
    }

    /// The median level of the days before one: what the next is expected to have.
    static func expectedLevel(before day: Int, _ days: [Day]) -> Double {
        let end = day > 6 ? day - recentDays : day
        let past = days[max(0, end - SeriesState.levelDays)..<end]
        let levels = past.filter { $0.hours >= DailyTotals.minimumHours }.map(\.level)
        return Robust.median(levels)
    }

    /// The level that is expected of the day after the history.
    var nextLevel: Double { Self.expectedLevel(before: days.count, days) }

    /// Residuals after each day's expected level, or its own, as large as they would be of hours that did
    /// not make the profile.
    func residuals(_ profile: SeasonalProfile, afterOwnLevel: Bool = false) -> [Double] {
        let inflation = profile.counts.map { (Double($0) / Double($0 - 1)).squareRoot() }
        var residuals = raw
        for offset in residuals.indices {
            let hour = first + offset
            let day = hour.day - first.day
            let level = afterOwnLevel ? days[day].level : expectedLevels[day]
            residuals[offset] =
                (residuals[offset] - level * weights[hour.season]) * inflation[hour.season]
        }
        return residuals
    }

    /// How far a day's level lies from what the days before let expect, beyond what noise explains. A
    /// guess of 5 % counts as four days.
    func levelNoise(noise: Double) -> Double {
        let end = days.count > 6 ? days.count - Self.recentDays : days.count
        let judged = (min(3, end)..<end).filter {
            days[$0].hours >= DailyTotals.minimumHours && days[$0].information > 0
        }
        let errors = judged.map { days[$0].level - expectedLevels[$0] }
        let bound = 2.5 * 1.4826 * Robust.median(errors.map(abs))
        var sum = 0.0
        for (error, day) in zip(errors, judged) {
            let size = min(abs(error), bound)
            sum += size * size - noise * noise / days[day].information
        }
        return ((max(0, sum) + 4 * 0.05 * 0.05) / Double(errors.count + 4)).squareRoot()
    }

    func shapeNoise(noise: Double) -> Double {
        let energies = days.filter { $0.hours >= DailyTotals.minimumHours }.map(\.energy)
        guard energies.count >= 3 else { return 1 }
        let ratio = Robust.median(energies) / (noise * noise * ShapeStatistic.medianEnergy)
        return max(1, ratio.squareRoot())
    }
}
