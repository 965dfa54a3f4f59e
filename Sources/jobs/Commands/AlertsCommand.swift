internal import Alerts
internal import ArgumentParser
internal import Exact
internal import Ledger

struct AlertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "Look at alerts, and whether people heard of them.",
        subcommands: [List.self, Show.self, Retry.self, Test.self])

    struct List: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "List alerts, the newest first.",
            discussion: "waiting, delivered and dead count what its routes have to hear of it.")

        @OptionGroup var common: CommonOptions
        @OptionGroup var list: ListOptions
        @Option(name: .long, help: "open, acknowledged or resolved.") var state: AlertState?
        @Option(name: .long, help: "Of this kind, such as payment_failed.") var kind: String?
        @Option(name: .long, help: "At most so many.") var limit = 100

        mutating func runToStatus() async throws -> ExitStatus {
            let (state, kind, limit) = (state?.rawValue, kind, max(0, limit))
            return try await Live.run(common, usesClickHouse: false) { [list] live in
                var listing = Listing(
                    [
                        .init("alert_id"), .init("severity"), .init("kind"), .init("subject"),
                        .init("state"), .init("raised_at"), .init("customer_id"),
                        .init("resolved_at", isInTable: false), .init("waiting"),
                        .init("delivered"), .init("dead"), .init("key", isInTable: false),
                        .init("body", isInTable: false),
                    ], format: list.format)
                let records = AlertRecords(pool: live.pool)
                for record in try await records.list(state: state, kind: kind, limit: limit) {
                    try listing.add([
                        .integer(record.id), .text(record.alert.severity.rawValue),
                        .text(record.alert.kind), .text(record.alert.subject),
                        .text(record.state), .text("\(record.raisedAt)"),
                        .text(record.customerID), .text(record.resolvedAt.map { "\($0)" }),
                        .integer(Int64(record.waiting)), .integer(Int64(record.delivered)),
                        .integer(Int64(record.dead)), .text(record.alert.key),
                        .json(record.alert.body),
                    ])
                }
                try listing.finish()
                return .done
            }
        }
    }

    struct Show: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show one alert, and what each route heard of it.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "Its number, or its key.") var id: String

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [id] live in
                let (record, deliveries) = try await AlertRecords(pool: live.pool).show(id)
                let alert = record.alert
                try printLine("alert \(record.id)  \(record.state)")
                try printLine(
                    "what      [\(alert.severity.rawValue)] \(alert.kind): \(alert.subject)")
                try printLine("key       \(alert.key)")
                let again = record.round > 1 ? ", for the \(record.round). time" : ""
                try printLine("raised    \(record.raisedAt)\(again)")
                if let person = record.acknowledgedBy { try printLine("seen by   \(person)") }
                if let at = record.resolvedAt { try printLine("resolved  \(at)") }
                try printLine("body      \(alert.body)")
                if record.isUnrouted {
                    try printLine("routes    not chosen yet: jobs run send-alerts")
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

    struct Test: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Send a test message through a route, now, and say how that went.")

        @OptionGroup var common: CommonOptions
        @Argument(help: "The route's name in alerts.routes.") var route: String

        mutating func runToStatus() async throws -> ExitStatus {
            return try await Live.run(common, usesClickHouse: false) { [route] live in
                let routes = live.settings.alertRoutes
                guard let route = routes.first(where: { $0.name == route }) else {
                    let names = routes.map(\.name).sorted().joined(separator: ", ")
                    throw Failure(
                        .usage,
                        "there is no route \(route); alerts.routes has: \(names.isEmpty ? "none" : names)"
                    )
                }
                let delivery = try await AlertDelivery(live)
                let now = Instant.now
                let alert = Alert(
                    key: "test:\(now.milliseconds)", kind: "test", severity: .info,
                    subject: "route \(route.name)",
                    body: #"{"next":"nothing to do: somebody tried whether this arrives"}"#)
                do {
                    // What was begun at a pager is ended again.
                    for action in [AlertNote.Action.trigger, .resolve] {
                        try await delivery.sender.send(
                            AlertMessage(
                                id: now.milliseconds, createdAt: now,
                                notes: [AlertNote(action: action, alert: alert, at: now)]),
                            to: route)
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

enum AlertState: String, ExpressibleByArgument, CaseIterable {
    case open, acknowledged, resolved
}
