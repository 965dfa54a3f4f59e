/// A value that can be read from a column, out of Postgres' text format.
package protocol PostgresDecodable {
    /// nil if the text does not read as this type.
    static func decoded(fromPostgresText text: ArraySlice<UInt8>) -> Self?
    /// What NULL reads as; nil if it must not be NULL.
    static var decodedNull: Self? { get }
}

extension PostgresDecodable {
    package static var decodedNull: Self? { nil }
}

extension String: PostgresDecodable {
    package static func decoded(fromPostgresText text: ArraySlice<UInt8>) -> String? {
        String(validating: text, as: UTF8.self)
    }
}

extension Int: PostgresDecodable {
    package static func decoded(fromPostgresText text: ArraySlice<UInt8>) -> Int? {
        Int(asciiDigits: text)
    }
}

extension Int64: PostgresDecodable {
    package static func decoded(fromPostgresText text: ArraySlice<UInt8>) -> Int64? {
        Int64(asciiDigits: text)
    }
}

extension Double: PostgresDecodable {
    package static func decoded(fromPostgresText text: ArraySlice<UInt8>) -> Double? {
        String(validating: text, as: UTF8.self).flatMap(Double.init)
    }
}

extension Bool: PostgresDecodable {
    package static func decoded(fromPostgresText text: ArraySlice<UInt8>) -> Bool? {
        switch text {
        case [UInt8(ascii: "t")]: true
        case [UInt8(ascii: "f")]: false
        default: nil
        }
    }
}

extension [UInt8]: PostgresDecodable {
    /// A `bytea` in the hex format, which every session of ours asks for.
    package static func decoded(fromPostgresText text: ArraySlice<UInt8>) -> [UInt8]? {
        guard text.starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "x")]), text.count % 2 == 0
        else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 2 - 1)
        var index = text.startIndex + 2
        while index < text.endIndex {
            guard let high = hexDigit(text[index]), let low = hexDigit(text[index + 1])
            else { return nil }
            bytes.append(high << 4 | low)
            index += 2
        }
        return bytes
    }
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decoded(fromPostgresText text: ArraySlice<UInt8>) -> Wrapped?? {
        Wrapped.decoded(fromPostgresText: text).map { .some($0) }
    }

    package static var decodedNull: Wrapped?? { .some(nil) }
}

extension FixedWidthInteger {
    /// Only digits with an optional minus: no plus sign, no spaces, nothing that overflows.
    fileprivate init?(asciiDigits text: ArraySlice<UInt8>) {
        let isNegative = text.first == UInt8(ascii: "-")
        let digits = isNegative ? text.dropFirst() : text
        guard !digits.isEmpty else { return nil }
        var value: Self = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            let step = Self(digit - UInt8(ascii: "0"))
            let (tenfold, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, spilled) =
                isNegative
                ? tenfold.subtractingReportingOverflow(step)
                : tenfold.addingReportingOverflow(step)
            if overflowed || spilled { return nil }
            value = sum
        }
        self = value
    }
}

private func hexDigit(_ character: UInt8) -> UInt8? {
    switch character {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
    default: nil
    }
}
