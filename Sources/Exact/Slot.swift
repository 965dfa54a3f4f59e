/// How often a job's slots follow one another.
package enum Cadence: String, Sendable, Hashable, CaseIterable {
    case hourly
    case daily
    /// ISO 8601 weeks: Monday to Sunday.
    case weekly
    case monthly

    /// How a slot of it is written.
    package var example: String {
        switch self {
        case .hourly: "2026-11-22T11"
        case .daily: "2026-11-22"
        case .weekly: "2026-W47"
        case .monthly: "2026-10"
        }
    }

    /// The longest interval a slot can have.
    package var longestSeconds: Int64 {
        switch self {
        case .hourly: 3600
        case .daily: 86_400
        case .weekly: 7 * 86_400
        case .monthly: 31 * 86_400
        }
    }
}

/// An hour, a day, an ISO week or a month in UTC: what one run of a job is about.
///
/// Slots of a cadence are numbered, so that stepping through them is adding; the label and the
/// half-open interval follow from the number. UTC has no daylight saving: every day has 24 hours.
package struct Slot: Sendable, Hashable, Comparable {
    package let cadence: Cadence
    /// Whole hours, days, weeks or months since year 1970 (of weeks: since 1969-12-29, a Monday).
    let index: Int64

    private init(cadence: Cadence, index: Int64) {
        self.cadence = cadence
        self.index = index
    }

    /// The slot in which an instant lies.
    package init(_ cadence: Cadence, containing instant: Instant) {
        let hours = instant.milliseconds.quotientRoundedDown(dividingBy: 3_600_000)
        let days = hours.quotientRoundedDown(dividingBy: 24)
        switch cadence {
        case .hourly: self.init(cadence: cadence, index: hours)
        case .daily: self.init(cadence: cadence, index: days)
        case .weekly: self.init(cadence: cadence, index: Self.week(ofDay: days))
        case .monthly: self.init(CivilMonth(containing: CivilDate(daysSinceEpoch: days)))
        }
    }

    package init(_ month: CivilMonth) {
        self.init(
            cadence: .monthly, index: Int64(month.year - 1970) * 12 + Int64(month.month - 1))
    }

    /// The month of a monthly slot.
    package var month: CivilMonth? {
        cadence == .monthly ? CivilMonth(containing: firstDay) : nil
    }

    package var start: Instant {
        let hours = cadence == .hourly ? index : firstDay.daysSinceEpoch * 24
        return Instant(milliseconds: hours * 3_600_000)
    }

    /// Where the next one starts; itself no part of the slot.
    package var end: Instant { next.start }

    package var next: Slot { Slot(cadence: cadence, index: index + 1) }
    package var previous: Slot { Slot(cadence: cadence, index: index - 1) }

    package static func < (left: Self, right: Self) -> Bool {
        (left.start, left.cadence.rawValue) < (right.start, right.cadence.rawValue)
    }

    private var firstDay: CivilDate {
        switch cadence {
        case .hourly:
            CivilDate(daysSinceEpoch: index.quotientRoundedDown(dividingBy: 24))
        case .daily: CivilDate(daysSinceEpoch: index)
        case .weekly: CivilDate(daysSinceEpoch: index * 7 - Self.thursdayOfEpoch)
        case .monthly: firstDayOfMonth
        }
    }

    private var firstDayOfMonth: CivilDate {
        let year = index.quotientRoundedDown(dividingBy: 12)
        guard
            let date = CivilDate(
                year: Int(year) + 1970, month: Int(index - year * 12) + 1, day: 1)
        else { preconditionFailure("slots lie within the years 1 to 9999") }
        return date
    }

    /// 1970-01-01 was a Thursday, the fourth day of its week.
    private static let thursdayOfEpoch: Int64 = 3

    private static func week(ofDay day: Int64) -> Int64 {
        (day + thursdayOfEpoch).quotientRoundedDown(dividingBy: 7)
    }
}

extension Slot: CustomStringConvertible {
    package var description: String {
        switch cadence {
        case .hourly: String("\(start)".prefix(13))
        case .daily: "\(firstDay)"
        case .monthly: String("\(firstDay)".dropLast(3))
        case .weekly:
            "\(padded(Int64(weekYear), 4))-W\(padded(index - Self.firstWeek(of: weekYear) + 1, 2))"
        }
    }

    /// Reads what `description` writes; the form tells the cadence.
    package init?(_ text: String) {
        if let month = CivilMonth(text) {
            self.init(month)
        } else if let date = CivilDate(text) {
            self.init(cadence: .daily, index: date.daysSinceEpoch)
        } else if text.utf8.count == 13, let instant = Instant(text + ":00:00Z") {
            self.init(.hourly, containing: instant)
        } else {
            let parts = text.split(separator: "-W", omittingEmptySubsequences: false)
            guard parts.count == 2, let year = number(parts[0], digits: 4), year > 0,
                let week = number(parts[1], digits: 2), (1...53).contains(week)
            else { return nil }
            self.init(
                cadence: .weekly, index: Self.firstWeek(of: year) + Int64(week) - 1)
        }
        // A 53rd week that the year does not have reads back as the first one of the next. The last
        // year is left out: every slot has a next one.
        guard description == text, firstDay.year < 9999 else { return nil }
    }

    /// A week belongs to the year of its Thursday.
    private var weekYear: Int {
        CivilDate(daysSinceEpoch: firstDay.daysSinceEpoch + 3).year
    }

    /// The first week of a year is the one with January 4.
    private static func firstWeek(of year: Int) -> Int64 {
        guard let date = CivilDate(year: year, month: 1, day: 4) else {
            preconditionFailure("slots lie within the years 1 to 9999")
        }
        return week(ofDay: date.daysSinceEpoch)
    }
}

/// Slots of one cadence, from the first to the last: `2026-08..2026-10`, or a single one.
package struct SlotRange: Sendable, Hashable, CustomStringConvertible {
    package let first: Slot
    package let last: Slot

    /// More of them are a mistake in writing.
    package static let most = 10_000

    package init(_ slot: Slot) {
        (first, last) = (slot, slot)
    }

    /// `nil`: the text does not read, mixes cadences, runs backwards, or is longer than `most`.
    package init?(_ text: String) {
        let ends = text.split(separator: "..", omittingEmptySubsequences: false).map {
            Slot(String($0))
        }
        guard (1...2).contains(ends.count), let first = ends[0], let last = ends[ends.count - 1],
            first.cadence == last.cadence, (0..<Int64(Self.most)).contains(last.index - first.index)
        else { return nil }
        (self.first, self.last) = (first, last)
    }

    package var slots: [Slot] {
        sequence(first: first) { $0 < last ? $0.next : nil }.map { $0 }
    }

    package var description: String { first == last ? "\(first)" : "\(first)..\(last)" }
}
