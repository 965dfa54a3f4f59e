import Billing
import Exact
import Ledger
import Testing
import Usage

struct InvoiceCalculationTests {
    // MARK: The worked example

    @Test func `15,000 calls, 2.1 GB and a peak of 50 GB cost 21,016.50 dollars`() throws {
        let calculation = try InvoiceCalculation(yaml: sampleCatalog)
        let invoice = try calculation.invoice(
            for: customer(), usage("15000", "2100000000", "50", "0"))
        #expect(invoice.lines.map(\.metric) == ["api_calls", "bandwidth", "storage_peak"])
        #expect(
            invoice.lines.map { invoice.currency.format($0.amountMinor) }
                == ["11.50", "21000.00", "5.00"])
        #expect(invoice.currency.format(invoice.totalMinor) == "21016.50")
        #expect(
            invoice.lines.map(\.description) == [
                "api_calls: 15000 call", "bandwidth: 2100000000 byte", "storage_peak: 50 GB",
            ])
        #expect(
            invoice.lines[0].tiers == """
                [{"up_to":"1000","quantity":"1000","unit_amount":"0","flat_amount":"0"},\
                {"up_to":"10000","quantity":"9000","unit_amount":"0.001","flat_amount":"0"},\
                {"up_to":null,"quantity":"5000","unit_amount":"0.0005","flat_amount":"0"}]
                """)
        #expect(
            invoice.lines[2].tiers
                == #"[{"up_to":null,"quantity":"50","unit_amount":"0.1","flat_amount":"0"}]"#)
        #expect(invoice.status == .computed)
        #expect(invoice.holdReason == nil)
    }

    @Test func `an invoice carries the terms and the period that it follows from`() throws {
        let calculation = try InvoiceCalculation(yaml: sampleCatalog)
        let terms = customer {
            $0.timezone = "Asia/Kolkata"
            $0.collectionMethod = .chargeAutomatically
            $0.daysUntilDue = nil
        }
        let invoice = try calculation.invoice(for: terms, usage("1", "1", "1", "1"))
        #expect(invoice.customerID == "acme")
        #expect(invoice.slot == month("2026-10"))
        #expect(invoice.timezone == "Asia/Kolkata")
        #expect(invoice.start == Instant("2026-09-30T18:30:00Z"))
        #expect(invoice.end == Instant("2026-10-31T18:30:00Z"))
        #expect(invoice.plan == "standard")
        #expect(invoice.stripeCustomerID == "cus_1")
        #expect(invoice.collectionMethod == .chargeAutomatically)
        #expect(invoice.daysUntilDue == nil)
        #expect(invoice.catalogVersion == "2015-01")
        #expect(invoice.tzdataVersion == BillingPeriod.timeZoneDataVersion)
    }

    // MARK: Lines

    /// Two metrics, `a` and `b`; amounts of a plan's charges are given.
    private static func catalog(currency: String = "usd", _ plan: String) -> String {
        """
        version: v1
        effective_from: 2026-01-01
        metrics:
          - {code: a, event_type: e, aggregation: sum, property: a, unit: call}
          - {code: b, event_type: e, aggregation: sum, property: b, unit: byte}
          - {code: free, event_type: e, aggregation: count, unit: event}
        plans:
          - {code: standard, currency: \(currency), \(plan)}
        """
    }

    private static let charges =
        "charges: [{metric: a, model: per_unit, unit_amount: 0.01}, "
        + "{metric: b, model: per_unit, unit_amount: 0.005}]"

    private static func invoice(
        _ usage: [MetricUsage], plan: String = charges, currency: String = "usd",
        policy: InvoiceCalculation.Policy = .init()
    ) throws -> ComputedInvoice {
        let calculation = try InvoiceCalculation(
            yaml: catalog(currency: currency, plan), policy: policy)
        let code = try #require(Currency(currency))
        return try calculation.invoice(for: customer { $0.currency = code }, usage)
    }

    @Test func `each line is rounded by itself, and the total is their sum`() throws {
        let plan =
            "charges: [{metric: a, model: per_unit, unit_amount: 0.005}, "
            + "{metric: b, model: per_unit, unit_amount: 0.004}]"
        let invoice = try Self.invoice(usage("1", "1", "0"), plan: plan)
        #expect(invoice.lines.map(\.amountMinor) == [1, 0])
        #expect(invoice.totalMinor == 1)
    }

    @Test func `a metric without a charge, and a quantity of zero, make no line`() throws {
        let invoice = try Self.invoice(usage("0", "100", "5"))
        #expect(invoice.lines.map(\.metric) == ["b"])
    }

    @Test func `a quantity of zero costs no flat amount`() throws {
        let plan =
            "charges: [{metric: a, model: graduated, "
            + "tiers: [{up_to: inf, unit_amount: 1, flat_amount: 100}]}]"
        #expect(try Self.invoice(usage("0", "0", "0"), plan: plan).lines.isEmpty)
        #expect(try Self.invoice(usage("0.001", "0", "0"), plan: plan).totalMinor == 10_000)
    }

    @Test func `a base fee is the first line, with or without usage`() throws {
        let plan = "base_fee: 9.995, \(Self.charges)"
        let unused = try Self.invoice(usage("0", "0", "0"), plan: plan)
        #expect(unused.lines.map(\.amountMinor) == [1000])
        #expect(unused.lines.map(\.metric) == [nil])
        #expect(unused.lines.map(\.quantity) == [nil])
        #expect(unused.lines.map(\.description) == ["Base fee (standard)"])
        #expect(unused.lines.map(\.tiers) == ["[]"])
        #expect(unused.status == .computed)
        let used = try Self.invoice(usage("100", "0", "0"), plan: plan)
        #expect(used.lines.map(\.amountMinor) == [1000, 100])
    }

    @Test(arguments: [
        ("0", [300, 700]), ("1", [300, 1, 699]), ("699", [300, 699, 1]), ("700", [300, 700]),
        ("701", [300, 701]),
    ])
    func `a minimum fills up what base fee and usage leave open`(
        quantity: String, amounts: [Int64]
    ) throws {
        let plan = "base_fee: 3, minimum: 10, \(Self.charges)"
        let invoice = try Self.invoice(usage(quantity, "0", "0"), plan: plan)
        #expect(invoice.lines.map(\.amountMinor) == amounts)
        let isFilled = invoice.totalMinor == 1000 && quantity != "700"
        #expect((invoice.lines.last?.description == "Minimum of 10 USD (standard)") == isFilled)
    }

    @Test func `lines are in the order of the plan's charges`() throws {
        let plan =
            "charges: [{metric: b, model: per_unit, unit_amount: 1}, "
            + "{metric: a, model: per_unit, unit_amount: 1}]"
        let invoice = try Self.invoice(usage("1", "2", "0"), plan: plan)
        #expect(invoice.lines.map(\.metric) == ["b", "a"])
        #expect(invoice.lines.map(\.amountMinor) == [200, 100])
    }

    // MARK: Status

    @Test(arguments: [
        ("usd", "0", ComputedInvoice.Status.skippedZero), ("usd", "0.4", .skippedZero),
        ("usd", "1", .carried), ("usd", "49", .carried), ("usd", "49.5", .computed),
        ("usd", "50", .computed), ("usd", "51", .computed), ("jpy", "4900", .carried),
        ("jpy", "5000", .computed), ("gbp", "29", .carried), ("gbp", "30", .computed),
        // Stripe states no smallest charge.
        ("kwd", "1", .computed), ("isk", "100", .computed), ("kwd", "0", .skippedZero),
    ])
    func `nothing is skipped, too little is carried, the smallest charge is due`(
        currency: String, quantity: String, status: ComputedInvoice.Status
    ) throws {
        let invoice = try Self.invoice(usage(quantity, "0", "0"), currency: currency)
        #expect(invoice.status == status)
        #expect(invoice.holdReason == nil)
    }

    @Test func `zero totals are invoiced if the policy says so`() throws {
        let policy = policy { $0.skipsZeroTotals = false }
        #expect(try Self.invoice(usage("0", "0", "0"), policy: policy).status == .computed)
        #expect(try Self.invoice(usage("1", "0", "0"), policy: policy).status == .carried)
    }

    @Test func `small totals are invoiced if the policy says so`() throws {
        let policy = policy { $0.carriesSmallTotals = false }
        #expect(try Self.invoice(usage("49", "0", "0"), policy: policy).status == .computed)
        #expect(try Self.invoice(usage("0", "0", "0"), policy: policy).status == .skippedZero)
    }

    @Test func `a total that a free tier leaves at zero is skipped, and keeps its line`() throws {
        let calculation = try InvoiceCalculation(yaml: sampleCatalog)
        let invoice = try calculation.invoice(for: customer(), usage("1000", "0", "0", "0"))
        #expect(invoice.lines.map(\.amountMinor) == [0])
        #expect(invoice.status == .skippedZero)
    }
}
