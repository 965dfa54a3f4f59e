/// Runs the hourly job's own code over a recorded series: a refresh at each UTC midnight, an observation
/// an hour, and nothing of the future.
package struct Backtest: Sendable {
    package let settings: DetectorSettings
    /// How many daily totals `zscore` compares with.
    package let totalDays: Int

    package init(_ settings: DetectorSettings, totalDays: Int = 30) {
        (self.settings, self.totalDays) = (settings, totalDays)
    }

    /// Judges each hour of a series in turn; `body` gets the hour's offset with the judgement.
    package func run(_ series: SeriesFile.Series, _ body: (Int, Judgement) throws -> Void) rethrows
    {
        var state = SeriesState(first: series.firstHour)
        var history = HourlyHistory(first: series.firstHour)
        for offset in series.hours {
            let hour = series.firstHour + offset
            if hour.ofDay == 0, offset > 0 {
                history.drop(before: hour + -SeriesState.historyHours)
                state = state.refreshed(history, totalDays: totalDays)
            }
            let value = series.isPartial(offset) ? nil : series[offset]
            try body(offset, state.observe(hour, value, settings))
            history.append(value)
        }
    }
}
