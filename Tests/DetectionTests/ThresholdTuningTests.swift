import Testing

@testable import Detection

struct ThresholdTuningTests {
    @Test func `each threshold has the precision and recall that the reviews give it`() throws {
        let scores: [(Double, Bool)] = [
            (3.1, false), (3.2, false), (3.5, true), (4.0, false), (5.0, true), (6.5, true),
            (8.0, true),
        ]
        let tuning = ThresholdTuning(scores.map { (score: $0.0, isReal: $0.1) })
        let all = try #require(tuning.candidates.first)
        #expect(all.threshold == 3.1 && all.confirmed == 4 && all.dismissed == 3)
        #expect(all.recall == 1 && all.precision == 4.0 / 7)
        let five = try #require(tuning.candidates.first { $0.threshold == 5 })
        #expect(five.precision == 1 && five.recall == 0.75)
        #expect(tuning.best?.threshold == 3.5 && tuning.best?.precision == 0.8)
        #expect(
            zip(tuning.candidates, tuning.candidates.dropFirst()).allSatisfy {
                $0.recall >= $1.recall
            })
    }

    @Test func `each setting is tuned by what it decides about, in its own direction`() throws {
        let reviews: [SettingTuning.Review] = [
            .init(setting: .similarity, score: 0.12, isReal: false),
            .init(setting: .similarity, score: 0.15, isReal: false),
            .init(setting: .similarity, score: 0.6, isReal: true),
            .init(setting: .volumeChange, score: 0.55, isReal: true),
        ]
        let tunings = SettingTuning(reviews).tunings
        #expect(tunings.map(\.setting) == [.similarity, .volumeChange])
        let similarity = try #require(tunings.first)
        #expect(
            similarity.tuning.candidates.map { similarity.setting.value($0.threshold) }
                == [0.88, 0.85, 0.4])
        #expect(similarity.tuning.best?.threshold == 0.6)
        #expect(tunings.last?.tuning.candidates.map(\.threshold) == [0.55])
    }

    @Test func `without reviews there is nothing to propose`() {
        #expect(ThresholdTuning([]).candidates.isEmpty && ThresholdTuning([]).best == nil)
        let onlyFalse = ThresholdTuning([(score: 3, isReal: false)])
        #expect(onlyFalse.candidates.map(\.recall) == [0] && onlyFalse.best == nil)
    }
}
