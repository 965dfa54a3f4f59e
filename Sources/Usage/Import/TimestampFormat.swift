/// How a log writes an instant. A fraction finer than a millisecond is cut off, not rounded, so
/// that an event never moves into the next hour or month.
package enum TimestampFormat: String, Hashable, Sendable, CaseIterable {
    /// By its look: digits are seconds below 100,000,000,000 and milliseconds from there on (the
    /// border is March 1973 in milliseconds, the year 5138 in seconds); a text with a month's name
    /// is `clf`; else `rfc3339`.
    case automatic = "auto"
    /// Seconds since 1970 UTC, with or without a fraction, as nginx's `$msec`.
    case epochSeconds = "epoch_s"
    /// Whole milliseconds since 1970 UTC.
    case epochMilliseconds = "epoch_ms"
    /// `2015-05-17T10:05:03.123+02:00` or with `Z`.
    case rfc3339
    /// `17/May/2015:10:05:03 +0000`, the date of the common log format.
    case clf

    /// Milliseconds since 1970 UTC.
    package func milliseconds(_ text: ArraySlice<UInt8>) throws(TimestampFault) -> Int64 {
        switch self {
        case .automatic: try Self.byLook(of: text).milliseconds(text)
        case .epochSeconds: try Self.epochSeconds(text)
        case .epochMilliseconds: try Self.epochMilliseconds(text)
        case .rfc3339: try Self.rfc3339(text)
        case .clf: try Self.clf(text)
        }
    }

    private static func byLook(of text: ArraySlice<UInt8>) -> Self {
        let integer = text.prefix(while: \.isDigit)
        if integer.count == text.count {
            return (text.decimalValue ?? .max) < 100_000_000_000
                ? .epochSeconds : .epochMilliseconds
        }
        if text.dropFirst(integer.count).first == UInt8(ascii: ".") { return .epochSeconds }
        return text.dropFirst(2).first == UInt8(ascii: "/") ? .clf : .rfc3339
    }

    private static func epochSeconds(_ text: ArraySlice<UInt8>) throws(TimestampFault) -> Int64 {
        let integer = text.prefix(while: \.isDigit)
        guard let seconds = integer.decimalValue else {
            throw text.first == UInt8(ascii: "-") ? .beforeEpoch : .notInFormat
        }
        let fraction = try millisecond(text[integer.endIndex...])
        guard seconds <= CivilTime.supportedMilliseconds.upperBound / 1000 else { throw .tooLate }
        return seconds * 1000 + Int64(fraction)
    }

    private static func epochMilliseconds(
        _ text: ArraySlice<UInt8>
    ) throws(TimestampFault) -> Int64 {
        guard let milliseconds = text.decimalValue else {
            throw text.first == UInt8(ascii: "-") ? .beforeEpoch : .notInFormat
        }
        return try CivilTime.supported(milliseconds)
    }

    /// RFC 3339 section 5.6; the `T` may be a space, as section 5.6 allows.
    private static func rfc3339(_ text: ArraySlice<UInt8>) throws(TimestampFault) -> Int64 {
        var fields = FixedFields(text)
        var time = CivilTime.Components()
        time.year = try fields.number(digits: 4)
        try fields.expect(anyOf: "-")
        time.month = try fields.number(digits: 2)
        try fields.expect(anyOf: "-")
        time.day = try fields.number(digits: 2)
        try fields.expect(anyOf: "Tt ")
        time.hour = try fields.number(digits: 2)
        try fields.expect(anyOf: ":")
        time.minute = try fields.number(digits: 2)
        try fields.expect(anyOf: ":")
        time.second = try fields.number(digits: 2)
        let zoneStart = fields.rest.firstIndex { !$0.isDigit && $0 != UInt8(ascii: ".") }
        guard let zoneStart else { throw .notInFormat }
        time.millisecond = try millisecond(fields.rest[..<zoneStart])
        fields.rest = fields.rest[zoneStart...]
        let zone = try fields.expect(anyOf: "Zz+-")
        if zone == UInt8(ascii: "+") || zone == UInt8(ascii: "-") {
            time.offsetMinutes = try fields.offset(sign: zone, hasColon: true)
        }
        guard fields.rest.isEmpty else { throw .notInFormat }
        return try CivilTime.milliseconds(time)
    }

    /// Apache HTTP Server 2.4, mod_log_config, `%t`.
    private static func clf(_ text: ArraySlice<UInt8>) throws(TimestampFault) -> Int64 {
        var fields = FixedFields(text)
        var time = CivilTime.Components()
        time.day = try fields.number(digits: 2)
        try fields.expect(anyOf: "/")
        time.month = try fields.month()
        try fields.expect(anyOf: "/")
        time.year = try fields.number(digits: 4)
        try fields.expect(anyOf: ":")
        time.hour = try fields.number(digits: 2)
        try fields.expect(anyOf: ":")
        time.minute = try fields.number(digits: 2)
        try fields.expect(anyOf: ":")
        time.second = try fields.number(digits: 2)
        try fields.expect(anyOf: " ")
        let sign = try fields.expect(anyOf: "+-")
        time.offsetMinutes = try fields.offset(sign: sign, hasColon: false)
        guard fields.rest.isEmpty else { throw .notInFormat }
        return try CivilTime.milliseconds(time)
    }

    /// The milliseconds of a fraction with its point; 0 for an empty text.
    private static func millisecond(_ text: ArraySlice<UInt8>) throws(TimestampFault) -> Int {
        guard let point = text.first else { return 0 }
        let digits = text.dropFirst()
        guard point == UInt8(ascii: "."), !digits.isEmpty, digits.allSatisfy(\.isDigit) else {
            throw .notInFormat
        }
        let padded = digits.prefix(3) + [UInt8](repeating: UInt8(ascii: "0"), count: 3)
        return Int(padded.prefix(3).decimalValue ?? 0)
    }
}

/// Takes fields of a fixed width off the front of a text.
private struct FixedFields {
    var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) { rest = text }

    mutating func number(digits: Int) throws(TimestampFault) -> Int {
        guard rest.count >= digits, let value = rest.prefix(digits).decimalValue else {
            throw .notInFormat
        }
        rest = rest.dropFirst(digits)
        return Int(value)
    }

    /// Takes one byte, which must be one of these.
    @discardableResult
    mutating func expect(anyOf allowed: StaticString) throws(TimestampFault) -> UInt8 {
        let allowed = UnsafeBufferPointer(
            start: allowed.utf8Start, count: allowed.utf8CodeUnitCount)
        guard let byte = rest.first, allowed.contains(byte) else { throw .notInFormat }
        rest = rest.dropFirst()
        return byte
    }

    mutating func offset(sign: UInt8, hasColon: Bool) throws(TimestampFault) -> Int {
        let hours = try number(digits: 2)
        if hasColon { try expect(anyOf: ":") }
        let minutes = try number(digits: 2)
        guard hours <= 23, minutes <= 59 else { throw .noSuchInstant }
        return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }

    mutating func month() throws(TimestampFault) -> Int {
        let names = StaticString("JanFebMarAprMayJunJulAugSepOctNovDec")
        guard rest.count >= 3 else { throw .notInFormat }
        let first = rest.startIndex
        for month in 0..<12 {
            let name = names.utf8Start + month * 3
            if rest[first] == name[0], rest[first + 1] == name[1], rest[first + 2] == name[2] {
                rest = rest.dropFirst(3)
                return month + 1
            }
        }
        throw .notInFormat
    }
}
