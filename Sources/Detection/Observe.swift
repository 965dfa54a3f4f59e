/// What an hour's score means for the people who read it.
package enum Severity: String, Sendable {
    /// Nothing unusual.
    case none
    /// From two thirds of the threshold on.
    case warning
    /// From the threshold on.
    case critical
}

/// How much a judgement can rest on.
package enum Confidence: String, Sendable {
    /// Under three days of history: no score.
    case silent
    /// Three to fourteen days: wider bounds.
    case wide
    case normal
}

/// What is said about one hour of one series.
package struct Judgement: Sendable {
    package let hour: Hour
    /// Nil for a missing hour.
    package let observed: Double?
    /// Nil while there is no baseline.
    package let expected: Double?
    /// How unusual the hour is: 3 is unusual enough to tell. 0 for a missing hour.
    package let score: Double
    package let threshold: Double
    package let method: Method
    /// The part that scored most; nil for `zscore`, and where nothing was scored.
    package let part: Part?
    /// Whether what scored lies above what was expected.
    package let isUp: Bool
    /// The highest score of a part that says the opposite.
    package let opposite: Double
    /// What `zscore` compared; nil for other methods.
    package let total: DayTotal?
    package let severity: Severity
    package let confidence: Confidence
    package let news: EpisodeTracker.Outcome
    /// On the stabilised scale; nil while there is no baseline.
    let ordinary: (variance: VarianceModel, centre: Double, reach: Double)?
    /// Whether there was enough to compute a score from.
    let isScored: Bool

    /// Where an ordinary hour lies; nil while there is no baseline.
    package var expectedRange: ClosedRange<Double>? {
        ordinary.map { $0.variance.values(around: $0.centre, reach: $0.reach) }
    }

    /// The share of ordinary hours that score as high; nil where no score was computed.
    package var tailProbability: Double? {
        isScored ? Calibration.tailProbability(score: score) : nil
    }

    /// The highest score of what says upwards, or not.
    func score(isUp: Bool) -> Double { isUp == self.isUp ? score : opposite }
}

/// How hours are judged.
package struct DetectorSettings: Sendable {
    package var method: Method
    package var sensitivity: Sensitivity
    package var threshold: Double

    package init(
        method: Method = .composite, sensitivity: Sensitivity = .default, threshold: Double = 3
    ) {
        (self.method, self.sensitivity, self.threshold) = (method, sensitivity, threshold)
    }
}

extension SeriesState {
    static let silentHours = 3 * 24
    static let wideHours = 14 * 24

    /// Judges an hour by the past, and takes it into the state.
    ///
    /// - Parameters:
    ///   - hour: after the last one; hours between are missing.
    ///   - value: nil for a missing hour.
    package mutating func observe(
        _ hour: Hour, _ value: Double?, _ settings: DetectorSettings
    ) -> Judgement {
        precondition(hour > lastHour)
        if hour - lastHour > 1 {
            skip(from: max(lastHour + 1, hour + -ResidualRing.hours), to: hour)
        }
        lastHour = hour
        guard let value else {
            skip(from: hour, to: hour + 1)
            return judgement(hour, nil, nil, settings)
        }
        let bounded = Float(finite: value)
        recent[hour.ofDay] = bounded
        guard hasBaseline else { return judgement(hour, value, nil, settings) }
        let scores = partScores(hour, Double(bounded))
        return judgement(hour, value, scores, settings)
    }

    private mutating func skip(from: Hour, to: Hour) {
        var hour = from
        while hour < to {
            recent[hour.ofDay] = .nan
            residuals[hour] = nil
            quantiles.skip()
            _ = episode.observe(hour, score: 0, threshold: .infinity)
            hour = hour + 1
        }
    }

    private var age: Int { lastHour - firstHour + 1 }

    private var confidence: Confidence {
        age <= Self.silentHours || !hasBaseline ? .silent : age <= Self.wideHours ? .wide : .normal
    }

    private mutating func judgement(
        _ hour: Hour, _ value: Double?, _ scores: PartScores?, _ settings: DetectorSettings
    ) -> Judgement {
        let confidence = confidence
        var combined = CombinedScore()
        if let scores, confidence != .silent {
            combined = self.combined(scores, hour, settings)
        }
        let score = combined.score
        let outcome = episode.observe(hour, score: score, threshold: settings.threshold)
        let centre = Double(centres[hour.season])
        return Judgement(
            hour: hour, observed: value,
            expected: hasBaseline ? variance.value(centre: centre) : nil,
            score: score, threshold: settings.threshold, method: settings.method,
            part: combined.part, isUp: combined.isUp, opposite: combined.opposite,
            total: combined.total,
            severity: score >= settings.threshold
                ? .critical : score >= settings.threshold * 2 / 3 ? .warning : .none,
            confidence: confidence, news: outcome,
            ordinary: hasBaseline ? (variance, centre, 3 * Double(noise * tail)) : nil,
            isScored: scores != nil && confidence != .silent)
    }

    /// What the parts come to.
    private struct CombinedScore {
        var score = 0.0
        var part: Part?
        var isUp = true
        var opposite = 0.0
        var total: DayTotal?
    }

    /// Under two weeks of history, bounds are wider: 1 at fourteen days, `extra` more at three.
    private func width(_ extra: Double) -> Double {
        let missing = Double(Self.wideHours - min(age, Self.wideHours))
        return 1 + extra * missing / Double(Self.wideHours - Self.silentHours)
    }

    private func combined(
        _ scores: PartScores, _ hour: Hour, _ settings: DetectorSettings
    ) -> CombinedScore {
        var combined = CombinedScore()
        if settings.method == .zscore {
            guard let total = DailyTotals.total(recent.span),
                let score = dailyTotals.score(total: total, at: hour)
            else { return combined }
            let compared = dailyTotals.compared(total, at: hour)
            combined.score = score
            combined.isUp = compared.observed >= compared.expected
            combined.total = compared
            return combined
        }
        let calibration = Calibration.of(settings.method, settings.sensitivity)
        var (up, down) = (0.0, 0.0)
        for part in Part.allCases {
            let constant = calibration.constants[part]
            guard constant > 0 else { continue }
            let score = 3 * abs(scores[part]) / constant
            if scores[part] > 0 { up = max(up, score) } else { down = max(down, score) }
            guard score > combined.score else { continue }
            (combined.score, combined.part, combined.isUp) = (score, part, scores[part] > 0)
        }
        let width = width(calibration.extraWidth)
        combined.score /= width
        combined.opposite = (combined.isUp ? down : up) / width
        return combined
    }

    private mutating func partScores(_ hour: Hour, _ value: Double) -> PartScores {
        let centre = Double(centres[hour.season])
        let residual = (variance.stabilised(value) - centre) / Double(noise)
        residuals[hour] = residual
        var parts = windows(hour)
        parts[.point] = residual / Double(tail)
        let expected = variance.value(centre: centre)
        let tails = quantiles.observe(value, expected: expected)
        parts[.qtail] = value < expected ? -tails.qtail : tails.qtail
        parts[.qroll3] = value < expected ? -tails.seasonal3 : tails.seasonal3
        return parts
    }

    /// The parts that look at several hours, from one walk back through the ring.
    func windows(_ hour: Hour) -> PartScores {
        var parts = PartScores()
        var (sum, information, present) = (0.0, 0.0, 0)
        var (boundedSum, shape) = (0.0, ShapeStatistic())
        for age in 0..<ResidualRing.hours {
            let past = hour + -age
            if let residual = residuals[past] {
                let weight = Double(weights[past.season])
                sum += weight * max(-8, min(8, residual))
                let bounded = max(-DayStatistics.bound, min(DayStatistics.bound, residual))
                boundedSum += weight * bounded
                information += weight * weight
                present += 1
                shape.add(bounded, weight: weight, hourOfDay: past.ofDay)
            }
            switch age {
            case 2 where present >= 2: parts[.burst3] = burst(sum, information)
            case 5 where present >= 4: parts[.burst6] = burst(sum, information)
            case 23 where present >= 18:
                parts[.level24] = level(boundedSum, information)
                parts[.shape24] = shapeScore(shape, boundedSum, information, days: 1)
            case 71 where present >= 54:
                parts[.level72] = level(boundedSum, information)
                parts[.shape72] = shapeScore(shape, boundedSum, information, days: 3)
            default: break
            }
        }
        return parts
    }

    private func burst(_ sum: Double, _ information: Double) -> Double {
        guard information > 0 else { return 0 }
        let share = Double(levelNoise) * information
        let variance = information * Double(persistence * persistence * tail) + share * share
        return sum / variance.squareRoot()
    }

    private func level(_ sum: Double, _ information: Double) -> Double {
        let share = Double(levelNoise) * information
        let variance = information * Double(persistence * persistence) + share * share
        return variance > 0 ? sum / variance.squareRoot() : 0
    }

    private func shapeScore(
        _ shape: ShapeStatistic, _ sum: Double, _ information: Double, days: Double
    ) -> Double {
        guard information > 0 else { return 0 }
        let ordinary = Double(shapeNoise * shapeNoise) + (days - 1) * Double(centreError)
        let score = max(
            0, ShapeStatistic.score(energy: shape.energy(level: sum / information) / ordinary))
        return sum < 0 ? -score : score
    }
}
