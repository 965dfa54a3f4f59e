/// Yesterday against its weekday's baseline.
package struct PatternCheck: Sendable, Equatable {
    package struct Settings: Sendable {
        /// Below it, a day's shape is unlike its baseline.
        package var similarity = 0.9
        /// A share; beyond it, a day's volume has changed.
        package var volumeChange = 0.5
        /// From how many standard deviations on a shape differs by more than chance.
        package var shapeScore = 3.0

        package init() {}
    }

    /// The cosine of the day's hours and the baseline's, 0 to 1.
    package let similarity: Double
    /// What a day drawn from the baseline with as many events would have on average.
    package let expectedSimilarity: Double
    /// By how many standard deviations the day's shape differs from the baseline's: 0 where there are
    /// too few events to say.
    package let shapeScore: Double
    /// The day's volume over the baseline's, less 1; 1 for usage where there was none.
    package let volumeChange: Double
    /// Both the cosine and chance say so.
    package let isPatternUnusual: Bool
    package let isVolumeUnusual: Bool
    /// The day's sum is about the baseline's, whatever its hours are.
    package let isSameVolume: Bool

    /// Nil if the day has too few hours to be judged.
    ///
    /// The shape is tested by Pearson's chi-squared over the hours, against the multinomial with the
    /// baseline's shares; hours that expect fewer than one event are tested together. The baseline
    /// is itself an estimate from `days` days, and busy hours vary by more than chance: the variance of
    /// a share p is (p / events + dispersion p^2) (1 + 1 / days).
    ///
    /// - Parameter variance: the series' own (see `SeriesState.variance`).
    package init?(
        _ day: DayUsage, _ baseline: WeekdayBaseline, variance: VarianceModel,
        _ settings: Settings = .init()
    ) {
        precondition(day.weekday == baseline.weekday)
        let unit = variance.unit
        guard day.isUsable else { return nil }
        let (values, volume) = (day.values, day.volume)
        let known = day.hours.indices.filter { day.hours[$0] != nil }
        var knownShare = 0.0
        for hour in known { knownShare += baseline.shape[hour] }
        let expectedVolume = baseline.volume * (baseline.volume > 0 ? knownShare : 0)
        volumeChange = Self.change(from: expectedVolume, to: volume)
        isSameVolume = abs(volumeChange) <= settings.volumeChange / 2
        isVolumeUnusual =
            abs(volumeChange) > settings.volumeChange
            && abs(volume - expectedVolume) > 3 * (unit * (expectedVolume + unit)).squareRoot()

        let events = volume / unit
        guard volume > 0, expectedVolume > 0, knownShare > 0 else {
            // Nothing has no shape: a silent day is a matter of volume.
            (similarity, expectedSimilarity) = (volume == expectedVolume ? 1 : 0, 1)
            (shapeScore, isPatternUnusual) = (0, false)
            return
        }
        let shares = known.map { baseline.shape[$0] / knownShare }
        let observed = known.map { values[$0] / volume }
        similarity = Self.cosine(observed, shares)
        var squares = 0.0
        for share in shares { squares += share * share }
        expectedSimilarity =
            (squares / (squares * (1 + variance.dispersion) + (1 - squares) / max(1, events)))
            .squareRoot()
        shapeScore = Self.score(
            observed, shares, events: events, dispersion: variance.dispersion,
            days: Double(baseline.days))
        isPatternUnusual = similarity < settings.similarity && shapeScore >= settings.shapeScore
    }

    private static func score(
        _ observed: [Double], _ expected: [Double], events: Double, dispersion: Double,
        days: Double
    ) -> Double {
        var (sum, cells) = (0.0, 0.0)
        var rest = (observed: 0.0, expected: 0.0)
        func add(_ observed: Double, _ expected: Double) {
            let variance = (expected / events + dispersion * expected * expected) * (1 + 1 / days)
            guard variance > 0 else { return }
            sum += (observed - expected) * (observed - expected) / variance
            cells += 1
        }
        for (observed, expected) in zip(observed, expected) {
            if expected * events >= 1 {
                add(observed, expected)
            } else {
                rest.observed += observed
                rest.expected += expected
            }
        }
        // Usage in hours that never had any is expected to be half an event.
        add(rest.observed, max(rest.expected, 0.5 / events))
        guard cells >= 2 else { return 0 }
        return max(0, Gaussian.score(chiSquared: sum, degreesOfFreedom: cells - 1))
    }

    /// The cosine of two vectors; 1 if both are zero, 0 if one is.
    static func cosine(_ left: [Double], _ right: [Double]) -> Double {
        var (product, lefts, rights) = (0.0, 0.0, 0.0)
        for (a, b) in zip(left, right) {
            product += a * b
            lefts += a * a
            rights += b * b
        }
        if lefts == 0 && rights == 0 { return 1 }
        guard lefts > 0, rights > 0 else { return 0 }
        return min(1, max(0, product / (lefts.squareRoot() * rights.squareRoot())))
    }

    /// New over old, less 1; from nothing to something it is 1.
    static func change(from old: Double, to new: Double) -> Double {
        guard old > 0 else { return new > 0 ? 1 : 0 }
        return new / old - 1
    }
}
