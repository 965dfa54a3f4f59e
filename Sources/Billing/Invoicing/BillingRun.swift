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
    /// The usage that counts.
    package let sealed: SealedUsage

    /// The zone of customers that the ledger does not know.
    package static let defaultZone = "UTC"

    package init(
        calculation: InvoiceCalculation, defaultPlan: Plan?, customers: [String]?, now: Instant,
        sealed: SealedUsage
    ) {
        self.calculation = calculation
        self.defaultPlan = defaultPlan
        self.customers = customers
        self.now = now
        self.sealed = sealed
    }

    /// - Parameter lease: under which the slot is run.
    package func run(
        usage: UsageReader, lease: Lease, pool: PostgresPool
    ) async throws -> BillingSummary {
        try await SlotComputation.run(
            slot: calculation.slot, lease: lease, pool: pool
        ) { computation in
            let unknown = Self.unknownZones
            let periods = try await periods(of: computation)
            var summary = BillingSummary(slot: calculation.slot)
            try await load(periods, usage: usage, into: computation)
            guard let month = periods[unknown] else { preconditionFailure("it was put in") }
            summary.figures = try await usage.figures(query(month))
            summary.late = try await BatchStore(pool: pool).lateEvents(
                ofSlot: "\(calculation.slot)", in: sealed)
            let quarantine = QuarantineStore(pool: pool, sealed: sealed)
            summary.quarantined = try await quarantine.count(month.start..<month.end)
            let quarantined = try await quarantined(periods, quarantine)
            // Who has usage but no terms is looked for when the month is over in UTC.
            if month.end > now { summary.notClosedUntil = month.end }
            let tally = Mutex(summary)
            try await computation.stage(defaultZone: Self.defaultZone) {
                [periods, quarantined] entry in
                let zones = entry.zones ?? unknown
                let isQuarantined = quarantined[zones]?.contains(entry.customerID) ?? false
                let outcome = try self.outcome(
                    of: entry, period: periods[zones], isQuarantined: isQuarantined)
                tally.withLock { $0.add(outcome, of: entry.customerID) }
                guard case .billed(let invoice) = outcome else { return nil }
                return invoice
            }
            summary = tally.withLock { $0 }
            summary.changes = try await computation.replaceInvoices(customers: customers)
            return summary
        }
    }

    /// What the slot would come to if it were billed now, customer by customer; nothing is recorded.
    ///
    /// - Parameter body: gets the usage of everybody who has any, and the invoice of those with terms.
    package func preview(
        usage: UsageReader, pool: PostgresPool,
        _ body: @escaping @Sendable (String, [MetricUsage], ComputedInvoice?) throws -> Void
    ) async throws {
        try await SlotComputation.preview(slot: calculation.slot, pool: pool) { computation in
            let periods = try await periods(of: computation)
            try await load(periods, usage: usage, into: computation)
            try await computation.forEach(defaultZone: Self.defaultZone) { entries in
                for entry in entries {
                    guard let text = entry.usage else { continue }
                    let used = try UsageText.read(text, count: calculation.catalog.metrics.count)
                    let period = periods[entry.zones ?? Self.unknownZones]
                    let outcome = try self.outcome(of: entry, period: period, isQuarantined: false)
                    guard case .billed(let invoice) = outcome else {
                        if case .notChosen = outcome { continue }
                        try body(entry.customerID, used, nil)
                        continue
                    }
                    try body(entry.customerID, used, invoice)
                }
            }
        }
    }

    /// What the slot would charge otherwise with the usage and the terms of now; nothing is recorded.
    ///
    /// - Parameter isDone: whether the slot was billed to the end.
    package func differences(
        isDone: Bool, usage: UsageReader, pool: PostgresPool
    ) async throws -> UsageDifferences {
        let differences = Mutex(UsageDifferences())
        try await SlotComputation.preview(slot: calculation.slot, pool: pool) { computation in
            let periods = try await periods(of: computation)
            try await load(periods, usage: usage, into: computation)
            try await computation.stage(defaultZone: Self.defaultZone) { entry in
                let period = periods[entry.zones ?? Self.unknownZones]
                switch try self.outcome(of: entry, period: period, isQuarantined: false) {
                case .billed(let invoice): return invoice
                case .unmapped(let usage) where isDone:
                    let words = self.words(usage)
                    differences.withLock { $0.unmapped.append((entry.customerID, words)) }
                    return nil
                case .inactive(let usage?):
                    differences.withLock { _ = $0.inactive.insert(entry.customerID) }
                    return self.invoice(of: entry, period, usage)
                default: return nil
                }
            }
            let inactive = differences.withLock { $0.inactive.sorted() }
            let lines = try await computation.linesDiffering(isDone: isDone, inactive: inactive)
            differences.withLock { $0.lines = lines }
        }
        return differences.withLock { $0 }
    }

    private func period(_ zones: SlotComputation.Zones) throws(UnknownTimeZone) -> BillingPeriod {
        try BillingPeriod(month: calculation.slot, zone: zones.start, nextZone: zones.end)
    }

    private func query(_ period: BillingPeriod) -> PeriodUsageQuery {
        PeriodUsageQuery(
            metrics: calculation.catalog.metrics, start: period.start, end: period.end,
            sealed: sealed)
    }

    private static let unknownZones = SlotComputation.Zones(start: defaultZone, end: defaultZone)

    private func periods(
        of computation: SlotComputation
    ) async throws -> [SlotComputation.Zones: BillingPeriod] {
        var periods = [Self.unknownZones: try period(Self.unknownZones)]
        for zones in try await computation.zones() { periods[zones] = try period(zones) }
        return periods
    }

    private func load(
        _ periods: [SlotComputation.Zones: BillingPeriod], usage: UsageReader,
        into computation: SlotComputation
    ) async throws {
        for (zones, period) in periods where period.end <= now {
            try Task.checkCancellation()
            try await usage.forEachBatch(query(period)) { batch in
                try await computation.add(
                    usage: batch.map { ($0.customerID, $0.events, UsageText.write($0.metrics)) },
                    of: zones)
            }
        }
    }

    private func quarantined(
        _ periods: [SlotComputation.Zones: BillingPeriod], _ store: QuarantineStore
    ) async throws -> [SlotComputation.Zones: Set<String>] {
        var customers: [SlotComputation.Zones: Set<String>] = [:]
        for (zones, period) in periods {
            customers[zones] = try await store.customers(period.start..<period.end)
        }
        return customers
    }

    // MARK: One customer

    private func outcome(
        of entry: SlotComputation.Entry, period: BillingPeriod?, isQuarantined: Bool
    ) throws -> Outcome {
        if let customers, !customers.contains(entry.customerID) { return .notChosen }
        let metrics = calculation.catalog.metrics
        let usage =
            try entry.usage.map { try UsageText.read($0, count: metrics.count) }
            ?? metrics.map { _ in .none }
        let isUsed = usage.contains { $0.events > 0 }
        guard let period else {
            preconditionFailure("every customer's zones were asked for")
        }
        guard let customer = entry.terms ?? defaultPlan.map({ Self.unknown(entry, $0) }) else {
            return isUsed ? .unmapped(usage) : .nothingBillable
        }
        guard period.end <= now else { return .notClosed(until: period.end) }
        if entry.terms == nil && !isUsed { return .nothingBillable }
        guard isActive(customer) else { return .inactive(isUsed ? usage : nil) }
        return .billed(
            calculation.invoice(
                for: customer, period: period, usage: usage, isQuarantined: isQuarantined,
                carriedMinor: entry.balanceMinor, cutoffBatch: sealed.cutoff))
    }

    /// What a customer who is not billed would be charged for what was used.
    private func invoice(
        of entry: SlotComputation.Entry, _ period: BillingPeriod?, _ usage: [MetricUsage]
    ) -> ComputedInvoice? {
        guard let customer = entry.terms, let period else { return nil }
        return calculation.invoice(
            for: customer, period: period, usage: usage, cutoffBatch: sealed.cutoff)
    }

    private func words(_ usage: [MetricUsage]) -> String {
        zip(calculation.catalog.metrics, usage).filter { $0.1.events > 0 }
            .map { "\($0.code): \($1.quantity) \($0.unit)" }.joined(separator: "; ")
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
