import Testing

@testable import Detection

struct PatternTests {
    private static let counts = VarianceModel(unit: 1, dispersion: 0.02)
    /// Busy from 8 to 18.
    private static let office = (0..<24).map { 8..<18 ~= $0 ? 100.0 : 5 }
    private static let night = (0..<24).map { 8..<18 ~= ($0 + 12) % 24 ? 100.0 : 5 }

    private static func baseline(_ hours: [Double] = office, days: Int = 4) throws
        -> WeekdayBaseline
    {
        let day = DayUsage(weekday: 2, hours: hours)
        return try #require(WeekdayBaseline.all(Array(repeating: day, count: days)).first)
    }

    private static func check(
        _ hours: [Double?], _ baseline: WeekdayBaseline, volumeNoise: Double = 0,
        unusual: UnusualHours? = nil
    ) throws -> PatternCheck {
        try #require(
            PatternCheck(
                DayUsage(weekday: 2, hours: hours), baseline, variance: counts,
                volumeNoise: volumeNoise, unusual: unusual))
    }

    @Test func `a baseline is the shape and volume of ordinary days`() throws {
        var days = (1...4).map { factor in
            DayUsage(weekday: 2, hours: Self.office.map { $0 * Double(factor) })
        }
        days.append(DayUsage(weekday: 2, hours: Self.night, isFlagged: true))
        days.append(DayUsage(weekday: 3, hours: Self.night))
        let baselines = WeekdayBaseline.all(days)
        let only = try #require(baselines.first)
        #expect(baselines.count == 1 && only.weekday == 2 && only.days == 4)
        #expect(abs(only.shape.reduce(0, +) - 1) < 1e-12)
        #expect(only.volume == Self.office.reduce(0, +) * 2.5)
        #expect(PatternCheck.cosine(only.shape, Self.office) > 0.999_999)
    }

    @Test func `one odd day among four that nobody flagged changes little`() throws {
        let days = [Self.office, Self.office, Self.night, Self.office].map {
            DayUsage(weekday: 0, hours: $0)
        }
        let baseline = try #require(WeekdayBaseline.all(days).first)
        #expect(PatternCheck.cosine(baseline.shape, Self.office) > 0.99)
    }

    @Test func `a day like its baseline is quiet`() throws {
        let check = try Self.check(Self.office.map { $0 * 1.2 }, Self.baseline())
        #expect(!check.isPatternUnusual && !check.isVolumeUnusual)
        #expect(check.similarity > 0.999)
        #expect(abs(check.volumeChange - 0.2) < 1e-9)
    }

    @Test func `a key used at night at the same volume is a pattern, and not a volume`() throws {
        let check = try Self.check(Self.night, Self.baseline())
        #expect(check.isPatternUnusual && !check.isVolumeUnusual)
        let verdict = Verdict.join(volumeSeverity: .none, direction: .up, pattern: check)
        #expect(verdict?.kind == .pattern)
        #expect(verdict?.recommendedAction.contains("rotate the key") == true)
        // Each hour by itself is unusual, too, and together they are a little less: still a key, and no loss.
        let moved = UnusualHours(hours: Set(0..<24), isMoved: true)
        let hours = try Self.check(
            Self.night.map { $0 * 0.9 }, Self.baseline(), unusual: moved)
        let same = Verdict.join(volumeSeverity: .critical, direction: .down, pattern: hours)
        #expect(same?.kind == .pattern && same?.severity == .critical)
        #expect(same?.recommendedAction == verdict?.recommendedAction)
        let half = try Self.check(Self.night.map { $0 * 0.4 }, Self.baseline())
        let less = Verdict.join(volumeSeverity: .critical, direction: .down, pattern: half)
        #expect(less?.recommendedAction.contains("exporter") == true)
    }

    @Test(arguments: [0.0, 8])
    func `hours that stop or run away are a volume, unless the others have changed, too`(
        factor: Double
    ) throws {
        let unusual = UnusualHours(hours: Set(8..<14), isMoved: false)
        var hours = Self.office
        for hour in unusual.hours { hours[hour] *= factor }
        let direction: VolumeEpisode.Direction = factor > 1 ? .up : .down
        let alone = try Self.check(hours, Self.baseline(), unusual: unusual)
        #expect(alone.similarity < 0.9, "the cosine of the whole day would say so")
        let volume = Verdict.join(
            volumeSeverity: .critical, direction: direction, pattern: alone)
        #expect(volume?.kind == .volume)
        #expect(volume?.recommendedAction.contains("rotate the key") == false)
        for hour in 18..<24 { hours[hour] = 100 }
        let others = try Self.check(hours, Self.baseline(), unusual: unusual)
        let both = Verdict.join(volumeSeverity: .critical, direction: direction, pattern: others)
        // What stopped between 8 and 14 comes after 18: the volume is the same.
        let expected: Verdict.Kind = factor > 1 ? .both : .pattern
        #expect(both?.kind == expected)
    }

    @Test func `the hours that stand out are those of the change, and a key's have moved`() throws {
        var usage = Usage(seed: 5)
        let values = usage.hours(24 * 29)
        let midnight = Usage.start + 24 * 28
        let state = SeriesState(first: Usage.start).refreshed(
            HourlyHistory(first: Usage.start, values: Array(values.dropLast(24))))
        let day = values.suffix(24).map { $0 ?? 0 }
        func unusual(_ hours: [Double]) throws -> UnusualHours {
            try #require(
                state.unusualHours(
                    DayUsage(weekday: midnight.weekday, hours: hours), from: midnight))
        }
        let ordinary = try unusual(day)
        #expect(ordinary.hours.count <= 5 && !ordinary.isMoved)
        for (range, factor) in [(9..<13, 8.0), (8..<20, 0)] {
            let changed = try unusual(
                day.enumerated().map { range.contains($0) ? $1 * factor : $1 })
            #expect(changed.hours.isSuperset(of: range) && !changed.isMoved)
            #expect(changed.hours.subtracting(range).isSubset(of: ordinary.hours))
        }
        let shifted = try unusual((0..<24).map { day[($0 + 12) % 24] })
        #expect(shifted.isMoved && shifted.hours.count >= 8)
    }

    @Test func `a few calls on a day that is usually silent are no change of volume`() throws {
        let silent = try Self.baseline([Double](repeating: 0, count: 24), days: 8)
        func isUnusual(calls: Double, noise: Double) throws -> Bool {
            var hours = [Double](repeating: 0, count: 24)
            hours[10] = calls
            return try Self.check(hours, silent, volumeNoise: noise).isVolumeUnusual
        }
        #expect(try !isUnusual(calls: 4, noise: 0))
        #expect(try isUnusual(calls: 12, noise: 0))
        // Its other days have 700 calls, give or take 35.
        #expect(try !isUnusual(calls: 40, noise: 35))
        #expect(try isUnusual(calls: 400, noise: 35))
    }

    @Test func `ten calls spread over a day are no pattern`() throws {
        var few = [Double](repeating: 0, count: 24)
        for hour in [0, 3, 5, 9, 10, 11, 13, 14, 16, 17] { few[hour] = 1 }
        let baseline = try Self.baseline(Self.office.map { $0 / 100 })
        let check = try Self.check(few, baseline)
        #expect(check.similarity < 0.9, "the cosine alone would say so")
        #expect(check.expectedSimilarity < 0.9)
        #expect(!check.isPatternUnusual)
    }

    @Test func `a silent day is a volume, with no shape`() throws {
        let check = try Self.check([Double](repeating: 0, count: 24), Self.baseline())
        #expect(check.isVolumeUnusual && !check.isPatternUnusual && check.volumeChange == -1)
        let verdict = Verdict.join(volumeSeverity: .critical, direction: .stopped, pattern: check)
        #expect(verdict?.kind == .volume)
        #expect(verdict?.recommendedAction.contains("exporter") == true)
    }

    @Test func `usage where there was none is a change of 1, and no infinity`() throws {
        let nothing = try Self.baseline([Double](repeating: 0, count: 24))
        #expect(nothing.shape.allSatisfy { $0 == 0 })
        let check = try Self.check(Self.office, nothing)
        #expect(check.volumeChange == 1 && check.isVolumeUnusual)
        #expect(check.shapeScore == 0 && check.similarity == 0)
    }

    @Test func `missing hours are left out on both sides`() throws {
        let holes = Self.office.indices.map { $0 < 5 ? nil : Self.office[$0] }
        let check = try Self.check(holes, Self.baseline())
        #expect(check.similarity > 0.999 && abs(check.volumeChange) < 1e-9)
        let tooMany = Self.office.indices.map { $0 < 7 ? nil : Self.office[$0] }
        let day = DayUsage(weekday: 2, hours: tooMany)
        #expect(try PatternCheck(day, Self.baseline(), variance: Self.counts) == nil)
    }

    @Test func `volume and pattern together are both, and critical`() throws {
        let check = try Self.check(Self.night.map { $0 * 3 }, Self.baseline())
        let verdict = Verdict.join(volumeSeverity: .none, direction: .up, pattern: check)
        #expect(verdict?.kind == .both && verdict?.severity == .critical)
    }

    @Test func `nothing unusual has no verdict, and a warning alone neither`() throws {
        let quiet = try Self.check(Self.office, Self.baseline())
        #expect(Verdict.join(volumeSeverity: .none, direction: .up, pattern: quiet) == nil)
        #expect(Verdict.join(volumeSeverity: .warning, direction: .up, pattern: nil) == nil)
        #expect(
            Verdict.join(volumeSeverity: .critical, direction: .up, pattern: nil)?.kind == .volume)
    }

    @Test
    func
        `a baseline poisoned slowly passes the last version, and not the one of four weeks before`()
        throws
    {
        func version(_ factor: Double) throws -> WeekdayBaseline {
            try Self.baseline(Self.office.map { $0 * factor })
        }
        let violations = try BaselineDrift.violations(
            of: version(1.6), previous: version(1.4), older: version(1))
        #expect(violations.map(\.limit) == [.fourWeeksOlder])
        #expect(
            try BaselineDrift.violations(
                of: version(1.2), previous: version(1.1), older: version(1)
            ).isEmpty)
        #expect(try BaselineDrift.violations(of: version(9), previous: nil, older: nil).isEmpty)
        let shifted = try BaselineDrift.violations(
            of: Self.baseline(Self.night), previous: version(1), older: version(1))
        #expect(shifted.map(\.limit) == [.previous, .fourWeeksOlder])
    }
}
