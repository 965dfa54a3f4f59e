/// A month of the calendar, with no time zone: the label of a billing slot, `2026-10`.
package struct CivilMonth: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let year: Int
    package let month: Int

    /// Reads `2026-10`. The last month is 9998-12: every month has a next one.
    package init?(_ text: String) {
        guard let date = CivilDate(text + "-01"), date.year < 9999 else { return nil }
        self.init(containing: date)
    }

    package init(containing date: CivilDate) {
        (year, month) = (date.year, date.month)
    }

    package var firstDay: CivilDate {
        guard let date = CivilDate(year: year, month: month, day: 1) else {
            preconditionFailure("a month has a first day")
        }
        return date
    }

    package var next: CivilMonth {
        CivilMonth(containing: CivilDate(daysSinceEpoch: firstDay.daysSinceEpoch + 31))
    }

    package var previous: CivilMonth {
        CivilMonth(containing: CivilDate(daysSinceEpoch: firstDay.daysSinceEpoch - 1))
    }

    package var description: String { String("\(firstDay)".dropLast(3)) }

    package static func < (left: Self, right: Self) -> Bool { left.firstDay < right.firstDay }
}
