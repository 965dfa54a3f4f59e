internal import ArgumentParser
internal import Billing
internal import Ledger

struct DeadLettersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters", abstract: "What was given up until a person has looked.",
        subcommands: [List.self, Show.self, Retry.self, Discard.self])

    struct List: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "List dead letters, with why they were given up.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Flag(name: .long, help: "Those too that were retried or discarded.") var all = false

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [list, all] live in
                var listing = Listing(
                    [
                        .init("dead_letter_id"), .init("kind"), .init("subject_id"),
                        .init("customer_id"), .init("slot"), .init("recovery_point"),
                        .init("created_at"), .init("resolution"), .init("reason"),
                    ], format: list.format)
                let letters = DeadLetterStore(pool: live.pool)
                for letter in try await letters.list(includesResolved: all) {
                    try listing.add([
                        .integer(letter.id), .text(letter.kind), .text(letter.subjectID),
                        .text(letter.customerID), .text(letter.slot), .text(letter.recoveryPoint),
                        .text("\(letter.createdAt)"), .text(letter.resolution),
                        .text(letter.reason),
                    ])
                }
                try listing.finish()
                return .done
            }
        }
    }

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one dead letter, and everything that happened to its invoice.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number.") var id: Int64

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id] live in
                let letter = try await DeadLetterStore(pool: live.pool).letter(id)
                try printLine("dead letter \(letter.id), since \(letter.createdAt)")
                try printLine("why       \(letter.reason)")
                if let resolution = letter.resolution, let at = letter.resolvedAt {
                    let reason = letter.resolveReason.map { ": \($0)" } ?? ""
                    try printLine("\(resolution) by \(letter.resolvedBy ?? "?") at \(at)\(reason)")
                } else {
                    try printLine(
                        "next      jobs dead-letters retry \(id), once the cause is mended")
                }
                guard letter.kind == "invoice" else { return .done }
                try printLine()
                try await InvoiceExplanation.read(letter.subjectID, live).print()
                return .done
            }
        }
    }

    struct Retry: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Go on with dead letters from where they stopped.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number.") var id: Int64?
        @Flag(name: .long, help: "All that are open.") var all = false

        mutating func validate() throws {
            guard (id == nil) == all else { throw ValidationError("name one, or say --all") }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id] live in
                let store = DeadLetterStore(pool: live.pool)
                if let id { _ = try await store.letter(id) }
                let open = try await store.list(includesResolved: false, id: id)
                guard open.contains(where: { $0.kind == "invoice" }) else {
                    try report(await store.retry(id, by: Live.person))
                    return .done
                }
                _ = try live.settings.requiredStripeKey()
                guard live.settings.billingMode == .live else {
                    throw SettingsError(
                        "billing.mode is dry-run; dead letters of invoices go on in live mode only")
                }
                return try await StopRequest.listening(
                    graceSeconds: live.settings.stopGraceSeconds
                ) { stop in
                    try await retry(id, Submission.prepare(live, stop: stop), store)
                }
            }
        }

        /// What others go on with.
        private func report(_ letters: [DeadLetter]) throws {
            let counts = Dictionary(grouping: letters, by: \.kind).mapValues(\.count)
            if letters.isEmpty { try printLine("nothing to retry") }
            if let events = counts["webhook"] {
                try printLine(
                    "\(grouped(events)) events are pending again, for serve or process-webhooks")
            }
            if let messages = counts["alert"] {
                try printLine(
                    "\(grouped(messages)) messages go out again, by serve or send-alerts")
            }
        }

        private func retry(
            _ id: Int64?, _ submission: Submission, _ store: DeadLetterStore
        ) async throws -> ExitStatus {
            let letters = try await store.retry(id, by: Live.person)
            let invoices = letters.filter { $0.kind == "invoice" }
            try report(letters)
            guard !invoices.isEmpty else { return .done }
            let summary = try await submission.resume(customers: invoices.compactMap(\.customerID))
            try printLine(
                "\(grouped(invoices.count)) tried again: \(grouped(summary.collected)) sent, "
                    + "\(grouped(summary.held.count)) held, "
                    + "\(grouped(summary.deadLetters.count)) dead again")
            for failure in summary.held + summary.deadLetters {
                try printLine("  \(failure.invoice.invoiceID)  \(failure.reason)")
            }
            return summary.needsAPerson ? .needsAPerson : .done
        }
    }

    struct Discard: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give a dead letter up for good; an invoice stays held.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number.") var id: Int64
        @Option(name: .long, help: "Why; recorded with your name.") var reason: String

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id, reason] live in
                let letters = DeadLetterStore(pool: live.pool)
                let letter = try await letters.letter(id)
                guard try await letters.discard(id, by: Live.person, reason: reason) else {
                    throw Failure(
                        .badInput,
                        "dead letter \(id) was \(letter.resolution ?? "resolved") already")
                }
                try printLine("discarded; \(Self.outcome(of: letter))")
                return .done
            }
        }

        private static func outcome(of letter: DeadLetter) -> String {
            switch letter.kind {
            case "webhook": "\(letter.subjectID) is worked on no more"
            case "alert": "what waits behind the message goes out"
            default: "\(letter.subjectID) stays held"
            }
        }
    }
}
