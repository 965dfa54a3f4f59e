import Foundation

@testable import Detection

/// Seeded usage: counts with a day's rhythm, quieter weekends, and more spread than chance.
struct Usage {
    var generator: SplitMix64
    var mean = 60.0
    var peakHour = 14.0
    var weekend = 0.6
    /// The negative binomial's size; its relative spread is 1 / sqrt(size).
    var size = 40.0

    init(seed: UInt64) {
        generator = SplitMix64(seed: seed)
    }

    /// A Thursday, so that weekdays follow their real order.
    static let start = Hour(0)

    func expected(_ hour: Hour) -> Double {
        let wave = exp(0.8 * cos((Double(hour.ofDay) - peakHour) * .pi / 12))
        return mean * wave / 1.17 * (hour.isWeekend ? weekend : 1)
    }

    /// - Parameter change: the factor on an hour's expectation.
    mutating func hours(_ count: Int, change: (Hour) -> Double = { _ in 1 }) -> [Double?] {
        (0..<count).map { offset in
            let hour = Self.start + offset
            return Double(draw(expected(hour) * change(hour)))
        }
    }

    /// The same, with the rhythm of other hours for a while.
    mutating func hours(_ count: Int, nightShift: Range<Int>) -> [Double?] {
        (0..<count).map { offset in
            let hour = Self.start + offset
            let shifted =
                nightShift.contains(offset)
                ? expected(Hour(hour.day * 24 + (hour.ofDay + 12) % 24)) : expected(hour)
            return Double(draw(shifted))
        }
    }

    private mutating func normal() -> Double {
        let radius = (-2 * log(1 - Double.random(in: 0..<1, using: &generator))).squareRoot()
        return radius * cos(2 * .pi * Double.random(in: 0..<1, using: &generator))
    }

    private mutating func draw(_ mean: Double) -> Int {
        guard mean > 0 else { return 0 }
        // The gamma's cube root is nearly normal (Wilson and Hilferty).
        let spread = 1 / (9 * size)
        let root = 1 - spread + normal() * spread.squareRoot()
        let rate = mean * max(0, root * root * root)
        return max(0, Int((rate + rate.squareRoot() * normal()).rounded()))
    }
}

/// Runs what the jobs run.
func judge(
    _ values: [Double?], _ settings: DetectorSettings = .init(), from start: Hour = Usage.start,
    betweenHours: (SeriesState) -> SeriesState = { $0 }
) -> [Judgement] {
    var state = SeriesState(first: start)
    var history = HourlyHistory(first: start)
    return values.indices.map { offset in
        let hour = start + offset
        if hour.ofDay == 0, offset > 0 {
            history.drop(before: hour + -SeriesState.historyHours)
            state = state.refreshed(history)
        }
        state = betweenHours(state)
        let judgement = state.observe(hour, values[offset], settings)
        history.append(values[offset])
        return judgement
    }
}

func alerts(_ judgements: [Judgement]) -> [Int] {
    judgements.indices.filter { judgements[$0].news.isAlert }
}
