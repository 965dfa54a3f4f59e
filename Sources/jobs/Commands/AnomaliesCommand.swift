internal import ArgumentParser
internal import Exact
internal import Ledger

struct AnomaliesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anomalies", abstract: "Look at what is unusual in usage, and judge it.",
        subcommands: [
            List.self, Show.self, Acknowledge.self, Resolve.self, Dismiss.self, Mute.self,
            Unmute.self,
        ])

    struct List: StatusCommand {
        static let configuration = CommandConfiguration(abstract: "List anomalies, oldest first.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @OptionGroup var selection: AnomalySelection
        @Option(
            name: .long,
            help:
                "open, acknowledged, resolved, dismissed, withdrawn, recovered (over by itself), or all."
        )
        var status: String?
        @Option(name: .long, help: "volume, pattern, both or fleet.") var kind: String?

        mutating func validate() throws {
            let known = Anomaly.Status.allCases.map(\.rawValue) + ["recovered", "all"]
            if let status, !known.contains(status) {
                throw ValidationError("--status is one of \(known.joined(separator: ", "))")
            }
            if let kind, !["volume", "pattern", "both", "fleet"].contains(kind) {
                throw ValidationError("--kind is one of volume, pattern, both, fleet")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            var filter = selection.filter
            filter.kind = kind
            filter.includesRecovered = status == "recovered"
            filter.statuses =
                switch status {
                case nil: [.open, .acknowledged]
                case "recovered"?: []
                case let status?: Anomaly.Status(rawValue: status).map { [$0] }
                }
            return try await Live.run(common, usesClickHouse: false) { [filter, list] live in
                let listing = SharedListing(AnomalyRow.columns, format: list.format)
                try await AnomalyStore(pool: live.pool).forEachBatch(filter) { anomalies in
                    for anomaly in anomalies { try listing.add(AnomalyRow.cells(anomaly)) }
                }
                try listing.finish()
                return .done
            }
        }
    }

    struct Acknowledge: ReviewCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that anomalies are real: their days make no baseline.")
        static let review = AnomalyStore.Review.acknowledged
        @OptionGroup var common: CommonOptions
        @OptionGroup var options: ReviewOptions
    }

    struct Resolve: ReviewCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that anomalies were real, and are dealt with.")
        static let review = AnomalyStore.Review.resolved
        @OptionGroup var common: CommonOptions
        @OptionGroup var options: ReviewOptions
    }

    struct Dismiss: ReviewCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that anomalies are none: their days stay in the baseline.")
        static let review = AnomalyStore.Review.dismissed
        @OptionGroup var common: CommonOptions
        @OptionGroup var options: ReviewOptions
    }
}

/// Which anomalies are meant.
struct AnomalySelection: ParsableArguments, Sendable {
    @Option(name: .long, help: "Of this customer.") var customer: String?
    @Option(name: .long, help: "Of this metric.") var metric: String?
    @Option(
        name: .long,
        help: "That touch this hour, day, week or month, as 2026-11-22T11, 2026-11-22, 2026-W47.")
    var slot: SlotRange?
    @Option(
        name: .long,
        help: ArgumentHelp("With hours since this day, as 2026-11-22.", valueName: "day"))
    var since: CivilDate?

    var filter: AnomalyFilter {
        var filter = AnomalyFilter()
        filter.customerID = customer
        filter.metric = metric
        filter.period = slot.map { $0.first.start..<$0.last.end }
        filter.since = since.map { Instant(milliseconds: $0.daysSinceEpoch * 86_400_000) }
        return filter
    }
}

struct ReviewOptions: ParsableArguments, Sendable {
    @Argument(help: ArgumentHelp("The ids of anomalies.", valueName: "id"))
    var ids: [String] = []
    @OptionGroup var selection: AnomalySelection
    @Flag(name: .long, help: "Of a selection: also those that are over by themselves.")
    var recovered = false
    @Option(name: .long, help: "Who says so (default: you).") var by: String?
    @Option(name: .long, help: "Why; recorded with the name.") var note: String?

    mutating func validate() throws {
        let selects =
            selection.customer != nil || selection.metric != nil || selection.slot != nil
            || selection.since != nil
        guard ids.isEmpty == selects else {
            throw ValidationError(
                "name anomalies, or select open ones with --customer, --metric, --slot or --since")
        }
    }
}

/// A person's word about anomalies: those that are named, or all open ones of a selection (and those that
/// are over by themselves).
protocol ReviewCommand: StatusCommand {
    static var review: AnomalyStore.Review { get }
    var common: CommonOptions { get }
    var options: ReviewOptions { get }
}

extension ReviewCommand {
    mutating func runToStatus() async throws -> ExitStatus {
        let options = options
        return try await Live.run(common, usesClickHouse: false) { live in
            let store = AnomalyStore(pool: live.pool)
            var ids = options.ids
            if ids.isEmpty {
                var filter = options.selection.filter
                filter.statuses = [.open, .acknowledged]
                filter.includesRecovered = options.recovered
                ids = try await store.ids(filter)
            } else {
                _ = try await store.anomalies(ids)
            }
            let reviewed = try await store.review(
                ids, Self.review, by: options.by ?? Live.person, note: options.note)
            try printLine("\(grouped(reviewed.count)) \(Self.review.rawValue)")
            guard reviewed.count == Set(ids).count else {
                try printLine(
                    "\(grouped(Set(ids).count - reviewed.count)) were withdrawn: late data showed nothing unusual"
                )
                return .needsAPerson
            }
            return .done
        }
    }
}
