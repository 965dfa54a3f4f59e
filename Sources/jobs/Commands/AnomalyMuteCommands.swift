internal import ArgumentParser
internal import Billing
internal import Exact
internal import Ledger
internal import Usage

extension AnomaliesCommand {
    struct Mute: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Alert nobody of some anomalies for a time; without a time, list such times.",
            discussion: """
                Anomalies are recorded all the same. A planned event (a launch, a holiday) is a mute of \
                all customers: --from 2026-12-24T00:00:00Z --until 2026-12-27T00:00:00Z --reason Christmas
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "Of this customer (default: any).") var customer: String?
        @Option(name: .long, help: "Of this metric (default: any).") var metric: String?
        @Option(name: .long, help: "From then on (default: now), as 2026-11-22T11:00:00Z.")
        var from: Instant?
        @Option(name: .long, help: "Until then.") var until: Instant?
        @Option(name: .long, help: "Who says so (default: you).") var by: String?
        @Option(name: .long, help: "Why; recorded with the name.") var reason: String?

        mutating func validate() throws {
            guard let until else { return }
            guard reason != nil else { throw ValidationError("--until goes with --reason") }
            guard (from ?? .now) < until else {
                throw ValidationError("--until lies after --from, and in the future")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            let command = self
            return try await Live.run(common, usesClickHouse: false) { live in
                let store = AnomalyStore(pool: live.pool)
                guard let until = command.until, let reason = command.reason else {
                    try await command.list(store)
                    return .done
                }
                try await command.check(store, live)
                let id = try await store.mute(
                    customerID: command.customer, metric: command.metric,
                    (command.from ?? .now)..<until, by: command.by ?? Live.person,
                    reason: reason)
                try printLine("muted; end it with: jobs anomalies unmute \(id)")
                return .done
            }
        }

        /// A mute of what there is not would be silent about its mistake, and everybody is alerted.
        private func check(_ store: AnomalyStore, _ live: Live) async throws {
            if let customer, try await !store.isKnown(customerID: customer) {
                throw Failure(
                    .badInput,
                    "customer \(customer) has neither terms nor anomalies: look at its spelling, or import it with jobs import customers"
                )
            }
            guard let metric else { return }
            let metrics = try await CatalogStore(pool: live.pool).all()
                .flatMap { try Catalog(yaml: $0.source).metrics.map(\.code) }
            guard metrics.contains(metric) else {
                throw Failure(
                    .badInput,
                    "no catalog has a metric \(metric); there are \(Set(metrics).sorted().joined(separator: ", "))"
                )
            }
        }

        private func list(_ store: AnomalyStore) async throws {
            var listing = Listing(
                ["mute_id", "customer_id", "metric", "starts_at", "ends_at", "by", "reason"].map {
                    .init($0)
                }, format: list.format)
            for mute in try await store.mutes() {
                try listing.add([
                    .integer(mute.id), .text(mute.customerID), .text(mute.metric),
                    .text("\(mute.starts)"), .text("\(mute.ends)"), .text(mute.by),
                    .text(mute.reason),
                ])
            }
            try listing.finish()
        }
    }

    struct Unmute: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "End a mute, or take a planned one back.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number, as mute lists it.") var id: Int64

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id] live in
                guard try await AnomalyStore(pool: live.pool).unmute(id) else {
                    throw Failure(
                        .badInput,
                        "there is no mute \(id) that has not ended; jobs anomalies mute lists them")
                }
                try printLine("ended")
                return .done
            }
        }
    }
}

extension Instant: ExpressibleByArgument {
    package init?(argument: String) { self.init(argument) }
}
