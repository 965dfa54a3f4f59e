/// All that the hourly job keeps of a series between two hours: a fixed number of bytes, without any on the
/// heap, since a fleet's are read and written every hour.
///
/// `refreshed` makes it anew from the stored history, daily; `observe` moves it on by an hour.
package struct SeriesState: Sendable {
    /// The first hour that the series was seen in.
    var firstHour: Hour
    /// The last hour that was observed, missing or not.
    var lastHour: Hour
    /// Whether there is a baseline to judge by.
    var hasBaseline = false

    package internal(set) var variance = VarianceModel(
        unit: 1, dispersion: VarianceModel.minimumDispersion)
    /// The expected stabilised value per season.
    var centres = SeasonalProfile.PerSeason(repeating: 0)
    /// By how many standard deviations the residual grows with a relative change of level, per season;
    /// follows from the centres.
    var weights = SeasonalProfile.PerSeason(repeating: 0)
    /// One standard deviation of a stabilised residual.
    var noise: Float = 1
    /// By how much the residuals' tail is heavier than a Gaussian's; at least 1.
    var tail: Float = 1
    /// The same scale for sums of six residuals; at least 1.
    var persistence: Float = 1
    /// The standard deviation of the day-to-day changes of the level, as a share.
    var levelNoise: Float = 0
    /// How much the shape of ordinary days varies, beyond noise; at least 1.
    var shapeNoise: Float = 1
    /// The share of a residual's variance that the centres' own errors add.
    var centreError: Float = 0

    /// Residuals in units of `noise`.
    var residuals = ResidualRing()
    /// Values, by hour modulo 24; NaN where the hour is missing.
    var recent = [24 of Float](repeating: .nan)

    var quantiles = QuantileTail()
    var dailyTotals = DailyTotals()
    var episode = EpisodeTracker()

    /// Computes the weights from what they follow from.
    mutating func weigh() {
        for season in centres.indices {
            let sensitivity = variance.sensitivity(stabilised: Double(centres[season]))
            weights[season] = Float(sensitivity / Double(noise))
        }
    }

    /// A series that was never seen before its first hour.
    package init(first: Hour) {
        firstHour = first
        lastHour = first + -1
    }
}
