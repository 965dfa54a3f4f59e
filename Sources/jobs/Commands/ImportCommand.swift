internal import ArgumentParser
internal import Billing
internal import Digest
internal import Exact
internal import Foundation
internal import Ledger
internal import Usage

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Bring in usage events, access logs and customers.",
        discussion: "Importing the same thing again adds nothing.",
        subcommands: [AccessLog.self, Events.self, Customers.self])

    struct AccessLog: StatusCommand {
        static let configuration = CommandConfiguration(
            commandName: "access-log",
            abstract: "Turn a web server's or API gateway's log into usage events.",
            discussion: """
                Reads the common and combined formats of Apache and nginx, and one JSON object a line. \
                Each request becomes an event 'api_request' with status, bytes, method and endpoint. \
                A request is identified by everything before it in the file, so that a log can be \
                imported again when it has grown or was rotated. Logs of several servers that may begin \
                with the same lines are told apart by --source.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var rejects: RejectOptions
        @Argument(help: "The log, or - for standard input.") var file: String

        @Option(name: .long, help: "auto, common, combined or json.")
        var logFormat: LogFormat = .auto
        @Option(
            name: .long,
            help: "Who is billed: host (default), user, query:NAME; of JSON a field's path.")
        var customer: String?
        @Option(
            name: .long,
            help: "A name that is part of every identity: the same for each import of this log.")
        var source = ""
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Of JSON: where things are; names: time, status, bytes, method, endpoint, id.",
                discussion: "For example --field time=requestTime --field bytes=responseLength",
                valueName: "name=path"))
        var field: [String] = []
        @Option(
            name: .long,
            help: "Of JSON: how times are written: auto, epoch_s, epoch_ms, rfc3339, clf.")
        var timeFormat: TimestampFormat = .automatic

        mutating func validate() throws {
            _ = try options()
        }

        mutating func runToStatus() async throws -> ExitStatus {
            let importer = AccessLogImporter(
                options: try options(), nowMilliseconds: Instant.now.milliseconds,
                hash: SHA256.hash)
            return try await ImportRun(file: file, rejects: rejects).run(common, importer)
        }

        private func options() throws -> AccessLogOptions {
            var mapping = JSONLogMapping.awsAPIGateway
            mapping.timeFormat = timeFormat
            for item in field {
                let parts = item.split(separator: "=", maxSplits: 1).map(String.init)
                guard parts.count == 2, let member = Self.fields[parts[0]] else {
                    throw ValidationError(
                        "--field is NAME=PATH with a name of time, status, bytes, method, endpoint, id; not '\(item)'"
                    )
                }
                member(&mapping, JSONPath(parts[1]))
            }
            let isJSON = logFormat == .json || !field.isEmpty
            var options = AccessLogOptions(source: source)
            if isJSON, let customer, AccessLogCustomer(customer) == nil {
                mapping.customer = JSONPath(customer)
            } else if let customer {
                guard let choice = AccessLogCustomer(customer) else {
                    throw ValidationError(
                        "--customer is host, user or query:NAME; a path only goes with --log-format json"
                    )
                }
                options.customer = choice
            }
            switch logFormat {
            case .auto: options.format = field.isEmpty ? .automatic : .json(mapping)
            case .common: options.format = .common
            case .combined: options.format = .combined
            case .json: options.format = .json(mapping)
            }
            return options
        }

        private static let fields: [String: @Sendable (inout JSONLogMapping, JSONPath) -> Void] = [
            "time": { $0.time = $1 }, "status": { $0.status = $1 }, "bytes": { $0.bytes = $1 },
            "method": { $0.method = $1 }, "endpoint": { $0.endpoint = $1 }, "id": { $0.id = $1 },
        ]
    }

    enum LogFormat: String, ExpressibleByArgument, CaseIterable {
        case auto
        case common
        case combined
        case json
    }

    struct Events: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take usage events, one JSON object a line.",
            discussion: """
                {"transaction_id":"t1","customer_id":"acme","event_type":"api_request",
                 "timestamp":1790000000000,"properties":{"status":200,"bytes":512}}
                Times are epoch milliseconds, at most 5 minutes ahead and 30 days old.
                """)

        @OptionGroup var common: CommonOptions
        @OptionGroup var rejects: RejectOptions
        @Argument(help: "The file, or - for standard input.") var file: String
        @Flag(name: .long, help: "Take events of any age.") var allowBackfill = false

        mutating func runToStatus() async throws -> ExitStatus {
            let importer = EventImporter(
                nowMilliseconds: Instant.now.milliseconds, allowBackfill: allowBackfill)
            return try await ImportRun(file: file, rejects: rejects).run(common, importer)
        }
    }

    struct Customers: StatusCommand {
        static let configuration = CommandConfiguration(
            abstract: "Take customers and their terms from a CSV file with a header.",
            discussion: """
                Columns: customer_id, plan, currency; optional: stripe_customer_id, timezone (UTC), \
                collection_method (send_invoice), days_until_due (30), email, active_from, active_until. \
                All of the file is taken, or none. Changed terms are added, never overwritten: a period \
                is billed by the terms in force on its first day.
                """)

        @OptionGroup var common: CommonOptions
        @Argument(help: "customers.csv, or - for standard input.") var file: String
        @Option(
            name: .long,
            help: ArgumentHelp(
                "From when changed terms hold (default: today, so from the next period on).",
                valueName: "date"))
        var effectiveFrom: CivilDate?

        mutating func runToStatus() async throws -> ExitStatus {
            let bytes = try InputFile.bytes(file)
            let start = effectiveFrom ?? .today
            return try await Live.run(common) { live in
                let newest = try await CatalogStore(pool: live.pool).all().last
                let customers = try CustomerFile.read(
                    bytes, catalog: newest.map { try Catalog(yaml: $0.source) })
                let result = try await CustomerStore(pool: live.pool).upsert(
                    customers, effectiveFrom: start)
                try printLine(
                    "\(customers.count) customers: \(result.added) added, \(result.changed) changed, "
                        + "\(result.unchanged) unchanged")
                return .done
            }
        }
    }
}

extension CivilDate: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }
}

extension TimestampFormat: ExpressibleByArgument {}
