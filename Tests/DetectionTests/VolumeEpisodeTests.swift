import Testing

@testable import Detection

/// What is told of unusual hours that belong together.
struct VolumeEpisodeTests {
    /// A Friday, in the sixth week.
    private static let day = 24 * 36

    /// Of the day, put together.
    private static func episode(
        _ values: [Double?], _ settings: DetectorSettings = .init()
    ) -> VolumeEpisode? {
        let hours = unusualHours(values, settings).filter { $0.last >= Hour(day) }
        return hours.dropFirst().reduce(hours.first) { episode, hour in
            guard var episode, episode.first == hour.first else { return episode }
            episode.add(hour)
            return episode
        }
    }

    @Test func `which way an episode went is what its hours come to`() throws {
        var usage = Usage(seed: 12)
        var values = usage.hours(24 * 38)
        values[Self.day + 8] = 0
        let stopped = try #require(Self.episode(values))
        #expect(stopped.direction == .stopped && stopped.excess < 0)
        // It catches up, with much more than was missing.
        for hour in Self.day + 9..<Self.day + 12 { values[hour] = (values[hour] ?? 0) * 8 }
        let whole = try #require(Self.episode(values))
        #expect(whole.first == Hour(Self.day + 8))
        #expect(whole.direction == .up && whole.excess > 0 && whole.kind == .volume)
        #expect(whole.hours.count == whole.excesses.count)
        #expect(abs(whole.excesses.reduce(0, +) - whole.excess) < 1e-6)
    }

    @Test func `hours unusual beside each other are a pattern, and no usage that stopped`() {
        var usage = Usage(seed: 13)
        var values = usage.hours(24 * 40, nightShift: Self.day..<Self.day + 48)
        for hour in Self.day..<Self.day + 48 where 9..<19 ~= hour % 24 { values[hour] = 0 }
        let hours = unusualHours(values, .init(method: .shape)).filter { $0.last >= Hour(Self.day) }
        #expect(hours.contains { $0.observed == 0 })
        #expect(hours.allSatisfy { $0.kind == .pattern && $0.direction != .stopped })
    }

    @Test func `what the rule of daily totals compared is what is stored`() throws {
        var usage = Usage(seed: 14)
        (usage.mean, usage.weekend) = (100, 1)
        let values = usage.hours(24 * 38) { $0.index >= Self.day ? 2 : 1 }
        let told = try #require(
            unusualHours(values, .init(method: .zscore)).first { $0.last >= Hour(Self.day + 6) })
        #expect((2000...2800).contains(told.expected), "a day's total, not an hour")
        #expect(told.observed > told.expectedRange.upperBound && told.isUp)
        #expect(told.excess < 1000, "of the hour")
    }
}

/// The unusual hours of a series, each by itself.
func unusualHours(
    _ values: [Double?], _ settings: DetectorSettings = .init()
) -> [VolumeEpisode] {
    var state = SeriesState(first: Usage.start)
    var history = HourlyHistory(first: Usage.start)
    var hours: [VolumeEpisode] = []
    for (offset, value) in values.enumerated() {
        let hour = Usage.start + offset
        if hour.ofDay == 0, offset > 0 {
            history.drop(before: hour + -SeriesState.historyHours)
            state = state.refreshed(history)
        }
        let judgement = state.observe(hour, value, settings)
        history.append(value)
        if let unusual = VolumeEpisode(judgement) { hours.append(unusual) }
    }
    return hours
}
