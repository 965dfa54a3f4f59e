/// What each part must score to count as 3. Measured on seeded fleets; see docs/detection.md.
struct Calibration: Sendable {
    /// A part with 0 is not asked.
    let constants: PartScores
    /// By how much bounds are wider at three days of history.
    let extraWidth: Double

    static func of(_ method: Method, _ sensitivity: Sensitivity) -> Self {
        switch (method, sensitivity) {
        case (.composite, .default): fleet
        case (.composite, .sensitive): watched
        case (.qtail, _): Self(constants: PartScores([.qtail: 3]), extraWidth: 0)
        case (.qroll3, _): Self(constants: PartScores([.qroll3: 3]), extraWidth: 0)
        case (.point, _): fleet.only(.point)
        case (.burst, _): fleet.only(.burst3, .burst6)
        case (.level, _): fleet.only(.level24, .level72)
        case (.shape, _): fleet.only(.shape24, .shape72)
        case (.zscore, _): Self(constants: PartScores(), extraWidth: 0)
        }
    }

    private static let fleet = Self(
        constants: PartScores([
            .point: 5.1, .burst3: 5.0, .burst6: 5.0, .level24: 5.2, .level72: 4.9,
            .shape24: 4.4, .shape72: 4.6,
        ]), extraWidth: 1)

    private static let watched = Self(
        constants: PartScores([.qtail: 2.95, .qroll3: 3.1]), extraWidth: 0.25)

    private func only(_ parts: Part...) -> Self {
        var constants = PartScores()
        for part in parts { constants[part] = self.constants[part] }
        return Self(constants: constants, extraWidth: extraWidth)
    }

    /// A score of 3 is as rare as a Gaussian's 5.
    private static let gaussianPerPoint = 5.0 / 3

    /// The share of ordinary hours of an ordinary series that score as high or higher.
    static func tailProbability(score: Double) -> Double {
        Gaussian.tailProbability(score * gaussianPerPoint)
    }
}
