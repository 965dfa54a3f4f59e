import Testing

@testable import Detection

struct EpisodeTests {
    private static func alerts(_ scores: [Int: Double]) -> [Int] {
        var tracker = EpisodeTracker()
        return (0..<200).filter {
            tracker.observe(Hour($0), score: scores[$0] ?? 0, threshold: 3).isAlert
        }
    }

    @Test func `an alert is repeated only for a higher score, until a day has passed`() {
        #expect(Self.alerts([10: 4, 11: 3.5, 12: 4, 13: 5, 14: 4.9]) == [10, 13])
        #expect(Self.alerts([10: 4, 34: 3.5]) == [10])
        #expect(Self.alerts([10: 4, 35: 3.5]) == [10, 35])
    }

    @Test func `an episode that lasts is one, however long`() {
        let scores = Dictionary(
            uniqueKeysWithValues: (10..<150).map { ($0, $0 == 10 ? 5 : 4.0 + Double($0 % 7) / 10) })
        #expect(Self.alerts(scores) == [10])
        var tracker = EpisodeTracker()
        for hour in 0..<150 {
            _ = tracker.observe(Hour(hour), score: scores[hour] ?? 0, threshold: 3)
        }
        #expect(tracker.latest == .init(number: 1, first: Hour(10), last: Hour(149), peak: 5))
    }

    /// The peak is kept as a float, and the scores of a day in steps that end at 255.
    @Test(arguments: [6.000_001, 300.000_001])
    func `an equal score is no news, however high, and however long after`(score: Double) {
        #expect(Double(Float(score)) < score)
        #expect(Self.alerts([10: score, 11: score, 34: score, 58: score]) == [10])
    }

    @Test func `scores below the threshold open no episode`() {
        #expect(Self.alerts([10: 2.99]) == [])
        #expect(Self.alerts([10: 3]) == [10])
    }

    @Test func `what is no news scores below the threshold, and the order of hours stays`() {
        var tracker = EpisodeTracker()
        let scores = [6.0, 6, 5, 3, 2, 0.5]
        let news = scores.enumerated().map {
            tracker.observe(Hour($0.offset), score: $0.element, threshold: 3).newsScore
        }
        #expect(news.first == 6)
        #expect(news.dropFirst().allSatisfy { $0 < 3 })
        #expect(news == news.sorted(by: >))
    }
}
