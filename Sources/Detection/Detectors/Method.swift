/// How a score is computed; `composite` is the default.
package enum Method: String, CaseIterable, Sendable {
    /// The largest of the calibrated parts.
    case composite
    /// The trailing 24 hours' total against 30 preceding daily totals.
    case zscore
    /// One hour against the tail of the series' own residuals.
    case qtail
    /// Three hours' mean residual against the tail of the same.
    case qroll3
    /// One hour against its seasonal expectation.
    case point
    /// Three and six hours together.
    case burst
    /// 24 and 72 hours together: ramps and lasting changes.
    case level
    /// The shape of the last 24 and 72 hours, whatever their volume.
    case shape
}

/// How readily `composite` speaks.
package enum Sensitivity: String, CaseIterable, Sendable {
    /// For a fleet of customers: about one false episode a day in a thousand series.
    case `default`
    /// For a few series that somebody watches, of any kind.
    case sensitive
}

/// A statistic that `composite` takes the largest of.
package enum Part: String, CaseIterable, Sendable {
    case point, burst3, burst6, level24, level72, shape24, shape72, qtail, qroll3
}

/// The scores of all parts, each in standard deviations or what stands for them; negative where usage is
/// less than expected.
struct PartScores: Sendable {
    init(_ scores: KeyValuePairs<Part, Double> = [:]) {
        for (part, score) in scores { self[part] = score }
    }

    private var scores = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)

    subscript(part: Part) -> Double {
        get {
            switch part {
            case .point: scores.0
            case .burst3: scores.1
            case .burst6: scores.2
            case .level24: scores.3
            case .level72: scores.4
            case .shape24: scores.5
            case .shape72: scores.6
            case .qtail: scores.7
            case .qroll3: scores.8
            }
        }
        set {
            switch part {
            case .point: scores.0 = newValue
            case .burst3: scores.1 = newValue
            case .burst6: scores.2 = newValue
            case .level24: scores.3 = newValue
            case .level72: scores.4 = newValue
            case .shape24: scores.5 = newValue
            case .shape72: scores.6 = newValue
            case .qtail: scores.7 = newValue
            case .qroll3: scores.8 = newValue
            }
        }
    }
}
