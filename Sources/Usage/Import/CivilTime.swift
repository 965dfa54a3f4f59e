/// Why a text is no instant that usage can have happened at.
package enum TimestampFault: Error, Hashable, Sendable {
    case notInFormat
    /// A month, day, hour or offset that does not exist, such as 30 February.
    case noSuchInstant
    case leapSecond
    case beforeEpoch
    /// After 2299, the last year of ClickHouse's DateTime64.
    case tooLate
}

/// Instants from and to dates of the proleptic Gregorian calendar, exact to the millisecond.
enum CivilTime {
    /// From 1970 to the end of 2299: what a DateTime64(3) holds and the importer takes.
    static let supportedMilliseconds: ClosedRange<Int64> = 0...10_413_791_999_999

    /// A date and a time of day with its distance from UTC.
    struct Components {
        var year = 1970
        var month = 1
        var day = 1
        var hour = 0
        var minute = 0
        var second = 0
        var millisecond = 0
        var offsetMinutes = 0
    }

    /// Milliseconds since the epoch.
    ///
    /// A leap second is refused: POSIX time, and so the table, has no instant for it, and moving
    /// it could move usage into the next month.
    static func milliseconds(_ time: Components) throws(TimestampFault) -> Int64 {
        guard 1...12 ~= time.month, 1...days(in: time.month, of: time.year) ~= time.day,
            0...23 ~= time.hour, 0...59 ~= time.minute
        else { throw .noSuchInstant }
        guard time.second != 60 else { throw .leapSecond }
        guard 0...59 ~= time.second else { throw .noSuchInstant }
        let days = daysSinceEpoch(time.year, time.month, time.day)
        let minutes = (days * 24 + time.hour) * 60 + time.minute - time.offsetMinutes
        let milliseconds = Int64((minutes * 60 + time.second) * 1000 + time.millisecond)
        return try supported(milliseconds)
    }

    static func supported(_ milliseconds: Int64) throws(TimestampFault) -> Int64 {
        guard milliseconds >= supportedMilliseconds.lowerBound else { throw .beforeEpoch }
        guard milliseconds <= supportedMilliseconds.upperBound else { throw .tooLate }
        return milliseconds
    }

    /// Appends `YYYY-MM-DD hh:mm:ss.mmm` in UTC.
    static func append(_ milliseconds: Int64, to text: inout [UInt8]) {
        precondition(supportedMilliseconds.contains(milliseconds))
        let seconds = Int(milliseconds / 1000)
        let (year, month, day) = date(daysSinceEpoch: seconds / 86_400)
        text.appendDecimal(year, digits: 4)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(month, digits: 2)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(day, digits: 2)
        text.append(UInt8(ascii: " "))
        text.appendDecimal(seconds / 3600 % 24, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(seconds / 60 % 60, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(seconds % 60, digits: 2)
        text.append(UInt8(ascii: "."))
        text.appendDecimal(Int(milliseconds % 1000), digits: 3)
    }

    private static func days(in month: Int, of year: Int) -> Int {
        switch month {
        case 4, 6, 9, 11: 30
        case 2: (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 ? 29 : 28
        default: 31
        }
    }

    /// `days_from_civil` of Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", for
    /// years from 0 on.
    private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
        let yearFromMarch = month <= 2 ? year - 1 : year
        // -1 is the year before 1 March of year 0: floor the division there too.
        let era = (yearFromMarch < 0 ? yearFromMarch - 399 : yearFromMarch) / 400
        let yearOfEra = yearFromMarch - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// `civil_from_days`, of the same source.
    private static func date(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
        let days = daysSinceEpoch + 719_468
        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month,
            dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        )
    }
}
