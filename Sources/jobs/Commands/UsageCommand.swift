internal import ArgumentParser
internal import Billing
internal import Exact
internal import Glibc
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
                each with both contents; of all times, or of a UTC month. A row leaves quarantine when you \
                send it mended, with its transaction id, and then --release what is listed: all of it goes \
                with --through, the batch that the list names.
                """)

        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case quantities
            case quarantined
            case conflicts
        }

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(
            name: .long,
            help: "The month, as 2026-10 (default: this one; of what needs a person, all of them).")
        var slot: CivilMonth?
        @Option(name: .long, help: "Only this customer.") var customer: String?
        @Option(name: .long, help: "quantities, quarantined or conflicts.") var only: Kind =
            .quantities
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Take rows out of quarantine: ids separated by commas, or all that is listed.",
                valueName: "ids|all"))
        var release: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "With --release all: only what was sealed up to this batch.", valueName: "batch"))
        var through: Int64?
        @Option(name: .long, help: "Why they are released; recorded with your name.")
        var reason: String?

        mutating func validate() throws {
            guard release == nil || only == .quarantined else {
                throw ValidationError("--release goes with --only quarantined")
            }
            guard (release == nil) == (reason == nil) else {
                throw ValidationError("--release needs a --reason, and the other way round")
            }
            guard (release == "all") == (through != nil) else {
                throw ValidationError(
                    "--release all goes with --through, and the batch that --only quarantined names: "
                        + "what was sealed since then nobody has seen")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common) { [self] live in
                let sealed = try await BatchStore(pool: live.pool).sealed()
                if let release, let reason {
                    try await self.release(release, reason, live, sealed)
                    return .done
                }
                var hasReleasable = false
                switch only {
                case .quantities: try await printQuantities(live, sealed)
                case .quarantined: hasReleasable = try await printQuarantined(live, sealed)
                case .conflicts: try await printConflicts(live, sealed)
                }
                try await reportCutoff(live, sealed, hasReleasable)
                return .done
            }
        }

        /// On stderr: the list is for programs, too.
        private func reportCutoff(
            _ live: Live, _ sealed: SealedUsage, _ hasReleasable: Bool
        ) async throws {
            guard sealed.cutoff > 0 else {
                return writeText("nothing is sealed yet: jobs run seal-usage\n", to: STDERR_FILENO)
            }
            let at = try await BatchStore(pool: live.pool).sealedAt(sealed.cutoff)
            let advice =
                hasReleasable
                ? "; --release all --through \(sealed.cutoff) takes what is listed" : ""
            writeText(
                "sealed up to batch \(sealed.cutoff), at \(at)\(advice)\n", to: STDERR_FILENO)
        }

        // MARK: Quantities

        private func printQuantities(_ live: Live, _ sealed: SealedUsage) async throws {
            let month = slot ?? CivilMonth(containing: .today)
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

        /// ClickHouse has the years from 1900 to 2299.
        private static let firstInstant = Instant(milliseconds: -2_208_988_800_000)
        private static let lastInstant = Instant(milliseconds: 10_413_791_999_999)

        /// The UTC month, or whatever a timestamp of the log can be: clocks may be wrong by years.
        private func period() throws -> Range<Instant> {
            guard let slot else { return Self.firstInstant..<Self.lastInstant }
            let period = try BillingPeriod(month: slot, zone: "UTC", nextZone: "UTC")
            return period.start..<period.end
        }

        private func release(
            _ rows: String, _ reason: String, _ live: Live, _ sealed: SealedUsage
        ) async throws {
            let ids = rows == "all" ? nil : rows.split(separator: ",").map(String.init)
            let released = try await QuarantineStore(pool: live.pool, sealed: sealed).release(
                period(), customer: customer, ids: ids, through: through, by: Live.person,
                reason: reason)
            let month = slot.map { " of \($0)" } ?? ""
            try printLine("released \(grouped(released)) rows\(month)")
            guard released == 0 else { return }
            throw Failure(
                .badInput, "nothing\(month) in quarantine is called that; nothing was done")
        }

        /// - Returns: whether any of them can be released.
        private func printQuarantined(_ live: Live, _ sealed: SealedUsage) async throws -> Bool {
            let period = try period()
            let store = QuarantineStore(pool: live.pool, sealed: sealed)
            var listing = Listing(
                [
                    .init("quarantine_id"), .init("customer_id"), .init("transaction_id"),
                    .init("event_type"), .init("timestamp"), .init("copies"), .init("reasons"),
                    .init("properties"),
                ], format: list.format)
            var hasReleasable = false
            try await store.forEach(period, customer: customer) { rows in
                hasReleasable = hasReleasable || !rows.isEmpty
                for row in rows {
                    try listing.add([
                        .text(row.id), .text(row.customerID), .text(row.transactionID),
                        .text(row.eventType), .text("\(row.timestamp)"), .integer(row.copies),
                        .text(row.reasons), .text(row.properties),
                    ])
                }
            }
            for (metrics, months) in try await metrics(of: period, live) {
                let query = PeriodUsageQuery(
                    metrics: metrics, start: months.lowerBound, end: months.upperBound,
                    sealed: sealed)
                try await live.usage.forEachUnreadable(query, customer: customer) { events in
                    for event in events {
                        try listing.add([
                            .text(nil), .text(event.customerID), .text(event.transactionID),
                            .text(event.content.eventType), .text("\(event.content.timestamp)"),
                            .integer(1), .text(event.reasons), .text(event.content.properties),
                        ])
                    }
                }
            }
            try listing.finish()
            return hasReleasable
        }

        /// What is metered when: by each catalog, in the months that it prices. None before the first one.
        private func metrics(
            of period: Range<Instant>, _ live: Live
        ) async throws -> [(metrics: [Metric], months: Range<Instant>)] {
            let catalogs = try await CatalogStore(pool: live.pool).all()
            var parts: [(metrics: [Metric], months: Range<Instant>)] = []
            var end = period.upperBound
            for catalog in catalogs.reversed() {
                let start = max(Self.firstMonth(of: catalog), period.lowerBound)
                guard start < end else { continue }
                parts.append((try Catalog(yaml: catalog.source).metrics, start..<end))
                end = start
            }
            return parts.reversed()
        }

        /// A catalog that takes effect within a month prices the next one.
        private static func firstMonth(of catalog: CatalogStore.Version) -> Instant {
            let month = CivilMonth(containing: catalog.effectiveFrom)
            let first = month.firstDay == catalog.effectiveFrom ? month : month.next
            return Instant(milliseconds: first.firstDay.daysSinceEpoch * 86_400_000)
        }

        private func printConflicts(_ live: Live, _ sealed: SealedUsage) async throws {
            let period = try period()
            let query = PeriodUsageQuery(
                metrics: [], start: period.lowerBound, end: period.upperBound, sealed: sealed)
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
