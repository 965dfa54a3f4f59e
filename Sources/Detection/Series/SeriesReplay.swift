/// An hour in which a series has usage on record.
package struct UsageRow: Sendable, Equatable {
    package let hour: Hour
    package let value: Double

    package init(hour: Hour, value: Double) {
        (self.hour, self.value) = (hour, value)
    }
}

/// A series as it is kept between two runs.
package struct TrackedSeries: Sendable {
    package var state: SeriesState
    /// The last hour with usage on record.
    package var lastActive: Hour

    package init(state: SeriesState, lastActive: Hour) {
        (self.state, self.lastActive) = (state, lastActive)
    }
}

/// Moves a series from one position to a later one: the very steps of the backtest, over recorded usage.
///
/// An hour without usage is zero for a series that had some in the 14 days before it; it is missing
/// otherwise, and for everybody if the whole fleet was silent.
package struct SeriesReplay: Sendable {
    package let settings: DetectorSettings
    /// How many daily totals `zscore` compares with.
    package let totalDays: Int
    /// Hours in which the whole fleet was silent.
    package let missingHours: Set<Hour>

    /// So long after its last usage a series without any is at zero.
    package static let activeHours = 14 * 24
    /// What a refresh must know of the hours before it: its history, and who was active at its start.
    package static let rowHours = SeriesState.historyHours + activeHours

    package init(
        _ settings: DetectorSettings, totalDays: Int = 30, missingHours: Set<Hour> = []
    ) {
        (self.settings, self.totalDays, self.missingHours) = (settings, totalDays, missingHours)
    }

    /// The rows that are needed to go from one position to another.
    package static func window(from: StatePosition, to: StatePosition) -> Range<Hour> {
        var position = from
        while position < to {
            if position.isRefreshDue { return position.nextHour + -rowHours..<to.nextHour }
            position = position.next
        }
        return from.nextHour..<to.nextHour
    }

    /// - Parameters:
    ///   - series: nil before its first hour, and after it has been silent for so long that nothing of it
    ///     is known.
    ///   - rows: in order of time, of `window(from:to:)`.
    ///   - reviewed: what people said of its days.
    ///   - onRefresh: gets the state as it begins a day.
    package func advance(
        _ series: inout TrackedSeries?, rows: ArraySlice<UsageRow>,
        from: StatePosition, to: StatePosition, reviewed: ReviewedDays = .init(),
        onRefresh: (StatePosition, TrackedSeries) -> Void = { _, _ in },
        onJudgement: (Judgement) -> Void
    ) {
        var position = from
        var next = rows.firstIndex { $0.hour >= from.nextHour } ?? rows.endIndex
        while position < to {
            if position.isRefreshDue {
                refresh(&series, rows, at: position.nextHour, reviewed)
                if let series { onRefresh(position.next, series) }
            } else {
                let hour = position.nextHour
                var row: UsageRow?
                if next < rows.endIndex, rows[next].hour == hour {
                    row = rows[next]
                    next += 1
                }
                observe(&series, hour, row, onJudgement)
            }
            position = position.next
        }
    }

    private func observe(
        _ series: inout TrackedSeries?, _ hour: Hour, _ row: UsageRow?,
        _ onJudgement: (Judgement) -> Void
    ) {
        if row != nil {
            if series == nil {
                series = TrackedSeries(state: SeriesState(first: hour), lastActive: hour)
            }
            series?.lastActive = hour
        }
        guard let lastActive = series?.lastActive else { return }
        let value = row?.value ?? silentValue(hour, lastActive: lastActive)
        if let judgement = series?.state.observe(hour, value, settings) { onJudgement(judgement) }
    }

    private func refresh(
        _ series: inout TrackedSeries?, _ rows: ArraySlice<UsageRow>, at midnight: Hour,
        _ reviewed: ReviewedDays
    ) {
        let known = rows.prefix { $0.hour < midnight }
        if series == nil, let first = known.first, let last = known.last {
            // The first run ever: the past is taken from the record.
            series = TrackedSeries(state: SeriesState(first: first.hour), lastActive: last.hour)
        }
        guard let current = series else { return }
        guard midnight - current.lastActive <= Self.rowHours else {
            series = nil
            return
        }
        var state = current.state
        // What came too late to be judged, or a metric that was not metered then.
        if let first = known.first?.hour { state.firstHour = min(state.firstHour, first) }
        series?.state = state.refreshed(
            history(known, first: state.firstHour, midnight), totalDays: totalDays,
            reviewed: reviewed)
    }

    /// What the observed values were.
    private func history(
        _ rows: ArraySlice<UsageRow>, first: Hour, _ midnight: Hour
    ) -> HourlyHistory {
        let start = max(first, midnight + -SeriesState.historyHours)
        var history = HourlyHistory(first: start)
        var next = rows.firstIndex { $0.hour >= start } ?? rows.endIndex
        var lastActive = next > rows.startIndex ? rows[next - 1].hour : nil
        for offset in 0..<max(0, midnight - start) {
            let hour = start + offset
            if next < rows.endIndex, rows[next].hour == hour {
                history.append(rows[next].value)
                lastActive = hour
                next += 1
            } else {
                history.append(lastActive.flatMap { silentValue(hour, lastActive: $0) })
            }
        }
        return history
    }

    private func silentValue(_ hour: Hour, lastActive: Hour) -> Double? {
        hour - lastActive <= Self.activeHours && !missingHours.contains(hour) ? 0 : nil
    }
}
