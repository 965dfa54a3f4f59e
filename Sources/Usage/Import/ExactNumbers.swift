/// Keeps the digits of numbers that would be lost between here and the invoice.
///
/// ClickHouse's JSON functions read a number through a binary double, so that
/// 12345678901234567.123456789 arrives as ...568. A decimal in a string arrives as written.
enum ExactNumbers {
    /// The JSON text of the value at `index`, in which every number that a double cannot hold is a
    /// string with the same characters; every other byte is as it was.
    static func preserve(in document: JSONDocument, at index: Int) -> [UInt8] {
        var replacements: [Int: [UInt8]] = [:]
        for node in index..<document.nodes[index].end
        where document.nodes[node].kind == .number {
            let number = document.raw(at: node)
            guard !survives(number) else { continue }
            let quote = [UInt8(ascii: "\"")]
            replacements[node] = quote + number + quote
        }
        return document.replacing(replacements, in: index)
    }

    /// Whether a JSON number comes out of ClickHouse's JSON functions with the value it has here.
    ///
    /// Integers within +-2^63 are read as integers. Of the others a double holds any 15
    /// significant digits (DBL_DIG of C) within its range of exponents; zeros at the end of
    /// the digits carry no value and are not counted.
    static func survives(_ number: ArraySlice<UInt8>) -> Bool {
        let digits = number.first == UInt8(ascii: "-") ? number.dropFirst() : number
        if digits.allSatisfy(\.isDigit) { return isWithinInt64(digits) }

        let mantissaEnd = digits.firstIndex { $0 | 0x20 == UInt8(ascii: "e") } ?? digits.endIndex
        let mantissa = digits[..<mantissaEnd]
        let integerEnd = mantissa.firstIndex(of: UInt8(ascii: ".")) ?? mantissaEnd
        guard let first = mantissa.firstIndex(where: isNonZeroDigit),
            let last = mantissa.lastIndex(where: isNonZeroDigit)
        else { return true }
        let significant = mantissa[first...last].count(where: \.isDigit)
        guard significant <= 15 else { return false }

        let exponent = exponent(digits[mantissaEnd...].dropFirst())
        let magnitude = first < integerEnd ? integerEnd - first - 1 : integerEnd - first
        return (-300...300).contains(exponent + magnitude)
    }

    private static func isWithinInt64(_ digits: ArraySlice<UInt8>) -> Bool {
        let limit = Array("9223372036854775808".utf8)
        guard digits.count == limit.count else { return digits.count < limit.count }
        return !limit.lexicographicallyPrecedes(digits)
    }

    private static func isNonZeroDigit(_ byte: UInt8) -> Bool {
        byte.isDigit && byte != UInt8(ascii: "0")
    }

    /// The exponent of a number, at most a million either way; 0 if there is none.
    private static func exponent(_ text: ArraySlice<UInt8>) -> Int {
        let magnitude = text.filter(\.isDigit)
            .reduce(0) { min($0 * 10 + Int($1 - UInt8(ascii: "0")), 1_000_000) }
        return text.first == UInt8(ascii: "-") ? -magnitude : magnitude
    }
}
