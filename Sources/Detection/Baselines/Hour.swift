/// A UTC hour: whole hours since 1970-01-01T00:00Z.
package struct Hour: Hashable, Comparable, Sendable {
    package let index: Int

    package init(_ index: Int) {
        self.index = index
    }

    /// 0 to 23.
    package var ofDay: Int { index - day * 24 }

    /// Days since 1970-01-01.
    package var day: Int { index >= 0 ? index / 24 : (index - 23) / 24 }

    /// 0 is Monday; 1970-01-01 was a Thursday.
    package var weekday: Int {
        let weekday = (day + 3) % 7
        return weekday < 0 ? weekday + 7 : weekday
    }

    package var isWeekend: Bool { weekday >= 5 }

    /// Where the hour stands in a seasonal table: 0 to 23 on Mondays to Fridays, 24 to 47 at weekends.
    var season: Int { isWeekend ? 24 + ofDay : ofDay }

    /// The place in a ring of so many hours.
    func slot(in hours: Int) -> Int {
        let slot = index % hours
        return slot < 0 ? slot + hours : slot
    }

    package static func < (left: Self, right: Self) -> Bool { left.index < right.index }

    package static func + (left: Self, hours: Int) -> Self { Self(left.index + hours) }

    package static func - (left: Self, right: Self) -> Int { left.index - right.index }
}

/// What is stored of a series: consecutive hourly values, with gaps.
package struct HourlyHistory: Sendable {
    package private(set) var first: Hour
    /// A missing hour is NaN here, and nowhere else.
    private(set) var values: [Float]

    package init(first: Hour, values: [Double?] = []) {
        self.first = first
        self.values = values.map { $0.map(Float.init(finite:)) ?? .nan }
    }

    /// The hour after the last.
    package var end: Hour { first + values.count }

    package mutating func append(_ value: Double?) {
        values.append(value.map(Float.init(finite:)) ?? .nan)
    }

    /// Forgets what lies before an hour.
    package mutating func drop(before hour: Hour) {
        let count = min(max(0, hour - first), values.count)
        guard count > 0 else { return }
        values.removeFirst(count)
        first = first + count
    }
}

extension Float {
    /// The nearest finite value; usage beyond 1e37 in an hour counts as that.
    init(finite value: Double) {
        self = value.isNaN ? 0 : Float(Swift.max(-1e37, Swift.min(1e37, value)))
    }
}
