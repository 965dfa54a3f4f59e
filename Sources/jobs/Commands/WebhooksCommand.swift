internal import ArgumentParser
internal import Billing
internal import Exact
internal import Foundation
internal import Ledger

struct WebhooksCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "webhooks", abstract: "Look at the events that Stripe sent, and replay them.",
        subcommands: [List.self, Show.self, Replay.self, Endpoint.self])

    struct List: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "List events, the newest first.",
            discussion: """
                pending: not worked on yet, or tried again later; processed; ignored: nothing follows from \
                its type; foreign: not about an invoice of this ledger; dead: given up until a person looks.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "In this state.") var state: WebhookState?
        @Option(name: .long, help: "Of this type, such as invoice.paid.") var type: String?
        @Option(name: .long, help: "About this invoice of ours.") var invoice: String?
        @OptionGroup var limits: LimitOptions

        mutating func runToStatus() async throws -> ExitStatus {
            var filter = WebhookRecords.Filter()
            filter.state = state?.rawValue
            filter.type = type
            filter.invoiceID = invoice
            filter.limit = limits.rows(list.format)
            return try await Live.run(common, usesClickHouse: false) {
                [filter, list, limits] live in
                let records = WebhookRecords(pool: live.pool)
                let listing = SharedListing(WebhookRow.columns, format: list.format)
                try await records.forEachBatch(filter) { events in
                    for event in events { try listing.add(WebhookRow.cells(event)) }
                }
                try listing.finish()
                try await limits.reportRest(list.format, shown: listing.rows) {
                    try await records.count(filter)
                }
                return .done
            }
        }
    }

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one event: what became of it, and what Stripe sent.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The event's id, evt_...") var id: String

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [id] live in
                let (record, payload) = try await WebhookRecords(pool: live.pool).show(id)
                for (column, cell) in zip(WebhookRow.columns, WebhookRow.cells(record)) {
                    try printLine(
                        column.name.padding(toLength: 18, withPad: " ", startingAt: 0) + cell.table)
                }
                try printLine()
                try printLine(payload)
                return .done
            }
        }
    }

    struct Replay: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Make an event pending again; it is worked on by serve or process-webhooks.",
            discussion: """
                Replaying an event that was processed changes nothing that is right. One that was erased with \
                its customer is not replayed.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "The event's id, evt_...") var id: String

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [id] live in
                try await WebhookRecords(pool: live.pool).replay(id, by: Live.person)
                try printLine("\(id) is pending again")
                return .done
            }
        }
    }

    struct Endpoint: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Register the endpoint with Stripe.", subcommands: [Create.self])

        struct Create: StatusCommand {
            static let configuration = CommandConfiguration(
                abstract:
                    "Register an endpoint for the events and the version that this program reads.",
                discussion: """
                    Prints the secret, which Stripe says only once: put it into STRIPE_WEBHOOK_SECRETS. The \
                    URL is that of the reverse proxy in front of jobs serve, ending in /webhooks/stripe.
                    """)

            @OptionGroup var common: CommonOptions
            @Argument(help: "https://..., as Stripe reaches it.") var url: String

            mutating func validate() throws {
                guard let parts = URL(string: url), parts.host != nil,
                    ["https", "http"].contains(parts.scheme ?? "")
                else { throw ValidationError("the URL is https://host/webhooks/stripe") }
            }

            mutating func runToStatus() async throws -> ExitStatus {
                return try await Live.run(common, usesClickHouse: false) { [url] live in
                    let (client, _) = try live.stripe()
                    let endpoint = try await WebhookEndpoint.create(
                        url: url, idempotencyKey: "meterflow_endpoint_\(UUID())", client: client)
                    try printLine("endpoint  \(endpoint.id)")
                    try printLine("secret    \(endpoint.secret)")
                    return .done
                }
            }
        }
    }
}

enum WebhookState: String, ExpressibleByArgument, CaseIterable {
    case pending, processed, ignored, foreign, dead
}

/// An event as a row of a list.
enum WebhookRow {
    static let columns: [Listing.Column] = [
        .init("event_id"), .init("type"), .init("state"), .init("received_at"), .init("attempts"),
        .init("object_id", isInTable: false), .init("invoice_id"),
        .init("mode", isInTable: false), .init("account", isInTable: false),
        .init("api_version", isInTable: false), .init("source", isInTable: false),
        .init("settled_at", isInTable: false), .init("next_attempt_at", isInTable: false),
        .init("note"),
    ]

    static func cells(_ record: WebhookRecord) -> [Cell] {
        func instant(_ milliseconds: Int64?) -> Cell {
            .text(milliseconds.map { "\(Instant(milliseconds: $0))" })
        }
        return [
            .text(record.id), .text(record.type), .text(record.state), instant(record.received),
            .integer(Int64(record.attempts)), .text(record.objectID), .text(record.invoiceID),
            .text(record.isLive ? "live" : "test"), .text(record.account),
            .text(record.apiVersion), .text(record.source), instant(record.settled),
            instant(record.state == "pending" ? record.nextAttempt : nil), .text(record.note),
        ]
    }
}
