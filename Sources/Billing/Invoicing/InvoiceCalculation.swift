internal import Digest
package import Exact
package import Ledger
package import Usage

/// Turns a customer's terms and usage into an invoice. Values in, a value out.
package struct InvoiceCalculation: Sendable {
    /// What becomes of totals that cannot or need not be charged.
    package struct Policy: Sendable, Equatable {
        package var skipsZeroTotals = true
        package var carriesSmallTotals = true
        /// Whether invoices are really sent, for which Stripe must know the customer.
        package var isLive = false

        package init() {}
    }

    package let catalog: Catalog
    /// SHA-256 of the catalog's source.
    package let catalogHash: String
    package let ledgerID: String
    package let slot: CivilMonth
    package let policy: Policy

    package init(
        catalog: Catalog, catalogHash: String, ledgerID: String, slot: CivilMonth, policy: Policy
    ) {
        self.catalog = catalog
        self.catalogHash = catalogHash
        self.ledgerID = ledgerID
        self.slot = slot
        self.policy = policy
    }

    /// - Parameters:
    ///   - usage: in the order of the catalog's metrics.
    ///   - isQuarantined: whether rows of the customer and period wait in quarantine.
    ///   - carriedMinor: what earlier periods left over.
    ///   - cutoffBatch: the last batch of usage that was counted.
    package func invoice(
        for customer: Customer, period: BillingPeriod, usage: [MetricUsage],
        isQuarantined: Bool = false, carriedMinor: Int64 = 0, cutoffBatch: Int64
    ) -> ComputedInvoice {
        precondition(usage.count == catalog.metrics.count)
        let invoiceID = InvoiceID.invoice(
            ledgerID: ledgerID, customerID: customer.customerID, start: period.start,
            end: period.end, kind: "regular", revision: 0)
        let quantities = Dictionary(uniqueKeysWithValues: zip(catalog.metrics.map(\.code), usage))
        var lines: [ComputedInvoice.Line] = []
        var hold: Hold?
        if let plan = catalog.plan(customer.plan) {
            hold = reasonToHold(plan, customer, quantities, isQuarantined: isQuarantined)
            // In another currency than the invoice's, amounts would mean nothing.
            if hold != .currencyMismatch {
                do {
                    lines = try self.lines(of: plan, quantities, invoiceID)
                    if carriedMinor > 0 {
                        lines.append(
                            fixedLine(
                                invoiceID, "carried", carriedMinor, "Carried from earlier periods"))
                    }
                    if try total(of: lines) > Currency.maximumMinor {
                        hold = hold ?? .amountTooLarge
                    }
                } catch {
                    (lines, hold) = ([], hold ?? .amountOverflow)
                }
            }
        } else {
            hold = .unknownPlan
        }
        let carriedMinor = lines.isEmpty ? 0 : carriedMinor
        let status = status(of: lines, customer.currency, isHeld: hold != nil)
        if policy.isLive, status == .computed, customer.stripeCustomerID == nil {
            hold = hold ?? .unknownStripeCustomer
        }
        return ComputedInvoice(
            invoiceID: invoiceID, customerID: customer.customerID, slot: slot,
            timezone: period.zone, start: period.start, end: period.end,
            status: status, holdReason: hold?.rawValue, currency: customer.currency,
            plan: customer.plan,
            stripeCustomerID: customer.stripeCustomerID,
            collectionMethod: customer.collectionMethod, daysUntilDue: customer.daysUntilDue,
            catalogVersion: catalog.version, cutoffBatch: cutoffBatch,
            inputHash: inputHash(customer, period, usage, carriedMinor),
            tzdataVersion: BillingPeriod.timeZoneDataVersion,
            carriedMinor: carriedMinor, lines: lines)
    }

    // MARK: Lines

    private func lines(
        of plan: Plan, _ quantities: [String: MetricUsage], _ invoiceID: String
    ) throws(AmountOverflow) -> [ComputedInvoice.Line] {
        var lines: [ComputedInvoice.Line] = []
        if let baseFee = plan.baseFee {
            lines.append(
                fixedLine(
                    invoiceID, "base_fee", try plan.currency.minorUnits(of: baseFee),
                    "Base fee (\(plan.code))"))
        }
        for charge in plan.charges {
            guard let metric = catalog.metric(charge.metric), let used = quantities[metric.code]
            else { preconditionFailure("the catalog is checked when it is read") }
            guard used.quantity > .zero else { continue }
            let priced = charge.model.price(used.quantity)
            lines.append(
                ComputedInvoice.Line(
                    lineID: InvoiceID.line(invoiceID: invoiceID, charge: "metric:\(metric.code)"),
                    metric: metric.code, quantity: used.quantity,
                    amountMinor: try plan.currency.minorUnits(of: priced.amount),
                    description: "\(metric.code): \(used.quantity) \(metric.unit)",
                    tiers: Self.json(priced.shares), events: used.events))
        }
        if let minimum = plan.minimum {
            let missing = try plan.currency.minorUnits(of: minimum) - total(of: lines)
            if missing > 0 {
                lines.append(
                    fixedLine(
                        invoiceID, "minimum", missing,
                        "Minimum of \(minimum) \(plan.currency.code.uppercased()) (\(plan.code))"))
            }
        }
        return lines
    }

    private func fixedLine(
        _ invoiceID: String, _ charge: String, _ amountMinor: Int64, _ description: String
    ) -> ComputedInvoice.Line {
        ComputedInvoice.Line(
            lineID: InvoiceID.line(invoiceID: invoiceID, charge: charge), metric: nil,
            quantity: nil, amountMinor: amountMinor, description: description, tiers: "[]")
    }

    /// The lines were rounded one by one; their sum is the total, and is not rounded again.
    private func total(of lines: [ComputedInvoice.Line]) throws(AmountOverflow) -> Int64 {
        var total: Int64 = 0
        for line in lines {
            let (sum, isOver) = total.addingReportingOverflow(line.amountMinor)
            if isOver { throw AmountOverflow(amount: "of all lines") }
            total = sum
        }
        return total
    }

    private static func json(_ shares: [PricedQuantity.Share]) -> String {
        let items = shares.map { share in
            let upTo = share.upTo.map { "\"\($0)\"" } ?? "null"
            return """
                {"up_to":\(upTo),"quantity":"\(share.quantity)",\
                "unit_amount":"\(share.unitAmount)","flat_amount":"\(share.flatAmount)"}
                """
        }
        return "[\(items.joined(separator: ","))]"
    }

    // MARK: Status

    private func reasonToHold(
        _ plan: Plan, _ customer: Customer, _ quantities: [String: MetricUsage],
        isQuarantined: Bool
    ) -> Hold? {
        let charged = plan.charges.compactMap { quantities[$0.metric] }
        if plan.currency != customer.currency { return .currencyMismatch }
        if isQuarantined { return .quarantinedUsage }
        if charged.contains(where: { $0.unparsable > 0 }) { return .unparsableUsage }
        if charged.contains(where: { $0.quantity < .zero }) { return .negativeQuantity }
        return nil
    }

    private func status(
        of lines: [ComputedInvoice.Line], _ currency: Currency, isHeld: Bool
    ) -> ComputedInvoice.Status {
        // What a held invoice comes to is not known before a person has looked.
        guard !isHeld else { return .computed }
        let total = lines.reduce(0) { $0 + $1.amountMinor }
        if total == 0 { return policy.skipsZeroTotals ? .skippedZero : .computed }
        if total < currency.minimumMinor && policy.carriesSmallTotals { return .carried }
        return .computed
    }

    /// SHA-256 over everything that the amounts follow from.
    private func inputHash(
        _ customer: Customer, _ period: BillingPeriod, _ usage: [MetricUsage], _ carriedMinor: Int64
    ) -> String {
        var parts = [
            catalogHash, customer.plan, customer.currency.code, period.zone,
            String(period.start.milliseconds), String(period.end.milliseconds),
        ]
        for (metric, used) in zip(catalog.metrics, usage) {
            parts.append("\(metric.code) \(used.events) \(used.quantity) \(used.unparsable)")
        }
        if carriedMinor > 0 { parts.append("carried \(carriedMinor)") }
        return SHA256.hex(Array(parts.joined(separator: "\n").utf8))
    }
}

/// Why an invoice must not be sent before a person has looked at it.
package enum Hold: String, Sendable, CaseIterable {
    /// Rows of the log cannot be billed as they are: what was used is not known.
    case quarantinedUsage = "quarantined_usage"
    /// A metric that came later cannot read the quantity of an event: what was used is not known.
    case unparsableUsage = "unparsable_usage"
    /// Corrections outweigh usage: nothing is charged for a quantity below zero.
    case negativeQuantity = "negative_quantity"
    /// More than Stripe charges at once.
    case amountTooLarge = "amount_too_large"
    /// More than 64 bits of minor units; the invoice has no lines.
    case amountOverflow = "amount_overflow"
    /// The customer's plan is in another currency than the customer; the invoice has no lines.
    case currencyMismatch = "currency_mismatch"
    /// The catalog in force does not know the customer's plan; the invoice has no lines.
    case unknownPlan = "unknown_plan"
    /// Nobody said who the customer is at Stripe.
    case unknownStripeCustomer = "unknown_stripe_customer"

    /// What a person can do about it.
    package var advice: String {
        switch self {
        case .quarantinedUsage:
            "see jobs usage show --only quarantined; send the events mended, then --release them, run again"
        case .unparsableUsage:
            "see jobs usage show --only quarantined; send the events mended, then jobs run seal-usage --rebuild"
        case .negativeQuantity: "see jobs usage show: corrections are larger than the usage"
        case .amountTooLarge: "Stripe takes at most eight digits: bill by hand, or in parts"
        case .amountOverflow: "check the usage and the price: the amount passes 64 bits"
        case .currencyMismatch: "give the customer a plan of their currency: jobs import customers"
        case .unknownStripeCustomer: "give the customer a stripe_customer_id: jobs import customers"
        case .unknownPlan:
            "apply a catalog with the plan, or correct the customer's: jobs import customers"
        }
    }
}
