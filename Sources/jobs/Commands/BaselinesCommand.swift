internal import ArgumentParser
internal import Billing
internal import Detection
internal import Ledger
internal import Usage

/// What a normal weekday is: which version counts, and what has drifted.
struct BaselinesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "baselines", abstract: "What normal weekdays are, and who says so.",
        subcommands: [List.self, Drifted.self, Approve.self, Promote.self, Rollback.self])

    struct List: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "List the versions, the newest first.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [list] live in
                var listing = Listing(
                    [
                        "version", "slot", "first_day", "last_day", "state", "baselines",
                        "drifted", "created_at", "promoted_at", "promoted_by", "expires_at",
                    ].map { .init($0) }, format: list.format)
                for version in try await BaselineStore(pool: live.pool).versions() {
                    try listing.add([
                        .integer(version.version), .text(version.slot), .text(version.firstDay),
                        .text(version.lastDay), .text(version.state),
                        .integer(version.baselines), .integer(version.drifted),
                        .text("\(version.createdAt)"),
                        .text(version.promotedAt.map { "\($0)" }), .text(version.promotedBy),
                        .text("\(version.expiresAt)"),
                    ])
                }
                try listing.finish()
                return .done
            }
        }
    }

    struct Drifted: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "List what has drifted too far from what was in force, and waits for a person.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "Of this version (default: the newest).") var version: Int64?

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common) { [list, version] live in
                let version = try await live.baselines(version)
                var codes: [String: String] = [:]
                for catalog in try await CatalogStore(pool: live.pool).all() {
                    for metric in try Catalog(yaml: catalog.source).metrics {
                        codes[metric.key] = metric.code
                    }
                }
                var listing = Listing(
                    [
                        "customer_id", "metric", "weekday", "volume", "new_volume", "similarity",
                    ].map { .init($0) }, format: list.format)
                for drift in try await DriftedBaseline.all(
                    of: version, clickHouse: live.clickHouse, pool: live.pool)
                {
                    try listing.add([
                        .text(drift.customerID), .text(codes[drift.metricKey] ?? drift.metricKey),
                        .text(drift.weekdayName), .measured(drift.volume),
                        .measured(drift.newVolume), .measured(drift.similarity),
                    ])
                }
                try listing.finish()
                return .done
            }
        }
    }

    struct Approve: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Let drifted baselines count: the customers have grown, or changed their ways.")

        @OptionGroup var common: CommonOptions
        @Argument(help: ArgumentHelp("Customers.", valueName: "customer"))
        var customers: [String] = []
        @Flag(name: .long, help: "All that have drifted.") var all = false
        @Option(name: .long, help: "Of this version (default: the newest).") var version: Int64?
        @Option(name: .long, help: "Who says so (default: you).") var by: String?
        @Option(name: .long, help: "Why; recorded with the name.") var reason: String

        mutating func validate() throws {
            guard customers.isEmpty == all else {
                throw ValidationError("name customers, or say --all")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            let command = self
            return try await Live.run(common, usesClickHouse: false) { live in
                let version = try await live.baselines(command.version)
                try await BaselineStore(pool: live.pool).approve(
                    version.version, customers: command.all ? nil : command.customers,
                    by: command.by ?? Live.person, reason: command.reason)
                try printLine(
                    version.state == "active"
                        ? "approved; they count from the next check on"
                        : "approved, but version \(version.version) is \(version.state): they count "
                            + "once it is active: jobs detect baselines promote \(version.version)")
                return .done
            }
        }
    }

    struct Promote: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Judge by this version from now on.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number, as list shows it.") var version: Int64

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [version] live in
                try await BaselineStore(pool: live.pool).promote(version, by: Live.person)
                try printLine("version \(version) is active")
                return .done
            }
        }
    }

    struct Rollback: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Judge by the version before the active one again.")

        @OptionGroup var common: CommonOptions

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { live in
                let store = BaselineStore(pool: live.pool)
                let versions = try await store.versions()
                let active = versions.first { $0.state == "active" }?.version ?? 0
                guard
                    let before = versions.first(where: {
                        $0.state == "retired" && $0.version < active
                    })
                else {
                    throw Failure(.badInput, "there is no version before the active one")
                }
                try await store.promote(before.version, by: Live.person)
                try printLine("version \(before.version) is active")
                return .done
            }
        }
    }
}

extension Live {
    /// A version of the baselines; nil: the newest.
    fileprivate func baselines(_ number: Int64?) async throws -> BaselineVersion {
        let versions = try await BaselineStore(pool: pool).versions()
        guard let version = versions.first(where: { number == nil || $0.version == number })
        else {
            throw Failure(
                .badInput, "there is no such version of the baselines: jobs run rebuild-baselines")
        }
        return version
    }
}
