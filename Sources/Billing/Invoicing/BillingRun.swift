package import Exact
package import Ledger
package import Postgres
internal import Synchronization
package import Usage

/// Computes the invoices of one slot: reads usage, prices it, and replaces what was computed before.
package struct BillingRun: Sendable {
    package let calculation: InvoiceCalculation
    /// Prices customers that the ledger does not know (dry-run only); `nil`: they are reported.
    package let defaultPlan: Plan?
    /// Only these; `nil`: everybody.
    package let customers: [String]?
    /// Periods that end later are not closed.
    package let now: Instant
    package let dedupHorizonMilliseconds: Int64

    /// The zone of customers that the ledger does not know.
    package static let defaultZone = "UTC"

    package init(
        calculation: InvoiceCalculation, defaultPlan: Plan?, customers: [String]?, now: Instant,
        dedupHorizonMilliseconds: Int64 = PeriodUsageQuery.defaultDedupHorizonMilliseconds
    ) {
        self.calculation = calculation
        self.defaultPlan = defaultPlan
        self.customers = customers
        self.now = now
        self.dedupHorizonMilliseconds = dedupHorizonMilliseconds
    }

    package func run(usage: UsageReader, pool: PostgresPool) async throws -> BillingSummary {
        try await SlotComputation.run(slot: calculation.slot, pool: pool) { computation in
            let unknown = SlotComputation.Zones(start: Self.defaultZone, end: Self.defaultZone)
            var periods = [unknown: try period(unknown)]
            for zones in try await computation.zones() { periods[zones] = try period(zones) }
            var summary = BillingSummary(slot: calculation.slot)
            for (zones, period) in periods.sorted(by: { $0.value.start < $1.value.start }) {
                try Task.checkCancellation()
                try await load(period, of: zones, usage: usage, into: computation)
            }
            guard let month = periods[unknown] else { preconditionFailure("it was put in") }
            summary.figures = try await usage.figures(query(month))
            // Who has usage but no terms is looked for when the month is over in UTC.
            if month.end > now { summary.notClosedUntil = month.end }
            let tally = Mutex(summary)
            try await computation.stage(defaultZone: Self.defaultZone) { [periods] entry in
                let outcome = try self.outcome(of: entry, periods: periods)
                tally.withLock { $0.add(outcome, of: entry.customerID) }
                guard case .billed(let invoice) = outcome else { return nil }
                return invoice
            }
            summary = tally.withLock { $0 }
            summary.changes = try await computation.replaceInvoices(customers: customers)
            return summary
        }
    }

    private func period(_ zones: SlotComputation.Zones) throws(UnknownTimeZone) -> BillingPeriod {
        try BillingPeriod(month: calculation.slot, zone: zones.start, nextZone: zones.end)
    }

    private func query(_ period: BillingPeriod) -> PeriodUsageQuery {
        PeriodUsageQuery(
            metrics: calculation.catalog.metrics, start: period.start, end: period.end,
            dedupHorizonMilliseconds: dedupHorizonMilliseconds)
    }

    private func load(
        _ period: BillingPeriod, of zones: SlotComputation.Zones, usage: UsageReader,
        into computation: SlotComputation
    ) async throws {
        guard period.end <= now else { return }
        try await usage.forEachBatch(query(period)) { batch in
            try await computation.add(
                usage: batch.map { ($0.customerID, $0.events, UsageText.write($0.metrics)) },
                of: zones)
        }
    }

    // MARK: One customer

    private func outcome(
        of entry: SlotComputation.Entry, periods: [SlotComputation.Zones: BillingPeriod]
    ) throws -> Outcome {
        if let customers, !customers.contains(entry.customerID) { return .notChosen }
        let metrics = calculation.catalog.metrics
        let usage =
            try entry.usage.map { try UsageText.read($0, count: metrics.count) }
            ?? metrics.map { _ in .none }
        let isUsed = usage.contains { $0.events > 0 }
        let zones = entry.zones ?? .init(start: Self.defaultZone, end: Self.defaultZone)
        guard let period = periods[zones] else {
            preconditionFailure("every customer's zones were asked for")
        }
        guard let customer = entry.terms ?? defaultPlan.map({ Self.unknown(entry, $0) }) else {
            return isUsed ? .unmapped(usage) : .nothingBillable
        }
        guard period.end <= now else { return .notClosed(until: period.end) }
        if entry.terms == nil && !isUsed { return .nothingBillable }
        guard isActive(customer) else { return .inactive(isUsed ? usage : nil) }
        return .billed(calculation.invoice(for: customer, period: period, usage: usage))
    }

    private func isActive(_ customer: Customer) -> Bool {
        let slot = calculation.slot
        return customer.activeFrom.map { $0 < slot.next.firstDay } ?? true
            && customer.activeUntil.map { $0 > slot.firstDay } ?? true
    }

    /// Terms for somebody who used something and whom the ledger does not know.
    private static func unknown(_ entry: SlotComputation.Entry, _ plan: Plan) -> Customer {
        Customer(
            customerID: entry.customerID, stripeCustomerID: nil, plan: plan.code,
            currency: plan.currency, timezone: defaultZone, collectionMethod: .sendInvoice,
            daysUntilDue: 30, email: nil, activeFrom: nil, activeUntil: nil)
    }
}

/// What became of a customer in a slot. Everybody ends in one of these.
package enum Outcome: Sendable {
    case billed(ComputedInvoice)
    /// Usage, but no terms: a person must say who this is.
    case unmapped([MetricUsage])
    /// No terms, and nothing that a metric counts.
    case nothingBillable
    /// Service began later or ended earlier; usage nevertheless needs a person.
    case inactive([MetricUsage]?)
    case notClosed(until: Instant)
    /// Left out by `--customers`.
    case notChosen
}

/// Usage in a column of the ledger's temporary table: events, unparsable, quantity of each metric.
enum UsageText {
    static func write(_ metrics: [MetricUsage]) -> String {
        metrics.map { "\($0.events) \($0.unparsable) \($0.quantity)" }.joined(separator: ";")
    }

    static func read(_ text: String, count: Int) throws -> [MetricUsage] {
        let metrics = text.split(separator: ";").compactMap { item -> MetricUsage? in
            let fields = item.split(separator: " ")
            guard fields.count == 3, let events = Int64(fields[0]),
                let unparsable = Int64(fields[1]),
                let quantity = ExactDecimal(fields[2])
            else { return nil }
            return MetricUsage(events: events, quantity: quantity, unparsable: unparsable)
        }
        precondition(metrics.count == count, "what write wrote, read reads")
        return metrics
    }
}
