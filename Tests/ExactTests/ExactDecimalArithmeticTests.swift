import Exact
import Testing

/// Arithmetic against an oracle: the same numbers as 128-bit integers of `10^-18`.
struct ExactDecimalArithmeticTests {
    /// A number that both sides know: `units * 10^-places`.
    private struct Sample {
        let units: Int128
        let places: Int

        init(using generator: inout SplitMix64) {
            places = Int.random(in: 0...9, using: &generator)
            // Numbers of every length, with small ones and trailing zeros among them.
            let bound = Int64(power10(Int.random(in: 1...16, using: &generator)))
            let units = Int64.random(in: -bound...bound, using: &generator)
            self.units = Int128(Bool.random(using: &generator) ? units : units / 1000 * 1000)
        }

        var decimal: ExactDecimal { ExactDecimal(plain(units, places: places))! }

        func units(places: Int) -> Int128 { units * power10(places - self.places) }
    }

    private func pairs(seed: UInt64, _ body: (Sample, Sample) -> Void) {
        var generator = SplitMix64(seed: seed)
        for _ in 0..<3_000 { body(Sample(using: &generator), Sample(using: &generator)) }
    }

    @Test func `sums are exact`() {
        pairs(seed: 10) { left, right in
            let units = left.units(places: 9) + right.units(places: 9)
            #expect((left.decimal + right.decimal).description == plain(units, places: 9))
            var sum = left.decimal
            sum += right.decimal
            #expect(sum == left.decimal + right.decimal)
        }
    }

    @Test func `differences are exact`() {
        pairs(seed: 11) { left, right in
            let units = left.units(places: 9) - right.units(places: 9)
            #expect((left.decimal - right.decimal).description == plain(units, places: 9))
            #expect((-left.decimal).description == plain(-left.units, places: left.places))
        }
    }

    @Test func `products are exact`() {
        pairs(seed: 12) { left, right in
            let text = plain(left.units * right.units, places: left.places + right.places)
            #expect((left.decimal * right.decimal).description == text)
        }
    }

    @Test func `order and equality are those of the values`() {
        pairs(seed: 13) { left, right in
            let (leftUnits, rightUnits) = (left.units(places: 9), right.units(places: 9))
            #expect((left.decimal < right.decimal) == (leftUnits < rightUnits))
            #expect((left.decimal == right.decimal) == (leftUnits == rightUnits))
        }
    }

    @Test func `what is written reads back as the same number`() {
        pairs(seed: 14) { left, right in
            for number in [left.decimal, right.decimal, left.decimal * right.decimal] {
                #expect(ExactDecimal(number.description) == number)
            }
        }
    }

    @Test(arguments: [Int64.min, -1, 0, 1, 1_000_000, Int64.max])
    func `an integer is the number that it writes`(integer: Int64) {
        #expect(ExactDecimal(integer).description == String(integer))
        #expect(ExactDecimal(integer) == ExactDecimal(String(integer)))
    }

    // Expected: Python's decimal module, with 400 digits.
    @Test func `numbers of more than 38 digits lose none`() throws {
        let left = try #require(ExactDecimal("123456789012345678901234567890123456789012"))
        let right = try #require(ExactDecimal("-98765432109876543210987654321098765432109"))
        #expect("\(left + right)" == "24691356902469135690246913569024691356903")
        #expect("\(left - right)" == "222222221122222222112222222211222222221121")
        #expect(
            "\(left * right)"
                == "-121932631137021795226185032733866788594510083828200525529608804267639"
                + "75559823186308")
        let tiny = try #require(
            ExactDecimal("-0.000000000000000000000000000000000000001234567890123"))
        let long = try #require(ExactDecimal("12345678901234567890123456789012345678.987654321"))
        #expect(
            "\(long * tiny)"
                == "-0.015241578753233197380023319738002331973906924249641834171483")
        #expect(
            "\(long + tiny)"
                == "12345678901234567890123456789012345678.9876543209999999999999999999999"
                + "99999998765432109877")
        #expect(
            "\(long - tiny)"
                == "12345678901234567890123456789012345678.9876543210000000000000000000000"
                + "00000001234567890123")
    }

    @Test func `the largest quantity squared is exact`() throws {
        let largest = try #require(ExactDecimal("99999999999999999999.999999999"))
        let last = try #require(ExactDecimal("0.000000001"))
        #expect("\(largest + last)" == "100000000000000000000")
        #expect(
            "\(largest * largest)"
                == "9999999999999999999999999999800000000000.000000000000000001")
    }

    @Test func `a hundred halvings are exact`() throws {
        let half = try #require(ExactDecimal("0.5"))
        let double = ExactDecimal(2)
        var (small, large) = (ExactDecimal(1), ExactDecimal(1))
        for _ in 0..<100 { (small, large) = (small * half, large * double) }
        #expect(small.decimalPlaces == 100)
        #expect("\(large)" == "1267650600228229401496703205376")
        #expect(small * large == ExactDecimal(1))
    }
}

private func power10(_ exponent: Int) -> Int128 {
    (0..<exponent).reduce(1) { power, _ in power * 10 }
}

/// `units * 10^-places` in its shortest form, by hand.
private func plain(_ units: Int128, places: Int) -> String {
    var digits = Array(String(units.magnitude))
    while digits.count <= places { digits.insert("0", at: 0) }
    let whole = String(digits.dropLast(places))
    var fraction = digits.suffix(places)
    while fraction.last == "0" { fraction.removeLast() }
    let sign = units < 0 ? "-" : ""
    return fraction.isEmpty ? sign + whole : "\(sign)\(whole).\(String(fraction))"
}
