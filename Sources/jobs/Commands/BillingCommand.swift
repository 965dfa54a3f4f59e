internal import ArgumentParser
internal import Exact
internal import Ledger

struct BillingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "billing",
        abstract: "How far a month is; stop sending anything to Stripe, and go on.",
        subcommands: [Status.self, Pause.self, Resume.self])

    struct Status: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Count invoices and money by what became of them.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "Of this month, as 2026-10.") var slot: CivilMonth?

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [slot, list] live in
                var listing = Listing(
                    [
                        .init("slot"), .init("mode"), .init("status"), .init("held"),
                        .init("dead_letter"), .init("currency"), .init("invoices"),
                        .init("total_minor"),
                    ], format: list.format)
                let month = slot.map(String.init(describing:))
                for row in try await BillingStatus.list(slot: month, pool: live.pool) {
                    try listing.add([
                        .text(row.slot), .text(row.mode), .text(row.status), .text(row.held),
                        .text(row.isDeadLetter ? "yes" : nil), .text(row.currency.code),
                        .integer(row.invoices), .money(row.totalMinor, row.currency),
                    ])
                }
                try listing.finish()
                if list.format == .table,
                    let pause = try await BillingPause.current(pool: live.pool)
                {
                    try printLine("paused by \(pause.by) since \(pause.since): \(pause.reason)")
                }
                return .done
            }
        }
    }

    struct Pause: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Stop new requests to Stripe, of every run on every machine, until resumed.",
            discussion: """
                A run that is at work ends within a second or so; what it has begun goes on after \
                jobs billing resume, and the next run.
                """)

        @OptionGroup var common: CommonOptions
        @Option(name: .long, help: "Why; recorded with your name.") var reason: String

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [reason] live in
                guard try await BillingPause.begin(by: Live.person, reason: reason, pool: live.pool)
                else {
                    let pause = try await BillingPause.current(pool: live.pool)
                    let words = pause.map { " by \($0.by) since \($0.since): \($0.reason)" } ?? ""
                    try printLine("billing is paused already\(words)")
                    return .done
                }
                try printLine("billing is paused; go on with: jobs billing resume")
                return .done
            }
        }
    }

    struct Resume: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Let requests to Stripe go out again. The next run goes on where others stopped.")

        @OptionGroup var common: CommonOptions

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { live in
                let wasPaused = try await BillingPause.end(by: Live.person, pool: live.pool)
                try printLine(
                    wasPaused ? "billing goes on with the next run" : "billing was not paused")
                return .done
            }
        }
    }
}
