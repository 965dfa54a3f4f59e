internal import Exact

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

/// Instants from and to times of day, exact to the millisecond.
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
        // Before year 1 is before 1970, and not a date that does not exist.
        guard time.year > 0 else { throw .beforeEpoch }
        guard let date = CivilDate(year: time.year, month: time.month, day: time.day),
            0...23 ~= time.hour, 0...59 ~= time.minute
        else { throw .noSuchInstant }
        guard time.second != 60 else { throw .leapSecond }
        guard 0...59 ~= time.second else { throw .noSuchInstant }
        let minutes =
            (Int(date.daysSinceEpoch) * 24 + time.hour) * 60 + time.minute - time.offsetMinutes
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
        let date = CivilDate(daysSinceEpoch: Int64(seconds / 86_400))
        text.appendDecimal(date.year, digits: 4)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(date.month, digits: 2)
        text.append(UInt8(ascii: "-"))
        text.appendDecimal(date.day, digits: 2)
        text.append(UInt8(ascii: " "))
        text.appendDecimal(seconds / 3600 % 24, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(seconds / 60 % 60, digits: 2)
        text.append(UInt8(ascii: ":"))
        text.appendDecimal(seconds % 60, digits: 2)
        text.append(UInt8(ascii: "."))
        text.appendDecimal(Int(milliseconds % 1000), digits: 3)
    }
}
