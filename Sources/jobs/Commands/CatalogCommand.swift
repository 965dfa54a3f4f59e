internal import ArgumentParser
internal import Billing
internal import Digest
internal import Exact
internal import Foundation
internal import Ledger
internal import Usage

struct CatalogCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalog",
        abstract: "What is metered, and what it costs.",
        subcommands: [Check.self, Apply.self, Show.self])

    struct Check: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Look for mistakes in a catalog file; needs no database.")

        @Argument(help: "catalog.yaml, or - for standard input.") var file: String

        mutating func runToStatus() async throws -> ExitStatus {
            let catalog = try Catalog(yaml: InputFile.text(file))
            try printLine(
                "\(file): catalog \(catalog.version), in force from \(catalog.effectiveFrom), "
                    + "\(catalog.metrics.count) metrics, \(catalog.plans.count) plans: no mistakes")
            return .done
        }
    }

    struct Apply: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Put a catalog version into force. It can never be changed afterwards.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "catalog.yaml, or - for standard input.") var file: String

        mutating func runToStatus() async throws -> ExitStatus {
            let source = try InputFile.text(file)
            let catalog = try Catalog(yaml: source)
            return try await Live.run(common) { live in
                let isNew = try await CatalogStore(pool: live.pool).apply(
                    .init(
                        version: catalog.version, effectiveFrom: catalog.effectiveFrom,
                        source: source, sourceSHA256: SHA256.hex(Array(source.utf8))))
                try printLine(
                    isNew
                        ? "catalog \(catalog.version) applied, in force from \(catalog.effectiveFrom)"
                        : "catalog \(catalog.version) is applied already: nothing to do")
                return .done
            }
        }
    }

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "List the applied versions; with one's name, its text; with a file, its prices.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Argument(help: "A version, or a catalog file.") var versionOrFile: String?

        mutating func runToStatus() async throws -> ExitStatus {
            if let versionOrFile, FileManager.default.fileExists(atPath: versionOrFile) {
                try Self.show(try Catalog(yaml: InputFile.text(versionOrFile)), list.format)
                return .done
            }
            return try await Live.run(common) { [versionOrFile, list] live in
                let versions = try await CatalogStore(pool: live.pool).all()
                if let versionOrFile {
                    guard let version = versions.first(where: { $0.version == versionOrFile })
                    else {
                        throw Failure(
                            .badInput,
                            "there is neither a file nor an applied catalog '\(versionOrFile)'")
                    }
                    try write(Array(version.source.utf8), to: STDOUT_FILENO)
                    return .done
                }
                var listing = Listing(
                    [.init("version"), .init("effective_from"), .init("sha256")],
                    format: list.format)
                for version in versions {
                    try listing.add([
                        .text(version.version), .text("\(version.effectiveFrom)"),
                        .text(version.sourceSHA256),
                    ])
                }
                try listing.finish()
                return .done
            }
        }

        private static func show(_ catalog: Catalog, _ format: ListFormat) throws {
            var listing = Listing(
                [
                    .init("plan"), .init("currency"), .init("metric"), .init("model"),
                    .init("from"), .init("up_to"), .init("unit_amount"), .init("flat_amount"),
                ], format: format)
            for plan in catalog.plans {
                if let baseFee = plan.baseFee {
                    try listing.add(row(plan, nil, "base_fee", nil, nil, nil, baseFee))
                }
                for charge in plan.charges { try show(charge, of: plan, &listing) }
                if let minimum = plan.minimum {
                    try listing.add(row(plan, nil, "minimum", nil, nil, nil, minimum))
                }
            }
            try listing.finish()
        }

        private static func show(_ charge: Charge, of plan: Plan, _ listing: inout Listing) throws {
            switch charge.model {
            case .perUnit(let amount):
                try listing.add(row(plan, charge.metric, "per_unit", nil, nil, amount, nil))
            case .package(let size, let amount):
                try listing.add(
                    row(plan, charge.metric, "package of \(size)", nil, nil, amount, nil))
            case .graduated(let tiers), .volume(let tiers):
                var floor = ExactDecimal.zero
                let isVolume = if case .volume = charge.model { true } else { false }
                for tier in tiers {
                    try listing.add(
                        row(
                            plan, charge.metric, isVolume ? "volume" : "graduated", floor,
                            tier.upTo,
                            tier.unitAmount, tier.flatAmount))
                    floor = tier.upTo ?? floor
                }
            }
        }

        private static func row(
            _ plan: Plan, _ metric: String?, _ model: String, _ from: ExactDecimal?,
            _ upTo: ExactDecimal?, _ unitAmount: ExactDecimal?, _ flatAmount: ExactDecimal?
        ) -> [Cell] {
            [
                .text(plan.code), .text(plan.currency.code), .text(metric), .text(model),
                .decimal(from.map(String.init(describing:))),
                .decimal(upTo.map(String.init(describing:))),
                .decimal(unitAmount.map(String.init(describing:))),
                .decimal(flatAmount.map(String.init(describing:))),
            ]
        }
    }
}
