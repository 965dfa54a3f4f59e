internal import ArgumentParser
internal import Ledger

struct CustomersCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "customers", abstract: "Forget who a customer is.",
        subcommands: [Erase.self])

    struct Erase: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Forget who a customer is, but for what was charged.",
            discussion: """
                Takes away the e-mail address, what Stripe's events say of the customer, and links in alerts \
                to pages that do. Terms, invoices, lines, journals and requests stay, under the customer's id \
                and Stripe's: without the id, usage that was charged would be charged again. What Stripe and \
                the log of events hold is erased there, and first: an event that comes later tells it again. \
                Then run this again.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The customer's id.") var id: String
        @Option(name: .long, help: "Why; recorded with your name.") var reason: String

        mutating func runToStatus() async throws -> ExitStatus {
            try await Live.run(common, usesClickHouse: false) { [id, reason] live in
                let (events, waiting) = try await CustomerStore(pool: live.pool).erase(
                    id, by: Live.person, reason: reason)
                try printLine(
                    "erased the e-mail address, and the contents of \(grouped(events)) events of Stripe"
                )
                guard waiting > 0 else { return .done }
                try printLine(
                    "\(grouped(waiting)) events are not settled yet: run this again when they are (jobs webhooks list)"
                )
                return .needsAPerson
            }
        }
    }
}
