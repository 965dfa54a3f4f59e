import Exact
import Testing

struct ExactDecimalTests {
    // MARK: Reading

    @Test(arguments: [
        ("0", "0"), ("7", "7"), ("-7", "-7"), ("0.5", "0.5"), ("-0.5", "-0.5"), ("12.340", "12.34"),
        ("100", "100"), ("100.00", "100"), ("0.0100", "0.01"), ("007", "7"), ("00.50", "0.5"),
        ("-000", "0"), ("-0", "0"), ("0.000", "0"), ("-0.00", "0"),
        ("0.000000000000000000000000000001", "0.000000000000000000000000000001"),
        ("12345678901234567.123456789", "12345678901234567.123456789"),
    ])
    func `a plain decimal is read and written in its shortest form`(
        text: String, written: String
    ) throws {
        #expect(try #require(ExactDecimal(text)).description == written)
    }

    @Test(arguments: [
        "", " ", "-", ".", "-.", "+1", "--1", "1-", "1.", ".5", "-.5", "1.2.3", "1..2", "1e3",
        "1E3",
        "1e-3", "0x10", "1,5", "1,000", "1_000", "1 000", " 1", "1 ", "1\n", "\t1", "-+1", "- 1",
        "1.-5", "1.5-", "inf", "-inf", ".inf", "nan", "NaN", "one", "½", "٣", "１", "1\u{301}",
        "1\u{0}", "−1", "$1", "1%",
    ])
    func `what is no plain decimal is not read`(text: String) {
        #expect(ExactDecimal(text) == nil)
    }

    @Test func `a substring is read like a string`() {
        #expect(ExactDecimal("price 1.50 usd".dropFirst(6).prefix(4)) == ExactDecimal("1.5"))
    }

    // MARK: Being equal

    @Test(arguments: [
        ("1.50", "1.5"), ("1.0", "1"), ("-0", "0"), ("-0.0", "0"), ("0010", "10"),
        ("-1.500", "-1.5"), ("1000000000000000000000.0", "1000000000000000000000"),
    ])
    func `numbers of one value are equal and hash alike`(left: String, right: String) throws {
        let (left, right) = try (
            #require(ExactDecimal(left)), #require(ExactDecimal(right))
        )
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(Set([left, right]).count == 1)
        #expect(!(left < right) && !(right < left))
    }

    @Test(arguments: [
        ("1", "10"), ("0.1", "0.01"), ("1", "-1"), ("10", "1.0"), ("0", "0.000000001"),
        (
            "12345678901234567890123456789012345678.1",
            "12345678901234567890123456789012345678.2"
        ),
    ])
    func `numbers of different values are not equal`(left: String, right: String) throws {
        #expect(try #require(ExactDecimal(left)) != #require(ExactDecimal(right)))
    }

    @Test func `a sum that loses its places is equal to the whole number`() throws {
        let half = try #require(ExactDecimal("0.5"))
        #expect(half + half == ExactDecimal(1))
        #expect((half + half).decimalPlaces == 0)
        #expect(half * ExactDecimal(10) == ExactDecimal(5))
        #expect(half - half == .zero)
    }

    @Test(arguments: [("1.50", 1), ("100", 0), ("-0.001", 3), ("0.000", 0), ("12.3400", 2)])
    func `decimal places are those that it takes`(text: String, places: Int) throws {
        #expect(try #require(ExactDecimal(text)).decimalPlaces == places)
    }

    // MARK: Order

    @Test func `numbers are in the order of their values`() throws {
        let texts = [
            "-100000000000000000000000000000000000000", "-10", "-9.99", "-1", "-0.1", "-0.09",
            "-0.000000000000000000001", "0", "0.000000000000000000001", "0.09", "0.1", "0.999", "1",
            "1.000000000000000000001", "9.99", "10", "9223372036854775807", "9223372036854775808",
            "100000000000000000000000000000000000000",
        ]
        let numbers = try texts.map { try #require(ExactDecimal($0)) }
        var generator = SplitMix64(seed: 1)
        #expect(numbers.shuffled(using: &generator).sorted().map(\.description) == texts)
        for (lower, higher) in zip(numbers, numbers.dropFirst()) {
            #expect(lower < higher)
            #expect(!(higher < lower))
        }
    }

    // MARK: Packages

    @Test(arguments: [
        ("0", "10", "0"), ("0.000000001", "10", "1"), ("9.999", "10", "1"), ("10", "10", "1"),
        ("10.000000001", "10", "2"), ("20", "10", "2"), ("1", "0.3", "4"), ("0.9", "0.3", "3"),
        ("1", "0.001", "1000"), ("7", "1000000", "1"), ("1000000.5", "1", "1000001"),
        ("2.5", "2.50", "1"),
        (
            "100000000000000000000000000000000000001", "10",
            "10000000000000000000000000000000000001"
        ),
    ])
    func `a started package is a whole one`(
        quantity: String, size: String, packages: String
    ) throws {
        let quantity = try #require(ExactDecimal(quantity))
        let size = try #require(ExactDecimal(size))
        #expect(quantity.startedPackages(ofSize: size).description == packages)
    }

    @Test func `so many packages hold the quantity, and one less does not`() throws {
        var generator = SplitMix64(seed: 2)
        for _ in 0..<2_000 {
            let quantity =
                ExactDecimal(Int64.random(in: 1...1_000_000, using: &generator)) * thousandth
            let size = ExactDecimal(Int64.random(in: 1...5_000, using: &generator)) * thousandth
            let packages = quantity.startedPackages(ofSize: size)
            #expect(packages.decimalPlaces == 0)
            #expect(packages * size >= quantity)
            #expect((packages - ExactDecimal(1)) * size < quantity)
        }
    }

    private let thousandth = ExactDecimal("0.001")!
}
