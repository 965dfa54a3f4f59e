internal import ArgumentParser
internal import Billing
internal import Exact
internal import Ledger
internal import Synchronization
internal import Usage

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "What was used, and what cannot be billed.",
        subcommands: [Show.self])

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Show a month's sealed usage with its price so far, or the events that need a person.",
            discussion: """
                Quantities are per customer and metric, in the customer's own month, as far as usage is \
                sealed (jobs run seal-usage). --only quarantined lists rows that cannot be billed as they \
                are, --only conflicts those whose transaction id was used before with another content, \
                each with both contents; both are in UTC months. A row leaves quarantine when you send it \
                mended, with its transaction id, and then --release what is listed.
                """)

        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case quantities
            case quarantined
            case conflicts
        }

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "The month, as 2026-10 (default: this one).") var slot:
            CivilMonth?
        @Option(name: .long, help: "Only this customer.") var customer: String?
        @Option(name: .long, help: "quantities, quarantined or conflicts.") var only: Kind =
            .quantities
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Take rows out of quarantine: ids separated by commas, or all that is listed.",
                valueName: "ids|all"))
        var release: String?
        @Option(name: .long, help: "Why they are released; recorded with your name.")
        var reason: String?

        mutating func validate() throws {
            guard release == nil || only == .quarantined else {
                throw ValidationError("--release goes with --only quarantined")
            }
            guard (release == nil) == (reason == nil) else {
                throw ValidationError("--release needs a --reason, and the other way round")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common) { [self] live in
                let month = slot ?? CivilMonth(containing: .today)
                let sealed = try await BatchStore(pool: live.pool).sealed()
                switch only {
                case .quantities: try await printQuantities(live, month, sealed)
                case .quarantined: return try await quarantined(live, month, sealed)
                case .conflicts: try await printConflicts(live, month, sealed)
                }
                return .done
            }
        }

        // MARK: Quantities

        private func printQuantities(
            _ live: Live, _ month: CivilMonth, _ sealed: SealedUsage
        ) async throws {
            let calculation = try await live.calculation(of: month).0
            let listing = Mutex(
                Listing(
                    [
                        .init("customer_id"), .init("metric"), .init("quantity"), .init("unit"),
                        .init("events"), .init("unparsable"), .init("currency"),
                        .init("amount_minor"),
                    ], format: list.format))
            let metrics = calculation.catalog.metrics
            // As if the month were over: what is there is priced.
            let run = BillingRun(
                calculation: calculation, defaultPlan: nil, customers: customer.map { [$0] },
                now: Instant(milliseconds: .max), sealed: sealed)
            try await run.preview(usage: live.usage, pool: live.pool) { customer, usage, invoice in
                for (metric, used) in zip(metrics, usage) where used.events > 0 {
                    let line = invoice?.lines.first { $0.metric == metric.code }
                    var amount = Cell.integer(nil)
                    if let line, let currency = invoice?.currency {
                        amount = .money(line.amountMinor, currency)
                    }
                    try listing.withLock {
                        try $0.add([
                            .text(customer), .text(metric.code),
                            .decimal(used.quantity.description), .text(metric.unit),
                            .integer(used.events), .integer(used.unparsable),
                            .text(line == nil ? nil : invoice?.currency.code), amount,
                        ])
                    }
                }
            }
            try listing.withLock { try $0.finish() }
        }

        // MARK: What needs a person

        private func quarantined(
            _ live: Live, _ month: CivilMonth, _ sealed: SealedUsage
        ) async throws -> ExitStatus {
            let period = try BillingPeriod(month: month, zone: "UTC", nextZone: "UTC")
            let store = QuarantineStore(pool: live.pool, sealed: sealed)
            if let release, let reason {
                let ids = release == "all" ? nil : release.split(separator: ",").map(String.init)
                let released = try await store.release(
                    period.start..<period.end, customer: customer, ids: ids, by: Live.person,
                    reason: reason)
                try printLine("released \(grouped(released)) rows of \(month)")
                guard released == 0 else { return .done }
                throw Failure(
                    .badInput, "nothing of \(month) in quarantine is called that; nothing was done")
            }
            try await printQuarantined(live, month, period, store, sealed)
            return .done
        }

        private func printQuarantined(
            _ live: Live, _ month: CivilMonth, _ period: BillingPeriod, _ store: QuarantineStore,
            _ sealed: SealedUsage
        ) async throws {
            var listing = Listing(
                [
                    .init("quarantine_id"), .init("customer_id"), .init("transaction_id"),
                    .init("event_type"), .init("timestamp"), .init("copies"), .init("reasons"),
                    .init("properties"),
                ], format: list.format)
            try await store.forEach(period.start..<period.end, customer: customer) { rows in
                for row in rows {
                    try listing.add([
                        .text(row.id), .text(row.customerID), .text(row.transactionID),
                        .text(row.eventType), .text("\(row.timestamp)"), .integer(row.copies),
                        .text(row.reasons), .text(row.properties),
                    ])
                }
            }
            let metrics = try await live.calculation(of: month).0.catalog.metrics
            let query = PeriodUsageQuery(
                metrics: metrics, start: period.start, end: period.end, sealed: sealed)
            try await live.usage.forEachUnreadable(query, customer: customer) { events in
                for event in events {
                    try listing.add([
                        .text(nil), .text(event.customerID), .text(event.transactionID),
                        .text(event.content.eventType), .text("\(event.content.timestamp)"),
                        .integer(1), .text(event.reasons), .text(event.content.properties),
                    ])
                }
            }
            try listing.finish()
        }

        private func printConflicts(
            _ live: Live, _ month: CivilMonth, _ sealed: SealedUsage
        ) async throws {
            let period = try BillingPeriod(month: month, zone: "UTC", nextZone: "UTC")
            let query = PeriodUsageQuery(
                metrics: [], start: period.start, end: period.end, sealed: sealed)
            var listing = Listing(
                [
                    .init("customer_id"), .init("transaction_id"), .init("counted_type"),
                    .init("counted_at"), .init("counted_properties"), .init("conflicting_type"),
                    .init("conflicting_at"), .init("conflicting_properties"),
                ], format: list.format)
            try await live.usage.forEachConflict(query, customer: customer) { events in
                for event in events {
                    try listing.add([
                        .text(event.customerID), .text(event.transactionID),
                        .text(event.counted.eventType), .text("\(event.counted.timestamp)"),
                        .text(event.counted.properties), .text(event.conflicting.eventType),
                        .text("\(event.conflicting.timestamp)"),
                        .text(event.conflicting.properties),
                    ])
                }
            }
            try listing.finish()
        }
    }
}
