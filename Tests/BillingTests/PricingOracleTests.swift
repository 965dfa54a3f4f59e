import Billing
import Exact
import Foundation
import Ledger
import Testing
import Usage

/// Random invoices, priced here and by `pricing_oracle.py`, which shares no line of code.
struct PricingOracleTests {
    /// What both sides say of one invoice.
    private struct Priced: Equatable, Decodable {
        struct Line: Equatable, Decodable {
            let charge: String
            let minor: Int64
        }

        let lines: [Line]
        let total: Int64
        let hold: String?
        /// Of each charge, the parts: end of the tier, quantity, unit amount, flat amount.
        let shares: [[[String?]]]
    }

    private struct Case {
        let input: String
        let priced: Priced
    }

    @Test func `thousands of random invoices agree with the oracle to the unit`() throws {
        var generator = SplitMix64(seed: 2026)
        var cases: [Case] = []
        for currency in Currency.all { try cases += Self.cases(currency, using: &generator) }
        let answers = try python("pricing_oracle.py", input: cases.map(\.input))
        try #require(answers.count == cases.count)

        var seen = (halves: 0, tooLarge: 0, overflows: 0, multiTier: 0, minimums: 0, empty: 0)
        for (item, answer) in zip(cases, answers) {
            let expected = try JSONDecoder().decode(Priced.self, from: Data(answer.utf8))
            #expect(item.priced == expected, "\(item.input)")
            seen.halves += try JSONDecoder().decode(Halves.self, from: Data(answer.utf8)).halves
            seen.tooLarge += expected.hold == "amount_too_large" ? 1 : 0
            seen.overflows += expected.hold == "amount_overflow" ? 1 : 0
            seen.multiTier += expected.shares.contains { $0.count > 1 } ? 1 : 0
            seen.minimums += expected.lines.contains { $0.charge == "minimum" } ? 1 : 0
            seen.empty += expected.lines.isEmpty && expected.hold == nil ? 1 : 0
        }
        // That the cases were worth it.
        #expect(cases.count >= 5_000)
        #expect(seen.halves > 500)
        #expect(seen.tooLarge > 100)
        #expect(seen.overflows > 100)
        #expect(seen.multiTier > 1_000)
        #expect(seen.minimums > 100)
        #expect(seen.empty > 10)
    }

    private struct Halves: Decodable {
        let halves: Int
    }

    /// A catalog of a currency, read from YAML, and what it makes of random usage.
    private static func cases(
        _ currency: Currency, using generator: inout SplitMix64
    ) throws -> [Case] {
        var plans: [RandomPlan] = []
        for _ in 0..<6 { plans.append(RandomPlan(currency, using: &generator)) }
        let calculation = try InvoiceCalculation(yaml: yaml(plans))
        let period = try BillingPeriod(month: calculation.slot, zone: "UTC", nextZone: "UTC")
        var cases: [Case] = []
        for (index, plan) in plans.enumerated() {
            let customer = customer {
                $0.plan = "p\(index)"
                $0.currency = currency
            }
            for _ in 0..<6 {
                let quantities = plan.quantities(using: &generator)
                let usage = quantities.map {
                    MetricUsage(events: 1, quantity: decimal($0), unparsable: 0)
                }
                let invoice = calculation.invoice(
                    for: customer, period: period, usage: usage, cutoffBatch: 7)
                let charges = try #require(calculation.catalog.plan(customer.plan)).charges
                cases.append(
                    Case(
                        input: plan.json(quantities: quantities),
                        priced: priced(invoice, charges: charges, usage: usage)))
            }
        }
        return cases
    }

    private static func yaml(_ plans: [RandomPlan]) -> String {
        let metrics = (0..<RandomPlan.metricCount).map {
            "  - {code: m\($0), event_type: e, aggregation: sum, property: p\($0), unit: u}"
        }
        let head = ["version: \"1\"", "effective_from: 2026-01-01", "metrics:"]
        let items = plans.enumerated().map { $1.yaml(code: "p\($0)") }
        return (head + metrics + ["plans:"] + items).joined(separator: "\n")
    }

    private static func priced(
        _ invoice: ComputedInvoice, charges: [Charge], usage: [MetricUsage]
    ) -> Priced {
        let baseFee = InvoiceID.line(invoiceID: invoice.invoiceID, charge: "base_fee")
        return Priced(
            lines: invoice.lines.map {
                .init(
                    charge: $0.metric ?? ($0.lineID == baseFee ? "base_fee" : "minimum"),
                    minor: $0.amountMinor)
            },
            total: invoice.totalMinor, hold: invoice.holdReason,
            shares: zip(charges, usage).map { charge, used in
                charge.model.price(used.quantity).shares.map { share in
                    [
                        share.upTo.map { "\($0)" }, "\(share.quantity)", "\(share.unitAmount)",
                        "\(share.flatAmount)",
                    ]
                }
            })
    }
}
