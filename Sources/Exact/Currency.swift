/// A currency as Stripe takes it: how many minor units a major one has, and which amounts are accepted.
///
/// Source: docs.stripe.com/currencies (presentment currencies, zero-decimal, three-decimal and special
/// cases, minimum charge amounts).
package struct Currency: Sendable, Hashable, CustomStringConvertible {
    /// Lower case, as Stripe writes it.
    package let code: String
    /// Decimal places of the amounts that Stripe takes: 0, 2 or 3.
    package let exponent: Int
    /// Amounts are multiples of so many minor units: 10 for three-decimal currencies (the last digit
    /// must be 0), 100 for ISK and UGX (zero-decimal, but written with two), else 1.
    package let step: Int64
    /// The smallest amount that can be charged, in minor units; 0 where Stripe states none.
    package let minimumMinor: Int64

    /// The largest amount of one charge (eight digits), in minor units.
    package static let maximumMinor: Int64 = 99_999_999

    package var description: String { code }

    /// `nil` if Stripe cannot charge in that currency. Codes are lower case.
    package init?(_ code: String) {
        guard let currency = Self.byCode[code] else { return nil }
        self = currency
    }

    /// The amount in minor units, rounded half away from zero to the nearest that Stripe accepts. The
    /// only place where an amount of money is rounded.
    ///
    /// - Parameter amount: in major units.
    package func minorUnits(of amount: ExactDecimal) throws(AmountOverflow) -> Int64 {
        guard let units = amount.units(exponent: exponent, step: step) else {
            throw AmountOverflow(amount: "\(amount) \(code)")
        }
        return units
    }

    /// Minor units as people read them: `21016.50`.
    package func format(_ minorUnits: Int64) -> String {
        guard exponent > 0 else { return String(minorUnits) }
        let digits = String(minorUnits.magnitude)
        let padded = String(repeating: "0", count: max(0, exponent + 1 - digits.count)) + digits
        let sign = minorUnits < 0 ? "-" : ""
        return "\(sign)\(padded.dropLast(exponent)).\(padded.suffix(exponent))"
    }

    /// Every currency, by code.
    package static let all: [Currency] = byCode.values.sorted { $0.code < $1.code }

    private init(code: String, exponent: Int, step: Int64 = 1) {
        self.code = code
        self.exponent = exponent
        self.step = step
        minimumMinor = Self.minimums[code] ?? 0
    }

    private static let byCode: [String: Currency] = {
        let groups =
            words(twoDecimal).map { Currency(code: $0, exponent: 2) }
            + words(zeroDecimal).map { Currency(code: $0, exponent: 0) }
            + words(threeDecimal).map { Currency(code: $0, exponent: 3, step: 10) }
            + words(wholeWithTwoDecimals).map { Currency(code: $0, exponent: 2, step: 100) }
        return Dictionary(uniqueKeysWithValues: groups.map { ($0.code, $0) })
    }()

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: \.isWhitespace).map(String.init)
    }

    private static let twoDecimal = """
        aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf
        chf cny cop crc cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf
        idr ils inr jmd kes kgs khr kyd kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn
        myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr pln qar ron rsd rub sar sbd scr sek sgd shp
        sle sos srd std szl thb tjs top try ttd twd tzs uah usd uyu uzs wst xcd xcg yer zar zmw
        """
    private static let zeroDecimal = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"
    private static let threeDecimal = "bhd jod kwd omr tnd"
    private static let wholeWithTwoDecimals = "isk ugx"

    private static let minimums: [String: Int64] = [
        "usd": 50, "eur": 50, "gbp": 30, "aud": 50, "cad": 50, "nzd": 50, "sgd": 50, "chf": 50,
        "brl": 50, "inr": 50, "aed": 200, "bgn": 100, "czk": 1500, "dkk": 250, "hkd": 400,
        "huf": 17500, "jpy": 50, "mxn": 1000, "myr": 200, "nok": 300, "pln": 200, "ron": 200,
        "sek": 300, "thb": 1000,
    ]
}

/// An amount beyond what 64 bits of minor units hold. It is never cut off or wrapped.
package struct AmountOverflow: Error, Sendable, CustomStringConvertible {
    package let amount: String

    package init(amount: String) {
        self.amount = amount
    }

    package var description: String { "the amount \(amount) is too large to be charged" }
}
