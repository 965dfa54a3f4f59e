/// Hours of a day that are unusual by themselves, as the series' own state sees them.
package struct UnusualHours: Sendable, Equatable {
    /// 0 to 23.
    package let hours: Set<Int>
    /// Some lie far above what is expected, others as far below: usage has moved between them.
    package let isMoved: Bool

    package init(hours: Set<Int>, isMoved: Bool) {
        (self.hours, self.isMoved) = (hours, isMoved)
    }
}

extension SeriesState {
    /// So many standard deviations are a warning.
    private static let unusualResidual = 2.0
    /// The smaller of what is too much and too little is at least so much of the day, and of the larger.
    private static let (movedShare, movedBalance) = (0.1, 0.25)

    /// - Parameter midnight: the day's first hour.
    /// - Returns: nil without a baseline.
    func unusualHours(_ day: DayUsage, from midnight: Hour) -> UnusualHours? {
        guard hasBaseline else { return nil }
        let values = day.values
        var hours: Set<Int> = []
        var (above, below, expectedVolume) = (0.0, 0.0, 0.0)
        for offset in values.indices where day.hours[offset] != nil {
            let centre = Double(centres[(midnight + offset).season])
            let expected = variance.value(stabilised: centre)
            expectedVolume += expected
            let residual = (variance.stabilised(values[offset]) - centre) / Double(noise)
            guard abs(residual) >= Self.unusualResidual else { continue }
            hours.insert(offset)
            above += max(0, values[offset] - expected)
            below += max(0, expected - values[offset])
        }
        let moved = min(above, below)
        return UnusualHours(
            hours: hours,
            isMoved: moved > 0 && moved >= Self.movedShare * expectedVolume
                && moved >= Self.movedBalance * max(above, below))
    }

    /// By how much the volumes of ordinary days differ beyond chance: a share of what a day of the week
    /// has on average.
    var volumeNoise: Double {
        var week = 0.0
        for season in centres.indices {
            let days = season < 24 ? 5.0 : 2
            week += days * variance.value(stabilised: Double(centres[season]))
        }
        return Double(levelNoise) * week / 7
    }
}
