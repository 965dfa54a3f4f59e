import Foundation
import Testing

@testable import Detection

struct DailyTotalsTests {
    /// The rule in ten lines: the day's total at 23:00 against the 30 days before.
    private static func expected(_ values: [Double], day: Int) -> Double {
        let totals = (0...day).map { values[($0 * 24)..<($0 * 24 + 24)].reduce(0, +) }
        let past = totals[max(0, day - 30)..<day]
        let mean = past.reduce(0, +) / Double(past.count)
        let squares = past.map { ($0 - mean) * ($0 - mean) }.reduce(0, +)
        return abs(totals[day] - mean) / (squares / Double(past.count - 1)).squareRoot()
    }

    @Test func `the z-score of a whole day is the one that the rule gives`() {
        var usage = Usage(seed: 21)
        let values = usage.hours(24 * 50).map { $0 ?? 0 }
        let judgements = judge(values, .init(method: .zscore))
        for day in 7..<50 {
            let score = judgements[day * 24 + 23].score
            #expect(abs(score - Self.expected(values, day: day)) < 1e-3)
        }
    }

    @Test func `the threshold and the severities are the rule's`() {
        var values = [Double?]((0..<24 * 40).map { Double(($0 / 24) % 2 == 0 ? 100 : 110) })
        for hour in 24 * 39..<24 * 40 { values[hour] = 119 }
        let last = judge(values, .init(method: .zscore)).last
        #expect(last.map { 2..<3 ~= $0.score } == true)
        #expect(last?.severity == .warning && last?.news.isAlert == false)
        #expect(judge(values, .init(method: .zscore, threshold: 2)).last?.severity == .critical)
    }

    @Test func `days that are all alike make no infinity`() {
        var values = [Double?](repeating: 100, count: 24 * 40)
        values[24 * 39] = 101
        let judgements = judge(values, .init(method: .zscore))
        #expect(judgements[24 * 39 - 1].score == 0)
        #expect(judgements[24 * 39].score == 10)
    }

    @Test func `a few missing hours are filled up, more are not judged`() {
        func total(missing: Int) -> Double? {
            let hours = (0..<24).map { $0 < missing ? Float.nan : 2 }
            return DailyTotals.total(hours.span)
        }
        #expect(total(missing: 6) == 48)
        #expect(total(missing: 7) == nil)
    }
}
