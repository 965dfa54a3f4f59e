#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

enum Gaussian {
    /// The score that a chi-squared stands for (Wilson and Hilferty, PNAS 17, 1931).
    static func score(chiSquared: Double, degreesOfFreedom: Double) -> Double {
        let spread = 2 / (9 * degreesOfFreedom)
        return (cbrt(chiSquared / degreesOfFreedom) - (1 - spread)) / spread.squareRoot()
    }

    /// The probability of lying at least so many standard deviations away, on either side.
    static func tailProbability(_ score: Double) -> Double {
        erfc(score / 2.0.squareRoot())
    }
}
