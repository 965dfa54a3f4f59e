import Testing

@testable import Detection

/// What of a day is told as one thing, and in which order.
struct DayOutcomeTests {
    private static let office = (0..<24).map { 8..<18 ~= $0 ? 100.0 : 5 }
    private static let night = (0..<24).map { 8..<18 ~= ($0 + 12) % 24 ? 100.0 : 5 }

    private static func found(_ name: String, _ hours: [Double]) throws -> DayOutcome.Found {
        let day = DayUsage(weekday: 2, hours: office)
        let baseline = try #require(WeekdayBaseline.all([day, day, day]).first)
        let check = try #require(
            PatternCheck(
                DayUsage(weekday: 2, hours: hours), baseline,
                variance: VarianceModel(unit: 1, dispersion: 0.02)))
        let direction: VolumeEpisode.Direction = check.volumeChange >= 0 ? .up : .down
        let verdict = try #require(
            Verdict.join(volumeSeverity: .none, direction: direction, pattern: check))
        return DayOutcome.Found(
            customer: name, check: check, verdict: verdict, direction: direction,
            observed: hours.reduce(0, +), expected: baseline.volume, isFlagged: false)
    }

    private static func outcome(
        _ count: Int, _ hours: [Double], and others: [DayOutcome.Found] = [], of judged: Int = 100
    ) throws -> DayOutcome {
        var outcome = DayOutcome()
        outcome.found = try (0..<count).map { try found("c\($0)", hours) } + others
        outcome.judged = judged
        outcome.expected = Double(judged)
        outcome.observed = outcome.expected - 1
        return outcome
    }

    private static let holiday = office.map { $0 * 0.4 }

    @Test func `a holiday is one shift downwards, and a runaway script by itself`() throws {
        let runaway = try Self.found("runaway", Self.office.map { $0 * 4 })
        let groups = try Self.outcome(12, Self.holiday, and: [runaway]).grouped([], share: 0.05)
        #expect(groups.series == [false: 12] && groups.areVolumes == [false])
        #expect(groups.alone.map(\.customer) == ["runaway"])
    }

    @Test func `a day that a shift of the hours covers says nothing of it again`() throws {
        let runaway = try Self.found("runaway", Self.office.map { $0 * 4 })
        for count in [3, 12] {
            let groups = try Self.outcome(count, Self.holiday, and: [runaway])
                .grouped([false], share: 0.05)
            #expect(groups.series.isEmpty && groups.alone.map(\.customer) == ["runaway"])
        }
        let patterns = try Self.outcome(12, Self.night).grouped([false], share: 0.05)
        #expect(patterns.series.isEmpty && patterns.alone.isEmpty)
    }

    @Test func `many that keep other hours are one shift, few are not`() throws {
        let many = try Self.outcome(12, Self.night).grouped([], share: 0.05)
        #expect(many.series == [false: 12] && many.areVolumes.isEmpty && many.alone.isEmpty)
        for (count, judged) in [(9, 100), (12, 1000)] {
            let few = try Self.outcome(count, Self.night, of: judged).grouped([], share: 0.05)
            #expect(few.series.isEmpty && few.alone.count == count)
        }
        // Volumes and patterns that went the same way are one row, each series once.
        let both = try Self.outcome(
            12, Self.holiday, and: (0..<12).map { try Self.found("n\($0)", Self.night) }
        ).grouped([], share: 0.05)
        #expect(both.series == [false: 24] && both.alone.isEmpty)
    }

    @Test func `patterns go before volumes, and the most unusual first`() throws {
        func finding(_ name: String, _ hours: [Double]) throws -> PatternFinding {
            PatternFinding(try Self.found(name, hours), of: Hour(48), known: nil, .init())
        }
        let findings = try [
            finding("tripled", Self.office.map { $0 * 3 }),
            finding("key", Self.night),
            finding("doubled", Self.office.map { $0 * 2 }),
        ]
        #expect(
            findings.sorted(by: PatternFinding.goesFirst).map(\.customer)
                == ["key", "tripled", "doubled"])
    }
}
