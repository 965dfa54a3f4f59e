import Testing

@testable import Detection

/// Series that break detectors: none may break this one.
struct EdgeCaseTests {
    static let days = 33
    /// Between them they score all parts.
    static let settings: [DetectorSettings] = [
        .init(), .init(sensitivity: .sensitive), .init(method: .zscore), .init(method: .qtail),
    ]

    struct Series: Sendable, CustomTestStringConvertible {
        let name: String
        let values: [Double?]

        init(_ name: String, _ values: [Double?]) { (self.name, self.values) = (name, values) }

        var testDescription: String { name }
    }

    static let series: [Series] = {
        var generator = SplitMix64(seed: 77)
        let hours = 0..<24 * days
        func values(_ value: (Int) -> Double?) -> [Double?] { hours.map(value) }
        return [
            Series("nothing", values { _ in nil }),
            Series("zeros", values { _ in 0 }),
            Series("constant", values { _ in 7 }),
            Series("constant, tiny", values { _ in 1e-300 }),
            Series("constant, negative", values { _ in -10 }),
            Series("constant, then zero", values { $0 < 700 ? 7 : 0 }),
            Series("zeros, then one event", values { $0 == 800 ? 1 : 0 }),
            Series("zeros, then many", values { $0 == 800 ? 1e15 : 0 }),
            Series("huge", values { $0 % 3 == 0 ? .greatestFiniteMagnitude : 1e300 }),
            Series("negative", values { Double($0 % 24) - 30 }),
            Series("alternating signs", values { $0 % 2 == 0 ? -1e6 : 1e6 }),
            Series("one hour in ten", values { $0 % 10 == 0 ? Double($0) : nil }),
            Series("departed", values { $0 < 600 ? 50 : nil }),
            Series("a single hour", values { $0 == 0 ? 5 : nil }),
            Series(
                "random",
                hours.map { _ in
                    switch Int.random(in: 0..<6, using: &generator) {
                    case 0: nil
                    case 1: 0
                    case 2: Double.random(in: -1e12...1e12, using: &generator)
                    default: Double.random(in: 0...10, using: &generator)
                    }
                }
            ),
        ]
    }()

    @Test(arguments: series, settings)
    func `no number is ever infinite or no number`(series: Series, settings: DetectorSettings) {
        for judgement in judge(series.values, settings) {
            #expect(judgement.score.isFinite && judgement.score >= 0)
            #expect(judgement.news.newsScore.isFinite)
            #expect((judgement.news.newsScore >= 3) == judgement.news.isAlert)
            #expect(judgement.tailProbability.map { 0...1 ~= $0 } ?? true)
            #expect(judgement.expected?.isFinite ?? true)
            #expect(judgement.expectedRange?.upperBound.isFinite ?? true)
        }
    }

    @Test(arguments: [
        "nothing", "zeros", "constant", "constant, tiny", "constant, negative", "a single hour",
    ])
    func `what never changes is never unusual`(name: String) throws {
        let series = try #require(Self.series.first { $0.name == name })
        for settings in Self.settings {
            #expect(alerts(judge(series.values, settings)).isEmpty)
        }
    }

    @Test func `a negative series is expected to stay negative, and its change is told`() throws {
        var values = try #require(Self.series.first { $0.name == "constant, negative" }).values
        let hour = 24 * 30 + 7
        values[hour] = -40
        let judgements = judge(values)
        #expect(alerts(judgements) == [hour])
        #expect(abs((judgements[hour].expected ?? 0) + 10) < 1e-3)
        #expect(judgements[hour].isUp == false)
    }

    @Test(arguments: Sensitivity.allCases)
    func `under three days nothing is told, whatever happens`(sensitivity: Sensitivity) {
        var usage = Usage(seed: 9)
        let judgements = judge(
            usage.hours(100) { $0.index >= 60 ? 50 : 1 }, .init(sensitivity: sensitivity),
            from: Hour(7))
        #expect(judgements.prefix(72).allSatisfy { $0.confidence == .silent && $0.score == 0 })
        #expect(judgements.prefix(72).allSatisfy { $0.tailProbability == nil })
        #expect(judgements.dropFirst(72).allSatisfy { $0.confidence == .wide })
    }

    @Test func `bounds are wide until two weeks have passed`() {
        var usage = Usage(seed: 9)
        let judgements = judge(usage.hours(24 * 16))
        #expect(judgements[24 * 14 - 1].confidence == .wide)
        #expect(judgements[24 * 14].confidence == .normal)
    }

    @Test func `a constant series that moves by half is told at once`() {
        var values = [Double?](repeating: 1000, count: 24 * 30)
        values[24 * 29 + 5] = 500
        #expect(alerts(judge(values)) == [24 * 29 + 5])
    }

    @Test func `a missing hour is not a zero hour`() {
        var usage = Usage(seed: 3)
        var values = usage.hours(24 * 40)
        let outage = 24 * 38 + 8..<24 * 38 + 14
        for hour in outage { values[hour] = 0 }
        #expect(alerts(judge(values)).contains(where: outage.contains))
        for hour in outage { values[hour] = nil }
        let judgements = judge(values)
        #expect(alerts(judgements).isEmpty)
        #expect(outage.allSatisfy { judgements[$0].score == 0 && judgements[$0].observed == nil })
    }

    @Test func `ten events a day are too few for an alarm about the next one`() {
        var usage = Usage(seed: 4)
        usage.mean = 0.4
        #expect(alerts(judge(usage.hours(24 * 60))).isEmpty)
    }

    @Test func `hours that were not observed are taken as missing`() {
        var usage = Usage(seed: 6)
        var values = usage.hours(24 * 31)
        let gap = 24 * 30 + 3..<24 * 30 + 9
        for hour in gap { values[hour] = nil }
        let every = judge(values)

        var state = SeriesState(first: Usage.start)
        var history = HourlyHistory(first: Usage.start)
        for (offset, value) in values.enumerated() {
            let hour = Hour(offset)
            if hour.ofDay == 0, offset > 0 { state = state.refreshed(history) }
            history.append(value)
            if gap.contains(offset) { continue }
            #expect(state.observe(hour, value, .init()).score == every[offset].score)
        }
    }
}
