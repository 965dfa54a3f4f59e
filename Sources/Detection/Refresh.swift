#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

extension SeriesState {
    /// The seasonal baseline and the scales rest on four weeks.
    package static let baselineHours = 28 * 24
    /// What `refreshed` can use of a history: 30 daily totals, and the day that is left out.
    package static let historyHours = 31 * 24
    /// The level is the median of as many days.
    static let levelDays = 20

    /// The state at a UTC midnight, made from the history before it.
    ///
    /// - Parameters:
    ///   - history: ends at that midnight, and holds the last `historyHours`, or what there is of them.
    ///   - totalDays: how many daily totals `zscore` compares with.
    ///   - reviewed: what people said of its days.
    /// - Returns: a state with new baselines and scales; only the first hour, the slow levels' past and
    ///   the episode are taken over.
    package func refreshed(
        _ history: HourlyHistory, totalDays: Int = 30, reviewed: ReviewedDays = .init()
    ) -> Self {
        var state = self
        let midnight = history.end
        state.lastHour = midnight + -1
        state.dailyTotals = DailyTotals(history, days: totalDays)
        let known = history.values.suffix(Self.baselineHours)
        let first = midnight + -known.count
        for (offset, value) in history.values.suffix(24).enumerated() {
            state.recent[(midnight + (offset - min(24, history.values.count))).ofDay] = value
        }
        let present = known.lazy.filter { !$0.isNaN }.count
        state.hasBaseline = present >= QuantileTail.minimumCount
        guard state.hasBaseline else { return state }
        let fit = BaselineFit(known, first: first, reviewed)
        state.take(fit)
        return state
    }

    private mutating func take(_ fit: BaselineFit) {
        variance = fit.profile.variance
        let growth = exp(fit.level)
        for season in 0..<SeasonalProfile.seasons {
            let value = variance.value(centre: fit.profile.centres[season])
            centres[season] = Float(variance.stabilised(value * growth))
        }
        noise = Float(fit.noise)
        weigh()
        tail = Float(fit.tail)
        persistence = Float(fit.persistence)
        levelNoise = Float(fit.levelNoise)
        shapeNoise = Float(fit.shapeNoise)
        centreError = Float(fit.centreError)
        residuals = ResidualRing()
        let known = fit.stabilised.count
        for offset in max(0, known - ResidualRing.hours)..<known where !fit.stabilised[offset].isNaN
        {
            let hour = fit.first + offset
            residuals[hour] =
                (fit.stabilised[offset] - Double(centres[hour.season])) / Double(noise)
        }
        quantiles = fit.quantiles
    }
}

/// What four weeks of a series say about its ordinary days.
struct BaselineFit {
    let first: Hour
    /// Stabilised values; NaN where an hour is missing.
    let stabilised: [Double]
    let profile: SeasonalProfile
    /// The logarithm of the present level over the profile's.
    let level: Double
    let noise: Double
    let tail: Double
    let persistence: Double
    let levelNoise: Double
    let shapeNoise: Double
    let centreError: Double
    let quantiles: QuantileTail

    init(_ history: ArraySlice<Float>, first: Hour, _ reviewed: ReviewedDays = .init()) {
        self.first = first
        let isCount = history.allSatisfy { $0.isNaN || ($0 >= 0 && $0 == $0.rounded()) }
        let everyDay = SeasonalProfile(
            history, first: first, variance: nil, isCount: isCount, isLeftOut: { _ in false })
        let variance = everyDay.variance
        stabilised = history.map { $0.isNaN ? .nan : variance.stabilised(Double($0)) }
        let found = DayStatistics(stabilised, first: first, profile: everyDay).unusualDays()
        let confirmed = reviewed.confirmed(in: first..<first + history.count)
        let unusual = found.subtracting(reviewed.dismissed.map { $0 - first.day }).union(confirmed)
        profile =
            unusual.isEmpty
            ? everyDay
            : SeasonalProfile(
                history, first: first, variance: variance, isCount: isCount,
                isLeftOut: unusual.contains)

        let days = DayStatistics(stabilised, first: first, profile: profile, leftOut: confirmed)
        level = days.nextLevel
        let residuals = days.residuals(profile)
        let ordinary = residuals.filter { !$0.isNaN }
        let rms = max(0.9, Robust.rootMeanSquare(ordinary))
        tail = max(1, Robust.quantile(ordinary.map(abs), 0.99) / (2.576 * rms))
        noise = rms
        let centred = days.residuals(profile, afterOwnLevel: true)
        let sums = stride(from: 0, to: centred.count - 5, by: 6).compactMap { start -> Double? in
            var sum = 0.0
            for residual in centred[start..<start + 6] { sum += residual }
            return sum.isNaN ? nil : sum / 6.0.squareRoot()
        }
        persistence = max(1, Robust.rootMeanSquare(sums) / rms)
        levelNoise = days.levelNoise(noise: rms)
        shapeNoise = days.shapeNoise(noise: rms)
        centreError = days.centreError
        let expected = profile.centres.map(variance.value(centre:))
        let counts = profile.counts
        quantiles = QuantileTail(
            history, isCount: isCount, expected: { expected[(first + $0).season] },
            inflation: { offset in
                let count = Double(counts[(first + offset).season])
                return count / (count - 1)
            })
    }
}

/// What people said of a series' days, as days since 1970.
package struct ReviewedDays: Sendable, Equatable {
    /// Nothing was unusual: they stay in the baseline.
    package var dismissed: Set<Int> = []
    /// It was: they are left out.
    package var confirmed: Set<Int> = []

    package init() {}

    /// Counted from the first day of some hours; none of them if hardly a day would be left.
    func confirmed(in hours: Range<Hour>) -> Set<Int> {
        guard !confirmed.isEmpty else { return [] }
        let (start, end) = (hours.lowerBound.day, (hours.upperBound + -1).day)
        let days = Set(confirmed.filter { (start...end).contains($0) }.map { $0 - start })
        return days.count * 2 <= end - start + 1 ? days : []
    }
}
