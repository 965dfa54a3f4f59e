/// What the simulator knows of currencies. Source: docs.stripe.com/currencies.
enum Currencies {
    static let all = Set(codes.split { $0.isWhitespace }.map(String.init))

    /// The smallest amount that is charged, in minor units; less is moved to the customer's
    /// balance.
    static func minimum(_ code: String) -> Int { minimums[code] ?? 0 }

    /// The largest total of an invoice, in minor units.
    static let maximum = 99_999_999

    private static let minimums = [
        "usd": 50, "eur": 50, "gbp": 30, "aud": 50, "cad": 50, "nzd": 50, "sgd": 50, "chf": 50,
        "brl": 50, "inr": 50, "aed": 200, "bgn": 100, "czk": 1_500, "dkk": 250, "hkd": 400,
        "huf": 17_500, "jpy": 50, "mxn": 1_000, "myr": 200, "nok": 300, "pln": 200, "ron": 200,
        "sek": 300, "thb": 1_000,
    ]

    private static let codes = """
        aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn
        bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd
        gnf gtq gyd hkd hnl hrk htg huf idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt
        lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr
        nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos srd
        std szl thb tjs tnd top try ttd twd tzs uah ugx usd uyu uzs vnd vuv wst xaf xcd xof xpf yer
        zar zmw
        """
}
