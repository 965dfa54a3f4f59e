import Exact
import Testing

/// The exponents come from the lists of docs.stripe.com/currencies, written down a second time here.
struct CurrencyTests {
    private static let zeroDecimal: Set = [
        "bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf",
        "xof", "xpf",
    ]
    private static let threeDecimal: Set = ["bhd", "jod", "kwd", "omr", "tnd"]
    /// Whole units only, but written with two decimals.
    private static let special: Set = ["isk", "ugx"]

    /// Decimal places, and the multiple of minor units that amounts are.
    private static func documented(_ code: String) -> (places: Int, step: Int64) {
        if zeroDecimal.contains(code) { return (0, 1) }
        if threeDecimal.contains(code) { return (3, 10) }
        return (2, special.contains(code) ? 100 : 1)
    }

    @Test func `every currency of the documented lists is known`() {
        let documented = Self.zeroDecimal.union(Self.threeDecimal).union(Self.special)
        #expect(documented.isSubset(of: Currency.all.map(\.code)))
        #expect(
            Set(["usd", "eur", "gbp", "inr", "cny", "chf"]).isSubset(of: Currency.all.map(\.code)))
    }

    @Test func `currencies are listed once each, in order`() {
        let codes = Currency.all.map(\.code)
        #expect(codes == Set(codes).sorted())
        #expect(codes.count > 130)
    }

    @Test(arguments: ["", "USD", "Usd", " usd", "usd ", "us", "usdd", "xyz", "btc", "€"])
    func `what is no code of a currency is none`(code: String) {
        #expect(Currency(code) == nil)
    }

    @Test(arguments: Currency.all)
    func `places and step are as documented`(currency: Currency) {
        let (places, step) = Self.documented(currency.code)
        #expect(currency.exponent == places)
        #expect(currency.step == step)
        #expect(Currency(currency.code) == currency)
    }

    @Test(arguments: Currency.all)
    func `smallest charges are amounts that can be charged`(currency: Currency) {
        #expect(currency.minimumMinor >= 0)
        #expect(currency.minimumMinor % currency.step == 0)
        #expect(currency.minimumMinor < Currency.maximumMinor)
    }

    @Test(arguments: [
        ("usd", 50), ("eur", 50), ("gbp", 30), ("jpy", 50), ("huf", 17500), ("czk", 1500),
        ("sek", 300), ("mxn", 1000), ("kwd", 0), ("isk", 0),
    ])
    func `the smallest charge is the documented one`(code: String, minor: Int64) throws {
        #expect(try #require(Currency(code)).minimumMinor == minor)
    }

    // MARK: The one rounding

    /// Around multiples of the step: just under, at and just over each half, on both sides of zero.
    @Test(arguments: Currency.all)
    func `amounts are rounded half away from zero`(currency: Currency) throws {
        let (places, step) = Self.documented(currency.code)
        // Amounts in thousandths of a minor unit, so that the half of every step is a whole number.
        for multiple in [0, 1, 2, 7, 99, 12_345, 1_000_000] as [Int64] {
            let exact = multiple * step * 1000
            let half = step * 500
            let cases = [
                (exact, multiple), (exact + 1, multiple), (exact + half - 1, multiple),
                (exact + half, multiple + 1), (exact + half + 1, multiple + 1),
                (exact + 2 * half - 1, multiple + 1),
            ]
            for (thousandths, expected) in cases {
                let amount = decimal(thousandths, places: places + 3)
                #expect(try currency.minorUnits(of: amount) == expected * step)
                #expect(try currency.minorUnits(of: -amount) == -expected * step)
            }
        }
    }

    /// `thousandths * 10^-places`.
    private func decimal(_ units: Int64, places: Int) -> ExactDecimal {
        let last = ExactDecimal("0.\(String(repeating: "0", count: places - 1))1")!
        return ExactDecimal(units) * last
    }

    @Test(arguments: [
        ("usd", "21016.50", 2_101_650), ("usd", "0.005", 1), ("usd", "-0.005", -1),
        ("usd", "0.004999999999999999999999999999", 0), ("usd", "0.015", 2), ("usd", "0.025", 3),
        ("usd", "1.005", 101), ("usd", "2.675", 268), ("usd", "-2.675", -268), ("jpy", "0.5", 1),
        ("jpy", "1.4999999999", 1), ("jpy", "-1.5", -2), ("jpy", "1000", 1000),
        ("kwd", "1.234", 1230), ("kwd", "1.235", 1240), ("kwd", "1.2349999", 1230),
        ("kwd", "-1.235", -1240), ("kwd", "0.004", 0), ("kwd", "0.005", 10), ("isk", "1", 100),
        ("isk", "1.49", 100), ("isk", "1.5", 200), ("isk", "0.49999", 0), ("isk", "-0.5", -100),
        ("ugx", "2500.5", 250_100), ("ugx", "2500.25", 250_000),
    ])
    func `an amount is so many minor units`(code: String, amount: String, minor: Int64) throws {
        let currency = try #require(Currency(code))
        #expect(try currency.minorUnits(of: try #require(ExactDecimal(amount))) == minor)
    }

    // MARK: Limits

    @Test(arguments: [
        ("usd", "92233720368547758.07", Int64.max), ("usd", "92233720368547758.0749", Int64.max),
        ("usd", "-92233720368547758.08", Int64.min), ("usd", "-92233720368547758.0849", Int64.min),
        ("jpy", "9223372036854775807.4", Int64.max), ("jpy", "-9223372036854775808", Int64.min),
        ("kwd", "9223372036854775.8049", 9_223_372_036_854_775_800),
        ("isk", "92233720368547758.49", 9_223_372_036_854_775_800),
    ])
    func `the largest amounts are exact`(code: String, amount: String, minor: Int64) throws {
        let currency = try #require(Currency(code))
        #expect(try currency.minorUnits(of: try #require(ExactDecimal(amount))) == minor)
    }

    @Test(arguments: [
        ("usd", "92233720368547758.075"), ("usd", "92233720368547758.08"),
        ("usd", "-92233720368547758.085"), ("usd", "-92233720368547758.09"),
        ("jpy", "9223372036854775807.5"), ("jpy", "9223372036854775808"),
        ("kwd", "9223372036854775.805"), ("kwd", "9223372036854775.807"),
        ("isk", "92233720368547758.5"), ("usd", "1000000000000000000000000000000000000000000"),
        ("usd", "184467440737095516.16"), ("jpy", "18446744073709551616"),
    ])
    func `an amount beyond 64 bits throws and says which`(code: String, amount: String) throws {
        let currency = try #require(Currency(code))
        let number = try #require(ExactDecimal(amount))
        let error = #expect(throws: AmountOverflow.self) { try currency.minorUnits(of: number) }
        #expect(error?.description.contains("\(amount) \(code)") == true)
    }

    // MARK: Writing

    @Test(arguments: [
        ("usd", 2_101_650, "21016.50"), ("usd", 0, "0.00"), ("usd", 5, "0.05"), ("usd", 50, "0.50"),
        ("usd", -5, "-0.05"), ("usd", -12345, "-123.45"), ("jpy", 0, "0"), ("jpy", 1234, "1234"),
        ("jpy", -1234, "-1234"), ("kwd", 10, "0.010"), ("kwd", 1230, "1.230"),
        ("kwd", -1230, "-1.230"), ("isk", 250_000, "2500.00"),
        ("usd", Int64.max, "92233720368547758.07"), ("usd", Int64.min, "-92233720368547758.08"),
        ("jpy", Int64.min, "-9223372036854775808"),
    ])
    func `minor units are written as people read them`(
        code: String, minor: Int64, text: String
    ) throws {
        #expect(try #require(Currency(code)).format(minor) == text)
    }

    @Test(arguments: Currency.all)
    func `what is written is the amount again`(currency: Currency) throws {
        for multiple in [0, 1, 9, 10, 99, 100, 101, 123_456_789] as [Int64] {
            for minor in [multiple * currency.step, -multiple * currency.step] {
                let amount = try #require(ExactDecimal(currency.format(minor)))
                #expect(try currency.minorUnits(of: amount) == minor)
            }
        }
    }
}
