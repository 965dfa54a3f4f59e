/// How far the states of a fleet have come: which hour is judged next, and whether that day's baselines
/// are made.
package struct StatePosition: Hashable, Comparable, Sendable {
    package let nextHour: Hour
    /// Only at a midnight.
    package let isRefreshed: Bool

    package init(next hour: Hour, isRefreshed: Bool = false) {
        precondition(!isRefreshed || hour.ofDay == 0)
        (nextHour, self.isRefreshed) = (hour, isRefreshed)
    }

    /// As it is stored: positions in order have numbers in order.
    package init(number: Int64) {
        self.init(next: Hour(Int(number >> 1)), isRefreshed: number & 1 == 1)
    }

    package var number: Int64 { Int64(nextHour.index) << 1 | (isRefreshed ? 1 : 0) }

    /// What comes next is a refresh, not an hour.
    var isRefreshDue: Bool { nextHour.ofDay == 0 && !isRefreshed }

    var next: Self {
        isRefreshDue ? Self(next: nextHour, isRefreshed: true) : Self(next: nextHour + 1)
    }

    package static func < (left: Self, right: Self) -> Bool { left.number < right.number }
}
