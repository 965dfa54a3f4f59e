internal import Alerts
internal import ArgumentParser
internal import Exact
internal import Ledger

struct AlertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Look at alerts, and whether people heard of them.",
        subcommands: [
            List.self, Show.self, Retry.self, Resolve.self, Discard.self, Test.self,
        ])

    struct List: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "List alerts, the newest first.",
            discussion: """
                waiting, delivered and dead count what its routes have to hear of it; routes says whether \
                any were chosen.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "open, acknowledged or resolved.") var state: AlertState?
        @Option(name: .long, help: "Of this kind, such as payment_failed.") var kind: String?
        @OptionGroup var limits: LimitOptions

        mutating func runToStatus() async throws -> ExitStatus {
            let (state, kind) = (state?.rawValue, kind)
            return try await Live.run(common, usesClickHouse: false) { [list, limits] live in
                var listing = Listing(
                    [
                        .init("alert_id"), .init("severity"), .init("kind"), .init("subject"),
                        .init("state"), .init("raised_at"), .init("customer_id"),
                        .init("resolved_at", isInTable: false), .init("routes"), .init("waiting"),
                        .init("delivered"), .init("dead"), .init("key", isInTable: false),
                        .init("body", isInTable: false),
                    ], format: list.format)
                let records = AlertRecords(pool: live.pool)
                let found = try await records.list(
                    state: state, kind: kind, limit: limits.rows(list.format))
                for record in found {
                    try listing.add([
                        .integer(record.id), .text(record.alert.severity.rawValue),
                        .text(record.alert.kind), .text(record.alert.subject),
                        .text(record.state), .text("\(record.raisedAt)"),
                        .text(record.customerID), .text(record.resolvedAt.map { "\($0)" }),
                        .text(Self.routes(record)), .integer(Int64(record.waiting)),
                        .integer(Int64(record.delivered)), .integer(Int64(record.dead)),
                        .text(record.alert.key), .json(record.alert.body),
                    ])
                }
                try listing.finish()
                try await limits.reportRest(list.format, shown: found.count) {
                    try await records.count(state: state, kind: kind)
                }
                return .done
            }
        }

        private static func routes(_ record: AlertRecords.Record) -> String {
            if record.isUnrouted { return "not chosen" }
            return record.hasNoRoute ? "no route" : "chosen"
        }
    }

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one alert, and what each route heard of it.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number, or its key.") var id: String

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [id] live in
                let (record, deliveries, resolutions) =
                    try await AlertRecords(pool: live.pool).show(id)
                let alert = record.alert
                try printLine("alert \(record.id)  \(record.state)")
                try printLine(
                    "what      [\(alert.severity.rawValue)] \(alert.kind): \(alert.subject)")
                try printLine("key       \(alert.key)")
                let again = record.round > 1 ? ", for the \(record.round). time" : ""
                try printLine("raised    \(record.raisedAt)\(again)")
                if let person = record.acknowledgedBy { try printLine("seen by   \(person)") }
                if let at = record.resolvedAt { try printLine("resolved  \(at)") }
                for ended in resolutions {
                    try printLine("ended     by \(ended.by) at \(ended.at): \(ended.reason)")
                }
                try printLine("body      \(alert.body)")
                if record.isUnrouted {
                    try printLine("routes    not chosen yet: jobs run send-alerts")
                } else if record.hasNoRoute {
                    try printLine("routes    no route: none of alerts.routes matched it")
                }
                for delivery in deliveries { try printLine(Self.line(delivery)) }
                return .done
            }
        }

        private static func line(_ delivery: AlertRecords.Delivery) -> String {
            var line = "  \(delivery.route)  \(delivery.action)  \(delivery.state)"
            if let at = delivery.settledAt { line += " at \(at)" }
            if delivery.state == "pending", let at = delivery.nextAttemptAt {
                line += ", next at \(at)"
            }
            if delivery.attempts > 0 { line += ", \(delivery.attempts) attempts" }
            return line + (delivery.note.map { ": \($0)" } ?? "")
        }
    }

    struct Retry: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send again what was given up, once its cause is mended.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number, or its key.") var id: String?
        @Flag(name: .long, help: "Of all alerts.") var all = false

        mutating func validate() throws {
            guard (id == nil) == all else { throw ValidationError("name one, or say --all") }
        }

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [id] live in
                let records = AlertRecords(pool: live.pool)
                var alert: Int64?
                if let id { alert = try await records.show(id).record.id }
                let count = try await records.retry(alert: alert, by: Live.person)
                try printLine(
                    count == 0
                        ? "nothing was given up"
                        : "\(grouped(count)) sent again by the next jobs run send-alerts")
                return .done
            }
        }
    }

    struct Resolve: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Say that an alert is over, and tell its routes.",
            discussion: "For what nothing ends by itself, as an invoice that was voided.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number, or its key.") var id: String
        @OptionGroup var word: AlertWord

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [id, word] live in
                let records = AlertRecords(pool: live.pool)
                let alert = try await records.show(id).record.id
                guard
                    try await records.resolve(alert, by: word.person, reason: word.reason)
                else { throw Failure(.badInput, "alert \(alert) was resolved already") }
                try printLine("resolved; the next jobs run send-alerts tells its routes")
                return .done
            }
        }
    }

    struct Discard: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Give up what waits for a route that is not in alerts.routes any more.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The route's name.") var route: String
        @OptionGroup var word: AlertWord

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [route, word] live in
                guard !live.settings.alertRoutes.contains(where: { $0.name == route }) else {
                    throw Failure(
                        .usage, "alerts.routes has \(route): what waits for it is sent, or retried")
                }
                let count = try await AlertRecords(pool: live.pool).discard(
                    route: route, by: word.person, reason: word.reason)
                try printLine(
                    count == 0 ? "nothing waits for \(route)" : "\(grouped(count)) given up")
                return .done
            }
        }
    }

    struct Test: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a test message through a route, now, and say how that went.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The route's name in alerts.routes.") var route: String

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [name = route] live in
                let routes = live.settings.alertRoutes
                guard let configured = routes.first(where: { $0.name == name }) else {
                    let names = routes.map(\.name).sorted().joined(separator: ", ")
                    throw Failure(
                        .usage,
                        "there is no route \(name); alerts.routes has: \(names.isEmpty ? "none" : names)"
                    )
                }
                let route = try configured.withSecrets()
                let sender = try await AlertDelivery.sender(live)
                let now = Instant.now
                let alert = Alert(
                    key: "test:\(now.milliseconds)", kind: "test", severity: .info,
                    subject: "route \(route.name)",
                    body: #"{"next":"nothing to do: somebody tried whether this arrives"}"#)
                do {
                    // What was begun at a pager is ended again.
                    for action in [AlertNote.Action.trigger, .resolve] {
                        let missed = try await sender.send(
                            AlertMessage(
                                id: now.milliseconds, createdAt: now,
                                notes: [AlertNote(action: action, alert: alert, at: now)]),
                            to: route)
                        if let missed {
                            try printLine("\(route.name) took it, but not for all; \(missed)")
                            return .needsAPerson
                        }
                        guard case .pagerDuty = route.channel else { break }
                    }
                } catch let failure as AlertFailure {
                    switch failure {
                    case .refused(let text): throw Failure(.configuration, "\(route.name): \(text)")
                    case .later(let text, _): throw Failure(.unavailable, "\(route.name): \(text)")
                    }
                }
                try printLine("\(route.name) took it")
                return .done
            }
        }
    }
}

/// What a person says of alerts.
struct AlertWord: ParsableArguments, Sendable {
    @Option(name: .long, help: "Why; recorded with the name.") var reason: String
    @Option(name: .long, help: "Who says so (default: you).") var by: String?

    var person: String { by ?? Live.person }
}

enum AlertState: String, ExpressibleByArgument, CaseIterable {
    case open, acknowledged, resolved
}
