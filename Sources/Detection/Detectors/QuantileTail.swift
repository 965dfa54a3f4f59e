/// An hour's residual against the 97th percentile of the series' own: with the seasonal baseline and
/// without it, whichever is larger. It suits series of any kind; its calibration is the series' own
/// past, and not a distribution.
struct QuantileTail: Sendable {
    /// The quantile of the residuals' sizes that sets the scale. A higher one would be hidden by the first
    /// anomaly of a short series.
    static let quantile = 0.97
    /// What a Gaussian of standard deviation 1 has there: its 0.985 quantile.
    static let gaussian = 2.170
    /// By how much an hour moves the slow levels: a half-life of 8 hours, 1 - 2^(-1/8).
    private static let gain = 0.082_995_956_795_328_77
    static let minimumCount = 24

    /// Counts are compared by 2 sqrt(x), other values as they are.
    var isCount = false
    /// The 97th percentile of |seasonal residual - its slow level|.
    var seasonalScale: Float = 0
    /// The 97th percentile of |value - its slow level|.
    var plainScale: Float = 0
    /// The same for the means of three seasonal residuals.
    var seasonalScale3: Float = 0
    /// The exponentially weighted mean of the seasonal residuals, up to the hour before.
    var seasonalLevel: Float = 0
    /// The exponentially weighted mean of the values.
    var plainLevel: Float = 0
    /// The two residuals before, the older first; NaN if missing.
    var previous = (Float.nan, Float.nan)

    /// All but `isCount`.
    var fields: [7 of Float] {
        [
            seasonalScale, plainScale, seasonalScale3, seasonalLevel, plainLevel, previous.0,
            previous.1,
        ]
    }

    func transformed(_ value: Double) -> Double {
        isCount ? 2 * max(0, value).squareRoot() : value
    }

    struct Scores {
        var seasonal = 0.0
        var plain = 0.0
        var seasonal3 = 0.0

        var qtail: Double { max(seasonal, plain) }
    }

    /// Judges an hour, then takes it into the levels.
    mutating func observe(_ value: Double, expected: Double) -> Scores {
        let steps = step(value, expected: expected)
        var scores = Scores()
        if seasonalScale > 0 {
            scores.seasonal = Self.gaussian * abs(steps.seasonal) / Double(seasonalScale)
        }
        if plainScale > 0 { scores.plain = Self.gaussian * abs(steps.plain) / Double(plainScale) }
        if seasonalScale3 > 0, let mean = steps.mean3 {
            scores.seasonal3 = Self.gaussian * abs(mean) / Double(seasonalScale3)
        }
        return scores
    }

    mutating func skip() {
        previous = (previous.1, .nan)
    }

    private struct Steps {
        let seasonal: Double
        let plain: Double
        let mean3: Double?
    }

    private mutating func step(_ value: Double, expected: Double) -> Steps {
        let transformed = transformed(value)
        let seasonal = transformed - self.transformed(expected) - Double(seasonalLevel)
        let plain = transformed - Double(plainLevel)
        let sum = Double(previous.0) + Double(previous.1) + seasonal
        previous = (previous.1, Float(seasonal))
        seasonalLevel += Float(Self.gain * seasonal)
        plainLevel += Float(Self.gain * plain)
        return Steps(seasonal: seasonal, plain: plain, mean3: sum.isNaN ? nil : sum / 3)
    }

    /// - Parameters:
    ///   - history: the last four weeks; NaN where an hour is missing.
    ///   - expected: the seasonal expectation of each of its hours.
    ///   - inflation: by how much residuals of hours that made the expectation are too small.
    init(
        _ history: ArraySlice<Float>, isCount: Bool, expected: (Int) -> Double,
        inflation: (Int) -> Double
    ) {
        self.isCount = isCount
        var (seasonal, plain, mean3): ([Double], [Double], [Double]) = ([], [], [])
        var sizes = 0.0
        for (offset, value) in history.enumerated() {
            guard !value.isNaN else {
                skip()
                continue
            }
            if sizes == 0 && plain.isEmpty { plainLevel = Float(transformed(Double(value))) }
            let steps = step(Double(value), expected: expected(offset))
            let factor = inflation(offset)
            sizes += abs(transformed(Double(value)))
            seasonal.append(abs(steps.seasonal) * factor)
            plain.append(abs(steps.plain))
            if let mean = steps.mean3 { mean3.append(abs(mean) * factor) }
        }
        guard plain.count >= Self.minimumCount else { return }
        let floor = isCount ? 0.5 : max(1e-3 * sizes / Double(plain.count), 1e-30)
        seasonalScale = Float(finite: max(floor, Robust.quantile(seasonal, Self.quantile)))
        plainScale = Float(finite: max(floor, Robust.quantile(plain, Self.quantile)))
        if mean3.count >= Self.minimumCount {
            seasonalScale3 = Float(finite: max(floor / 2, Robust.quantile(mean3, Self.quantile)))
        }
    }

    init() {}

    /// - Parameter fields: as `fields` gives them.
    init(isCount: Bool, fields: [7 of Float]) {
        self.isCount = isCount
        (seasonalScale, plainScale, seasonalScale3) = (fields[0], fields[1], fields[2])
        (seasonalLevel, plainLevel, previous) = (fields[3], fields[4], (fields[5], fields[6]))
    }
}
