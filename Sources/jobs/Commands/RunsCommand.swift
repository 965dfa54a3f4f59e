internal import ArgumentParser
internal import Exact
internal import Ledger

struct RunsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs", abstract: "What ran, what is due, and what was left out.",
        subcommands: [List.self, Show.self])

    struct List: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "List slots with their last attempt, and runs of continuous jobs.",
            discussion: """
                The newest come first. Slots are pending (due, or given back), running, succeeded, \
                failed (and due again), or skipped: by the job's policy, with its name as the reason.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "Of this job, such as bill, bill-dry-run or seal-usage.")
        var job: String?
        @Option(
            name: .long, help: ArgumentHelp("Of this slot.", valueName: "S")) var slot: Slot?
        @Option(name: .long, help: "With this status.") var status: SlotStatus?
        @OptionGroup var limits: LimitOptions
        @Flag(name: .long, help: "Instead, every job's last success, and how old it is.")
        var lastSuccess = false

        mutating func validate() throws {
            guard !lastSuccess || (slot == nil && status == nil) else {
                throw ValidationError("--last-success goes with --job only")
            }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [self] live in
                let history = RunHistory(pool: live.pool)
                if lastSuccess {
                    try await printLastSuccesses(history)
                    return .done
                }
                let filter = RunHistory.Filter(
                    job: job, slot: slot.map(String.init(describing:)), status: status?.rawValue)
                let listing = SharedListing(RunRow.columns, format: list.format)
                try await history.forEachBatch(filter, limit: limits.rows(list.format)) { runs in
                    for run in runs { try listing.add(RunRow.cells(run)) }
                }
                try listing.finish()
                try await limits.reportRest(list.format, shown: listing.rows) {
                    try await history.count(filter)
                }
                return .done
            }
        }

        private func printLastSuccesses(_ history: RunHistory) async throws {
            var listing = Listing(
                ["job", "slot", "succeeded_at", "age_seconds"].map { .init($0) },
                format: list.format)
            for success in try await history.lastSuccesses() where success.job == job ?? success.job
            {
                try listing.add([
                    .text(success.job), .text(success.slot), .text("\(success.succeededAt)"),
                    .integer(success.ageSeconds),
                ])
            }
            try listing.finish()
        }
    }

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Every attempt at one slot: when, by whom, how it ended, what it did.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Argument(help: "The job, such as bill or bill-dry-run.") var job: String
        @Argument(help: "The slot, such as 2026-10.") var slot: Slot

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [job, slot, list] live in
                let history = RunHistory(pool: live.pool)
                guard
                    let run = try await history.runs(job: job, slot: "\(slot)", limit: 1).first
                else { throw LedgerError.noRun(slot, ofJob: job) }
                let attempts = try await history.attempts(job: job, slot: slot)
                guard list.format == .table else {
                    var listing = Listing(RunRow.columns, format: list.format)
                    for attempt in attempts { try listing.add(RunRow.cells(attempt)) }
                    try listing.finish()
                    return .done
                }
                try RunRow.explain(run, attempts)
                return .done
            }
        }
    }
}

/// What a slot, or an attempt at one, can be.
enum SlotStatus: String, ExpressibleByArgument, CaseIterable {
    case pending
    case running
    case succeeded
    case failed
    case skipped
}

extension Slot: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }
}
