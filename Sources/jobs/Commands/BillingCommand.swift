internal import ArgumentParser
internal import Ledger

struct BillingCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "billing", abstract: "Stop sending anything to Stripe, and go on.",
        subcommands: [Pause.self, Resume.self])

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
            try await Live.run(common) { [reason] live in
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
            try await Live.run(common) { live in
                let wasPaused = try await BillingPause.end(by: Live.person, pool: live.pool)
                try printLine(
                    wasPaused ? "billing goes on with the next run" : "billing was not paused")
                return .done
            }
        }
    }
}
