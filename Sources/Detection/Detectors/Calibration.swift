#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// What each part must score to count as 3. Measured on seeded fleets; see docs/detection.md.
struct Calibration: Sendable {
    /// A part that is not named takes no part.
    let constants: [Part: Double]
    /// By how much bounds are wider at three days of history.
    let extraWidth: Double

    static func of(_ method: Method, _ sensitivity: Sensitivity) -> Self {
        switch (method, sensitivity) {
        case (.composite, .default): fleet
        case (.composite, .sensitive): watched
        case (.qtail, _): Self(constants: [.qtail: 3], extraWidth: 0)
        case (.qroll3, _): Self(constants: [.qroll3: 3], extraWidth: 0)
        case (.point, _): fleet.only(.point)
        case (.burst, _): fleet.only(.burst3, .burst6)
        case (.level, _): fleet.only(.level24, .level72)
        case (.shape, _): fleet.only(.shape24, .shape72)
        case (.zscore, _): Self(constants: [:], extraWidth: 0)
        }
    }

    private static let fleet = Self(
        constants: [
            .point: 4.8, .burst3: 4.8, .burst6: 4.8, .level24: 4.5, .level72: 4.2,
            .shape24: 4.8, .shape72: 4.8,
        ], extraWidth: 0.5)

    private static let watched = Self(
        constants: [.qtail: 3, .qroll3: 3.5], extraWidth: 0.15)

    private func only(_ parts: Part...) -> Self {
        Self(constants: constants.filter { parts.contains($0.key) }, extraWidth: extraWidth)
    }

    /// The share of ordinary hours of an ordinary series that score as high or higher.
    static func tailProbability(score: Double) -> Double {
        erfc(score * 4.8 / 3 / 2.0.squareRoot())
    }
}
