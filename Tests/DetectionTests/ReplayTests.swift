import Testing

@testable import Detection

/// What a judgement may depend on.
struct ReplayTests {
    private static let settings: [DetectorSettings] = [
        .init(), .init(sensitivity: .sensitive), .init(method: .zscore),
    ]

    private static func key(_ judgement: Judgement) -> [UInt64] {
        [
            judgement.score.bitPattern, judgement.news.newsScore.bitPattern,
            (judgement.expected ?? -1).bitPattern, UInt64(judgement.news.episode?.number ?? 0),
            judgement.news.isAlert ? 1 : 0,
        ]
    }

    private static func series() -> [Double?] {
        var usage = Usage(seed: 5)
        var values = usage.hours(24 * 45) { hour in
            24 * 36..<24 * 36 + 5 ~= hour.index ? 4 : hour.index >= 24 * 40 ? 1.7 : 1
        }
        for gap in [100..<104, 700..<790] { for hour in gap { values[hour] = nil } }
        return values
    }

    @Test(arguments: settings)
    func `a state that was stored and read between any two hours judges to the same digit`(
        settings: DetectorSettings
    ) throws {
        let values = Self.series()
        let inMemory = judge(values, settings)
        let stored = judge(values, settings) { state in
            let bytes = state.encoded()
            #expect(bytes.count == SeriesState.encodedBytes)
            let read = SeriesState(encoded: bytes)
            #expect(read?.encoded() == bytes)
            return read ?? state
        }
        #expect(inMemory.map(Self.key) == stored.map(Self.key))
    }

    @Test(arguments: settings)
    func `what happens later changes no earlier judgement`(settings: DetectorSettings) {
        let values = Self.series()
        let whole = judge(values, settings).map(Self.key)
        for cut in [24 * 20 + 7, 24 * 36 + 2, 24 * 41] {
            var other = Array(values[..<cut])
            other += (0..<100).map { $0 % 7 == 0 ? nil : Double($0 * 1000) }
            #expect(judge(other, settings).map(Self.key).prefix(cut) == whole.prefix(cut))
        }
    }

    @Test func `history beyond what a refresh can use changes nothing`() {
        let values = Self.series()
        let end = 24 * 44
        let long = HourlyHistory(first: Usage.start, values: Array(values[..<end]))
        var short = long
        short.drop(before: Usage.start + (end - SeriesState.historyHours))
        let state = SeriesState(first: Usage.start)
        #expect(state.refreshed(long).encoded() == state.refreshed(short).encoded())
    }

    @Test func `what is no state of this version is not read`() {
        let bytes = SeriesState(first: Hour(480_000)).encoded()
        #expect(SeriesState(encoded: bytes) != nil)
        #expect(SeriesState(encoded: bytes.dropLast()) == nil)
        #expect(SeriesState(encoded: bytes + [0]) == nil)
        #expect(SeriesState(encoded: [bytes[0] &+ 1] + bytes.dropFirst()) == nil)
        #expect(SeriesState(encoded: []) == nil)
    }

    /// A day that is left out by itself stays if somebody dismissed it; a confirmed one never counts.
    @Test func `reviewed days are in the baseline or not, as people said`() {
        var history = HourlyHistory(first: Hour(0))
        for hour in 0..<28 * 24 {
            // Mondays to Fridays alike, but for the 13th day, at five times the level.
            history.append(hour / 24 == 12 ? 100 : 20 + Double(hour % 7))
        }
        let state = SeriesState(first: Hour(0))
        func centres(_ change: (inout ReviewedDays) -> Void) -> [Float] {
            var reviewed = ReviewedDays()
            change(&reviewed)
            let centres = state.refreshed(history, reviewed: reviewed).centres
            return centres.indices.map { centres[$0] }
        }
        let unsaid = centres { _ in }
        #expect(centres { $0.dismissed = [12] } != unsaid)
        #expect(centres { $0.confirmed = [7] } != unsaid)
        #expect(centres { $0.confirmed = Set(0..<28) } == unsaid, "something has to be left")
    }
}
