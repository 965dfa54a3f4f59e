internal import BigInt

/// A decimal number without limits and without rounding: `coefficient * 10^-scale`.
///
/// Quantities, prices and products of both are of this type, so that an amount is exact until the one
/// rounding of its line (`Currency.minorUnits(of:)`). There is no division.
package struct ExactDecimal: Sendable, Hashable {
    /// Never a multiple of ten while `scale` is above zero, so that equal numbers are equal values.
    private let coefficient: BigInt
    private let scale: Int

    package static let zero = ExactDecimal(0)

    package init(_ integer: some BinaryInteger) {
        self.init(coefficient: BigInt(integer), scale: 0)
    }

    private init(coefficient: BigInt, scale: Int) {
        var coefficient = coefficient
        var scale = scale
        while scale > 0 {
            let (quotient, remainder) = coefficient.quotientAndRemainder(dividingBy: 10)
            guard remainder.isZero else { break }
            coefficient = quotient
            scale -= 1
        }
        self.coefficient = coefficient
        self.scale = scale
    }

    /// Reads a plain decimal: an optional minus sign, digits, and optionally a point with digits behind it.
    ///
    /// Exponents, plus signs, blanks, separators and bare points are not plain decimals: `nil`.
    package init?(_ text: some StringProtocol) {
        if let short = Self(short: text) {
            self = short
            return
        }
        var digits = ""
        var scale: Int?
        for character in text.utf8.drop(while: { $0 == UInt8(ascii: "-") }) {
            switch character {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                digits.unicodeScalars.append(Unicode.Scalar(character))
                scale? += 1
            case UInt8(ascii: ".") where scale == nil && !digits.isEmpty:
                scale = 0
            default:
                return nil
            }
        }
        let signs = text.utf8.prefix(while: { $0 == UInt8(ascii: "-") }).count
        guard !digits.isEmpty, scale != 0, signs <= 1, let magnitude = BigInt(digits) else {
            return nil
        }
        self.init(coefficient: signs == 1 ? -magnitude : magnitude, scale: scale ?? 0)
    }

    /// The same for numbers of at most 18 digits, which are nearly all.
    private init?(short text: some StringProtocol) {
        var (value, digits): (Int64, Int) = (0, 0)
        var scale: Int?
        var isNegative = false
        for (index, byte) in text.utf8.enumerated() {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                guard digits < 18 else { return nil }
                value = value * 10 + Int64(byte - UInt8(ascii: "0"))
                digits += 1
                scale? += 1
            case UInt8(ascii: "-") where index == 0: isNegative = true
            case UInt8(ascii: ".") where scale == nil && digits > 0: scale = 0
            default: return nil
            }
        }
        guard digits > 0, scale != 0 else { return nil }
        var places = scale ?? 0
        while places > 0, value % 10 == 0 { (value, places) = (value / 10, places - 1) }
        coefficient = BigInt(isNegative ? -value : value)
        self.scale = places
    }

    package static func + (left: Self, right: Self) -> Self {
        let scale = max(left.scale, right.scale)
        return Self(
            coefficient: left.coefficient(atScale: scale) + right.coefficient(atScale: scale),
            scale: scale)
    }

    package static func - (left: Self, right: Self) -> Self { left + -right }

    package static prefix func - (number: Self) -> Self {
        Self(coefficient: -number.coefficient, scale: number.scale)
    }

    package static func * (left: Self, right: Self) -> Self {
        Self(
            coefficient: left.coefficient * right.coefficient,
            scale: left.scale + right.scale)
    }

    package static func += (left: inout Self, right: Self) { left = left + right }

    /// How many decimal places it takes to write the number.
    package var decimalPlaces: Int { scale }

    /// How many packages of `size` it takes to hold the number: the quotient rounded up.
    ///
    /// - Precondition: the number is not negative and `size` is above zero.
    package func startedPackages(ofSize size: Self) -> Self {
        precondition(self >= .zero && size > .zero)
        let scale = max(self.scale, size.scale)
        let (quotient, remainder) = coefficient(atScale: scale)
            .quotientAndRemainder(dividingBy: size.coefficient(atScale: scale))
        return Self(coefficient: remainder.isZero ? quotient : quotient + 1, scale: 0)
    }

    /// The number in units of `10^-exponent`, rounded half away from zero to a multiple of `step` units;
    /// `nil` if that passes `Int64`.
    func units(exponent: Int, step: Int64) -> Int64? {
        let shifted = scale <= exponent ? coefficient(atScale: exponent) : coefficient
        let divisor = BigInt(10).power(max(0, scale - exponent)) * BigInt(step)
        let (quotient, remainder) = shifted.magnitude.quotientAndRemainder(
            dividingBy: divisor.magnitude)
        let rounded = remainder * 2 >= divisor.magnitude ? quotient + 1 : quotient
        return Int64(exactly: BigInt(sign: coefficient.sign, magnitude: rounded) * BigInt(step))
    }

    private func coefficient(atScale scale: Int) -> BigInt {
        scale == self.scale ? coefficient : coefficient * BigInt(10).power(scale - self.scale)
    }
}

extension ExactDecimal: Comparable {
    package static func < (left: Self, right: Self) -> Bool {
        let scale = max(left.scale, right.scale)
        return left.coefficient(atScale: scale) < right.coefficient(atScale: scale)
    }
}

extension ExactDecimal: CustomStringConvertible {
    /// A plain decimal, the shortest that reads back as the same number.
    package var description: String {
        let digits =
            Int64(exactly: coefficient).map { String($0.magnitude) }
            ?? String(coefficient.magnitude)
        let sign = coefficient.signum() < 0 ? "-" : ""
        guard scale > 0 else { return sign + digits }
        let padded = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
        return "\(sign)\(padded.dropLast(scale)).\(padded.suffix(scale))"
    }
}
