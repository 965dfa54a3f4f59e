#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// How far a day's residuals leave the shape of the day, whatever their level: their energy in the
/// first three harmonics of 24 hours. A shift of usage into the night lies there; noise is spread over
/// all.
struct ShapeStatistic {
    static let harmonics = 3
    static let degreesOfFreedom = Double(2 * harmonics)

    /// cos and sin of 2 pi k h / 24 for k = 1, 2, 3, by hour.
    private static let waves: [Double] = (0..<24).flatMap { hour in
        (1...harmonics).flatMap { harmonic in
            let angle = Double(harmonic * hour) * .pi / 12
            return [cos(angle), sin(angle)]
        }
    }

    private var residual = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    private var weight = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    private(set) var hours = 0

    /// - Parameters:
    ///   - residual: in standard deviations.
    ///   - weight: what a change of level adds to the residual.
    mutating func add(_ residual: Double, weight: Double, hourOfDay: Int) {
        Self.waves.withUnsafeBufferPointer { waves in
            let wave = hourOfDay * 6
            self.residual.0 += residual * waves[wave]
            self.residual.1 += residual * waves[wave + 1]
            self.residual.2 += residual * waves[wave + 2]
            self.residual.3 += residual * waves[wave + 3]
            self.residual.4 += residual * waves[wave + 4]
            self.residual.5 += residual * waves[wave + 5]
            self.weight.0 += weight * waves[wave]
            self.weight.1 += weight * waves[wave + 1]
            self.weight.2 += weight * waves[wave + 2]
            self.weight.3 += weight * waves[wave + 3]
            self.weight.4 += weight * waves[wave + 4]
            self.weight.5 += weight * waves[wave + 5]
        }
        hours += 1
    }

    /// The energy without that of a change of level; a chi-squared of six degrees of freedom if
    /// nothing is unusual.
    func energy(level: Double) -> Double {
        guard hours > 0 else { return 0 }
        func square(_ residual: Double, _ weight: Double) -> Double {
            let rest = residual - level * weight
            return rest * rest
        }
        let sum =
            square(residual.0, weight.0) + square(residual.1, weight.1)
            + square(residual.2, weight.2) + square(residual.3, weight.3)
            + square(residual.4, weight.4) + square(residual.5, weight.5)
        return sum / (Double(hours) / 2)
    }

    static func score(energy: Double) -> Double {
        Gaussian.score(chiSquared: energy, degreesOfFreedom: degreesOfFreedom)
    }

    /// The median of a chi-squared of six degrees of freedom.
    static let medianEnergy = 5.348
}
