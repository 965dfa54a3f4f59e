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
    /// Both the cosine and chance say so; of a day with unusual hours: beyond these, or because they
    /// have moved.
    package let isPatternUnusual: Bool
    package let isVolumeUnusual: Bool
    /// The day's sum is about the baseline's, whatever its hours are.
    package let isSameVolume: Bool

    /// A change by fewer events is no change.
    private static let minimumEvents = 10.0
    /// Fewer hours have no shape.
    private static let minimumHours = 6

    /// Nil if the day has too few hours to be judged.
    ///
    /// The shape is tested by Pearson's chi-squared over the hours, against the multinomial with the
    /// baseline's shares; hours that expect fewer than one event are tested together. The baseline
    /// is itself an estimate from `days` days, and busy hours vary by more than chance: the variance of
    /// a share p is (p / events + dispersion p^2) (1 + 1 / days). A volume varies by that, and by
    /// `volumeNoise`.
    ///
    /// - Parameters:
    ///   - variance: the series' own (see `SeriesState.variance`).
    ///   - volumeNoise: by how much its ordinary days differ, beyond chance.
    ///   - unusual: of a day whose hours are on record as unusual. A runaway script or an outage
    ///     changes the shape of its day, too; the pattern is what is left without these hours.
    package init?(
        _ day: DayUsage, _ baseline: WeekdayBaseline, variance: VarianceModel,
        volumeNoise: Double = 0, unusual: UnusualHours? = nil, _ settings: Settings = .init()
    ) {
        precondition(day.weekday == baseline.weekday)
        guard day.isUsable else { return nil }
        let known = day.hours.indices.filter { day.hours[$0] != nil }
        let volume = day.volume
        var knownShare = 0.0
        for hour in known { knownShare += baseline.shape[hour] }
        let expectedVolume = baseline.volume * (baseline.volume > 0 ? knownShare : 0)
        volumeChange = Self.change(from: expectedVolume, to: volume)
        isSameVolume = abs(volumeChange) <= settings.volumeChange / 2
        let difference = abs(volume - expectedVolume)
        let spread = Self.spread(
            expectedVolume, known.map { baseline.volume * baseline.shape[$0] }, variance,
            days: Double(baseline.days), noise: volumeNoise)
        isVolumeUnusual =
            abs(volumeChange) > settings.volumeChange && difference > 3 * spread
            && difference >= Self.minimumEvents * variance.unit

        guard let whole = Shape(day.values, baseline, known, variance), expectedVolume > 0 else {
            // Nothing has no shape: a silent day is a matter of volume.
            (similarity, expectedSimilarity) = (volume == expectedVolume ? 1 : 0, 1)
            (shapeScore, isPatternUnusual) = (0, false)
            return
        }
        similarity = whole.similarity
        expectedSimilarity = whole.expectedSimilarity
        shapeScore = whole.score
        guard let unusual else {
            isPatternUnusual = whole.isUnusual(settings)
            return
        }
        let rest = known.filter { !unusual.hours.contains($0) }
        let isRestUnusual =
            rest.count >= Self.minimumHours
            && Shape(day.values, baseline, rest, variance)?.isUnusual(settings) == true
        isPatternUnusual = isRestUnusual || (unusual.isMoved && whole.isUnusual(settings))
    }

    /// The standard deviation of a day's volume around the baseline's.
    private static func spread(
        _ expected: Double, _ hours: [Double], _ variance: VarianceModel, days: Double,
        noise: Double
    ) -> Double {
        var squares = 0.0
        for hour in hours { squares += hour * hour }
        let chance = variance.unit * (expected + variance.unit) + variance.dispersion * squares
        return (chance * (1 + 1 / days) + noise * noise).squareRoot()
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

/// How alike a day's hours and its baseline's are, over some of them.
private struct Shape {
    let similarity: Double
    let expectedSimilarity: Double
    let score: Double

    /// Nil where there is nothing to compare.
    init?(
        _ values: [Double], _ baseline: WeekdayBaseline, _ hours: [Int], _ variance: VarianceModel
    ) {
        var (volume, share, squares) = (0.0, 0.0, 0.0)
        for hour in hours {
            volume += values[hour]
            share += baseline.shape[hour]
        }
        guard volume > 0, share > 0 else { return nil }
        let events = volume / variance.unit
        let observed = hours.map { values[$0] / volume }
        let shares = hours.map { baseline.shape[$0] / share }
        similarity = PatternCheck.cosine(observed, shares)
        for share in shares { squares += share * share }
        expectedSimilarity =
            (squares / (squares * (1 + variance.dispersion) + (1 - squares) / max(1, events)))
            .squareRoot()
        score = Self.score(
            observed, shares, events: events, dispersion: variance.dispersion,
            days: Double(baseline.days))
    }

    func isUnusual(_ settings: PatternCheck.Settings) -> Bool {
        similarity < settings.similarity && score >= settings.shapeScore
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
}
