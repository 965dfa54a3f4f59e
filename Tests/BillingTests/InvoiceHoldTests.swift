import Billing
import Exact
import Ledger
import Testing
import Usage

struct InvoiceHoldTests {
    private static let catalog = """
        version: v1
        effective_from: 2026-01-01
        metrics:
          - {code: calls, event_type: e, aggregation: sum, property: a, unit: call}
          - {code: other, event_type: e, aggregation: sum, property: b, unit: byte}
          - {code: uncharged, event_type: e, aggregation: count, unit: event}
        plans:
          - code: standard
            currency: usd
            charges:
              - {metric: calls, model: per_unit, unit_amount: 1}
              - {metric: other, model: per_unit, unit_amount: 1}
        """

    private static func invoice(
        _ usage: [MetricUsage], _ change: (inout Customer) -> Void = { _ in }
    ) throws -> ComputedInvoice {
        try InvoiceCalculation(yaml: catalog).invoice(for: customer(change), usage)
    }

    private static let unreadable = MetricUsage(events: 3, quantity: decimal("2"), unparsable: 1)

    /// What brings a hold about; a new one must be added here before this compiles.
    private static func held(_ hold: Hold) throws -> ComputedInvoice {
        switch hold {
        case .quarantinedUsage:
            try InvoiceCalculation(yaml: catalog).invoice(
                for: customer(), usage("1", "1", "0"), isQuarantined: true)
        case .unparsableUsage: try invoice([unreadable, .none, .none])
        case .negativeQuantity: try invoice(usage("-0.5", "7", "0"))
        case .amountTooLarge: try invoice(usage("999999.99", "0.01", "0"))
        case .amountOverflow: try invoice(usage("99999999999999999999.999999999", "1", "0"))
        case .currencyMismatch:
            try invoice(usage("1", "1", "0")) { $0.currency = Currency("eur") ?? $0.currency }
        case .unknownStripeCustomer:
            try InvoiceCalculation(yaml: catalog, policy: policy { $0.isLive = true }).invoice(
                for: customer { $0.stripeCustomerID = nil }, usage("1", "1", "0"))
        case .unknownPlan: try invoice(usage("1", "1", "0")) { $0.plan = "gold" }
        }
    }

    @Test(arguments: Hold.allCases)
    func `each reason holds the invoice, under its name`(hold: Hold) throws {
        let invoice = try Self.held(hold)
        #expect(invoice.holdReason == hold.rawValue)
        #expect(invoice.status == .computed)
        #expect(!hold.advice.isEmpty)
    }

    @Test(arguments: [Hold.amountOverflow, .unknownPlan])
    func `an invoice that cannot be priced has no lines`(hold: Hold) throws {
        let invoice = try Self.held(hold)
        #expect(invoice.lines.isEmpty)
        #expect(invoice.totalMinor == 0)
    }

    @Test func `a negative quantity makes no line, and the others are priced`() throws {
        let invoice = try Self.held(.negativeQuantity)
        #expect(invoice.lines.map(\.metric) == ["other"])
        #expect(invoice.lines.map(\.amountMinor) == [700])
    }

    @Test func `what can be read of unreadable usage is priced`() throws {
        #expect(try Self.held(.unparsableUsage).lines.map(\.amountMinor) == [200])
    }

    @Test func `usage that no charge prices holds nothing`() throws {
        let usage =
            usage("1", "0") + [MetricUsage(events: 2, quantity: decimal("-1"), unparsable: 1)]
        #expect(try Self.invoice(usage).holdReason == nil)
    }

    @Test(arguments: [
        ("999999.99", "0", false), ("999999.98", "0.01", false), ("1000000", "0", true),
    ])
    func `eight digits are charged, nine are held`(
        calls: String, other: String, isHeld: Bool
    ) throws {
        let invoice = try Self.invoice(usage(calls, other, "0"))
        #expect((invoice.holdReason == Hold.amountTooLarge.rawValue) == isHeld)
        #expect((invoice.totalMinor > 99_999_999) == isHeld)
    }

    @Test func `lines that fit 64 bits one by one, but not together, are held`() throws {
        let half = "50000000000000000"
        let invoice = try Self.invoice(usage(half, half, "0"))
        #expect(invoice.holdReason == Hold.amountOverflow.rawValue)
        #expect(invoice.lines.isEmpty)
        #expect(try Self.invoice(usage(half, "0", "0")).holdReason == Hold.amountTooLarge.rawValue)
    }

    @Test func `a held invoice is neither skipped nor carried`() throws {
        let unread = MetricUsage(events: 1, quantity: .zero, unparsable: 1)
        #expect(try Self.invoice([unread, .none, .none]).status == .computed)
        #expect(try Self.invoice([unread, usage("0.01")[0], .none]).status == .computed)
    }
}
