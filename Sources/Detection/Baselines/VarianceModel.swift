#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How the spread of a series grows with its level: variance = unit^2 (v + dispersion v^2), where v is
/// the mean in units; of counts with unit 1 the negative binomial.
///
/// Its variance-stabilising transform makes one scale serve quiet and busy hours alike: the integral
/// of 1 / sd (Anscombe, "The transformation of Poisson, binomial and negative-binomial data",
/// Biometrika 35, 1948).
package struct VarianceModel: Hashable, Sendable {
    /// The size of one event; counts have 1.
    package var unit: Double
    /// The squared relative noise of a large mean; never 0, so that no series is free of noise.
    package var dispersion: Double

    static let minimumDispersion = 1e-4

    package init(unit: Double, dispersion: Double) {
        (self.unit, self.dispersion) = (unit, dispersion)
    }

    /// Anscombe's shift, which keeps the variance of small counts near 1.
    private static let shift = 0.375

    /// A value on the scale where noise has the standard deviation 1.
    func stabilised(_ value: Double) -> Double {
        let events = abs(value) / unit
        let root = dispersion.squareRoot()
        let transformed = 2 / root * asinh((dispersion * (events + Self.shift)).squareRoot())
        guard value < 0 else { return transformed }
        let zero = 2 / root * asinh((dispersion * Self.shift).squareRoot())
        return 2 * zero - transformed
    }

    /// The value that lies there; below the transform of 0 it is 0.
    func value(stabilised: Double) -> Double {
        let root = dispersion.squareRoot()
        let sine = sinh(min(root * max(0, stabilised) / 2, 40))
        return max(0, sine * sine / dispersion - Self.shift) * unit
    }

    /// The value that a centre stands for: a negative one, where a series is below 0.
    func value(centre: Double) -> Double {
        isBelowZero(centre) ? signedValue(centre) : value(stabilised: centre)
    }

    /// What lies around a centre; nothing below 0, unless the centre does.
    func values(around centre: Double, reach: Double) -> ClosedRange<Double> {
        isBelowZero(centre)
            ? signedValue(centre - reach)...signedValue(centre + reach)
            : value(stabilised: centre - reach)...value(stabilised: centre + reach)
    }

    /// The inverse of `stabilised`, which mirrors what is below 0.
    private func signedValue(_ stabilised: Double) -> Double {
        let zero = self.stabilised(0)
        return stabilised < zero
            ? -value(stabilised: 2 * zero - stabilised) : value(stabilised: stabilised)
    }

    /// Centres are means, and kept as floats: that of zeros may lie a little below the transform of 0.
    private func isBelowZero(_ centre: Double) -> Bool { centre < stabilised(0) - 1e-4 }

    /// By how much the stabilised value moves when the mean grows by a small share: the weight of an
    /// hour in any estimate of a relative change.
    func sensitivity(stabilised: Double) -> Double {
        let root = dispersion.squareRoot()
        return tanh(root * max(0, stabilised) / 2) / root
    }
}

extension VarianceModel {
    /// The mean and variance of the values at one hour of the day.
    struct Moments {
        let mean: Double
        let variance: Double
        let count: Int
    }

    /// Fits variance / mean = unit + dispersion mean by least squares, each point weighted by what it
    /// is worth; neither may be negative.
    static func fitted(_ moments: [Moments], isCount: Bool) -> Self {
        let usable = moments.filter { $0.mean > 0 && $0.count >= 3 }
        var (unit, slope) = (1.0, 0.0)
        var isFirst = true
        for _ in 0..<3 {
            var (weightSum, meanSum, squareSum, ratioSum, productSum) = (0.0, 0.0, 0.0, 0.0, 0.0)
            for point in usable {
                let expected = isFirst ? point.mean : unit + slope * point.mean
                let weight = Double(point.count) / max(expected * expected, 1e-300)
                let ratio = point.variance / point.mean
                weightSum += weight
                meanSum += weight * point.mean
                squareSum += weight * point.mean * point.mean
                ratioSum += weight * ratio
                productSum += weight * ratio * point.mean
            }
            guard weightSum > 0 else { break }
            let determinant = weightSum * squareSum - meanSum * meanSum
            var (a, b) = (ratioSum / weightSum, 0.0)
            if determinant > 1e-9 * weightSum * squareSum {
                a = (ratioSum * squareSum - productSum * meanSum) / determinant
                b = (weightSum * productSum - meanSum * ratioSum) / determinant
                if b < 0 { (a, b) = (ratioSum / weightSum, 0) }
                if a < 0 { (a, b) = (0, meanSum > 0 ? ratioSum / meanSum : 0) }
            }
            let mean = meanSum / weightSum
            let floor = isCount ? 1 : max(mean * 1e-4, 1e-30)
            if a < floor {
                // What the floor adds at the typical mean is taken off the slope.
                b = max(0, b - (floor - a) / max(mean, 1e-300))
                a = floor
            }
            (unit, slope, isFirst) = (a, b, false)
        }
        return Self(unit: unit, dispersion: min(10, max(minimumDispersion, slope)))
    }
}
