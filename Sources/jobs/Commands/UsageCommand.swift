internal import ArgumentParser
internal import Billing
internal import Exact
internal import Ledger
internal import Usage

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "What was used, and what cannot be billed.",
        subcommands: [Show.self])

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show a month's usage, or the events that need a person.",
            discussion: """
                Quantities are per customer and metric, in UTC months. --only quarantined lists events \
                that cannot be billed as they are, --only conflicts events whose transaction id was used \
                before with another content, each with both contents.
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

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common) { [self] live in
                let today = CivilDate(daysSinceEpoch: Instant.now.milliseconds / 86_400_000)
                let month = slot ?? CivilMonth(containing: today)
                let period = try BillingPeriod(
                    month: month, zone: BillingRun.defaultZone, nextZone: BillingRun.defaultZone)
                guard
                    let version = try await CatalogStore(pool: live.pool).inForce(
                        on: month.firstDay)
                else {
                    throw Failure(
                        .configuration,
                        "no catalog is in force on \(month.firstDay): jobs catalog apply FILE")
                }
                let query = PeriodUsageQuery(
                    metrics: try Catalog(yaml: version.source).metrics, start: period.start,
                    end: period.end, dedupHorizonMilliseconds: live.dedupHorizonMilliseconds)
                switch only {
                case .quantities: try await printQuantities(query, live.usage)
                case .quarantined: try await printQuarantined(query, live.usage)
                case .conflicts: try await printConflicts(query, live.usage)
                }
                return .done
            }
        }

        private func printQuantities(_ query: PeriodUsageQuery, _ usage: UsageReader) async throws {
            var listing = Listing(
                [
                    .init("customer_id"), .init("metric"), .init("quantity"), .init("unit"),
                    .init("events"), .init("unparsable"),
                ], format: list.format)
            try await usage.forEachBatch(query, customer: customer) { customers in
                for customer in customers {
                    for (metric, used) in zip(query.metrics, customer.metrics) where used.events > 0
                    {
                        try listing.add([
                            .text(customer.customerID), .text(metric.code),
                            .decimal(used.quantity.description), .text(metric.unit),
                            .integer(used.events), .integer(used.unparsable),
                        ])
                    }
                }
            }
            try listing.finish()
        }

        private func printQuarantined(_ query: PeriodUsageQuery, _ usage: UsageReader) async throws
        {
            var listing = Listing(
                [
                    .init("customer_id"), .init("transaction_id"), .init("event_type"),
                    .init("timestamp"), .init("reasons"), .init("properties"),
                ], format: list.format)
            try await usage.forEachQuarantined(query, customer: customer) { events in
                for event in events {
                    try listing.add([
                        .text(event.customerID), .text(event.transactionID),
                        .text(event.content.eventType), .text("\(event.content.timestamp)"),
                        .text(event.reasons), .text(event.content.properties),
                    ])
                }
            }
            try listing.finish()
        }

        private func printConflicts(_ query: PeriodUsageQuery, _ usage: UsageReader) async throws {
            var listing = Listing(
                [
                    .init("customer_id"), .init("transaction_id"), .init("counted_type"),
                    .init("counted_at"), .init("counted_properties"), .init("conflicting_type"),
                    .init("conflicting_at"), .init("conflicting_properties"),
                ], format: list.format)
            try await usage.forEachConflict(query, customer: customer) { events in
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
