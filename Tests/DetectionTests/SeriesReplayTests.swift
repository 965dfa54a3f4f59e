import Testing

@testable import Detection

/// What the jobs do with recorded usage, beside what the backtest does with a file.
struct SeriesReplayTests {
    private static let settings: [DetectorSettings] = [
        .init(), .init(sensitivity: .sensitive), .init(method: .zscore),
    ]

    /// Usage with quiet hours, an outage, a spike, and hours that nobody knows.
    private static let missing = Set((700..<712).map { Usage.start + $0 })
    private static func series() -> [Double?] {
        var usage = Usage(seed: 11)
        usage.mean = 3
        var values = usage.hours(24 * 40) { hour in
            24 * 33..<24 * 33 + 9 ~= hour.index ? 0 : hour.index == 24 * 36 + 4 ? 12 : 1
        }
        values[0] = 5
        for hour in missing { values[hour.index] = nil }
        return values
    }

    /// Only hours with usage are on record.
    private static func rows(_ values: [Double?]) -> [UsageRow] {
        values.enumerated().compactMap { offset, value in
            value.flatMap { $0 > 0 ? UsageRow(hour: Usage.start + offset, value: $0) : nil }
        }
    }

    private static func key(_ judgement: Judgement) -> [UInt64] {
        [
            UInt64(judgement.hour.index), judgement.score.bitPattern,
            judgement.news.newsScore.bitPattern, (judgement.expected ?? -1).bitPattern,
            UInt64(judgement.news.episode?.number ?? 0), judgement.news.isAlert ? 1 : 0,
        ]
    }

    private func replay(
        _ replay: SeriesReplay, _ rows: [UsageRow], _ series: inout TrackedSeries?,
        from: StatePosition, to: StatePosition
    ) -> [Judgement] {
        let window = SeriesReplay.window(from: from, to: to)
        var judgements: [Judgement] = []
        replay.advance(
            &series, rows: rows.filter { window.contains($0.hour) }[...], from: from, to: to
        ) { judgements.append($0) }
        return judgements
    }

    @Test(arguments: settings)
    func `hour by hour, day by day, or all at once: the digits are those of the backtest`(
        settings: DetectorSettings
    ) {
        let values = Self.series()
        let rows = Self.rows(values)
        let backtest = judge(values, settings).map(Self.key)
        let steps = SeriesReplay(settings, missingHours: Self.missing)
        let end = StatePosition(next: Usage.start + values.count)
        var states: [[UInt8]?] = []
        for hours in [1, 5, 24, values.count] {
            var series: TrackedSeries?
            var position = StatePosition(next: Usage.start)
            var judgements: [Judgement] = []
            while position < end {
                let to = min(end, StatePosition(next: position.nextHour + hours))
                judgements += replay(steps, rows, &series, from: position, to: to)
                position = to
            }
            #expect(judgements.map(Self.key) == backtest, "\(hours) hours at a time")
            states.append(series?.state.encoded())
        }
        #expect(states.allSatisfy { $0 != nil && $0 == states[0] })
    }

    @Test func `states that begin at a midnight judge as those that were there all along`() {
        let values = Self.series()
        let rows = Self.rows(values)
        let backtest = judge(values).map(Self.key)
        var series: TrackedSeries?
        let judgements = replay(
            SeriesReplay(.init(), missingHours: Self.missing), rows, &series,
            from: StatePosition(next: Usage.start + 24 * 32),
            to: StatePosition(next: Usage.start + values.count))
        #expect(judgements.map(Self.key) == Array(backtest[(24 * 32)...]))
        #expect(judgements.contains { $0.news.isAlert })
    }

    @Test func `usage that comes late is judged as if it had come in time`() {
        let values = Self.series()
        let rows = Self.rows(values)
        let steps = SeriesReplay(.init(), missingHours: Self.missing)
        let snapshot = StatePosition(next: Usage.start + 24 * 33, isRefreshed: true)
        let end = StatePosition(next: Usage.start + values.count)
        var clean: TrackedSeries?
        var midnight: TrackedSeries?
        steps.advance(&clean, rows: rows[...], from: StatePosition(next: Usage.start), to: end) {
            if $0 == snapshot { midnight = $1 }
        } onJudgement: { _ in
        }
        let judgements = replay(steps, rows, &midnight, from: snapshot, to: end)
        #expect(judgements.contains { $0.news.isAlert })
        #expect(midnight?.state.encoded() == clean?.state.encoded())
    }

    @Test func `silence is zero for two weeks, then missing, then the series is forgotten`() {
        let steps = SeriesReplay(.init())
        let rows = (0..<24 * 10).map { UsageRow(hour: Usage.start + $0, value: 7) }
        var series: TrackedSeries?
        let judgements = replay(
            steps, rows, &series, from: StatePosition(next: Usage.start),
            to: StatePosition(next: Usage.start + 24 * 30))
        let last = 24 * 10 - 1
        #expect(judgements.map(\.observed).firstIndex(of: 0) == last + 1)
        #expect(judgements.map(\.observed).firstIndex(of: nil) == last + 14 * 24 + 1)
        #expect(series != nil)
        _ = replay(
            steps, rows, &series, from: StatePosition(next: Usage.start + 24 * 30),
            to: StatePosition(next: Usage.start + 24 * 60))
        #expect(series == nil)
    }

    @Test func `positions are numbered in the order in which they are reached`() {
        var position = StatePosition(next: Hour(24 * 20_000 - 1))
        var numbers: [Int64] = []
        for _ in 0..<27 {
            #expect(StatePosition(number: position.number) == position)
            numbers.append(position.number)
            position = position.next
        }
        #expect(numbers == numbers.sorted() && Set(numbers).count == 27)
        #expect(position.nextHour == Hour(24 * 20_001 + 0) + 0 || position.isRefreshed)
    }
}
