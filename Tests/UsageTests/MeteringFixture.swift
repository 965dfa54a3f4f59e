import ClickHouse
import Exact
import Glibc
import HTTP
import Ledger
import Testing

@testable import Usage

/// A row of the log, as somebody else's pipeline may have written it.
struct LogRow: Sendable, Hashable {
    var id = "t1"
    var customer = "acme"
    var type = "call"
    /// Milliseconds since 1970 UTC.
    var at: Int64 = day + 43_200_000
    var properties = "{}"
    var ingested: Int64 = day + 50_000_000
}

/// 2026-10-01T00:00:00Z.
let day: Int64 = 1_790_812_800_000
let hourMilliseconds: Int64 = 3_600_000
let dayMilliseconds: Int64 = 86_400_000

/// October 2026 in UTC: the period of most tests.
let october = (start: day, end: day + 31 * dayMilliseconds)

/// Runs a test with a log of its own, in a database that is dropped afterwards.
///
/// - Parameter engine: `nil` for the table that this program makes.
func withLog(engine: String? = nil, _ body: (ClickHouseClient) async throws -> Void) async throws {
    try await withUsageDatabase { client in
        if let engine {
            try await client.execute(
                ClickHouseQuery(
                    """
                    CREATE TABLE events (transaction_id String, customer_id String, event_type String,
                        timestamp DateTime64(3, 'UTC'), properties String,
                        ingested_at DateTime64(3, 'UTC')) ENGINE = \(engine)
                    """))
        } else {
            _ = try await UsageSchema(clickHouse: client).apply()
        }
        try await body(client)
    }
}

/// Runs a test in a database of its own; without a server these tests cannot mean anything.
func withUsageDatabase(
    engine: String = "", _ body: (ClickHouseClient) async throws -> Void
) async throws {
    let url = try #require(
        getenv("CLICKHOUSE_URL").map { String(cString: $0) },
        "CLICKHOUSE_URL is not set: these tests need a ClickHouse")
    let configuration = try ClickHouseConfiguration(url: url)
    let http = try HTTPClient()
    let administrator = ClickHouseClient(configuration: configuration, http: http)
    let name = "test_" + String(UInt64.random(in: 0 ... .max), radix: 36)
    try await administrator.execute(ClickHouseQuery("CREATE DATABASE \(name) \(engine)"))
    do {
        try await body(
            ClickHouseClient(
                configuration: ClickHouseConfiguration(configuration, database: name), http: http))
    } catch {
        try? await administrator.execute(ClickHouseQuery("DROP DATABASE \(name)"))
        throw error
    }
    try await administrator.execute(ClickHouseQuery("DROP DATABASE \(name)"))
}

extension ClickHouseClient {
    /// Appends rows to the log; each call is a part of its own.
    func log(_ rows: [LogRow]) async throws {
        var text = ""
        for row in rows {
            let fields = [row.id, row.customer, row.type, row.properties].map(Self.escaped)
            text +=
                "\(fields[0])\t\(fields[1])\t\(fields[2])\t\(Self.seconds(row.at))\t\(fields[3])\t"
            text += "\(Self.seconds(row.ingested))\n"
        }
        try await insert(
            into: "events",
            columns: [
                "transaction_id", "customer_id", "event_type", "timestamp", "properties",
                "ingested_at",
            ], format: "TabSeparated", rows: Array(text.utf8))
    }

    /// The column `value` of an answer.
    func values(
        _ sql: String, _ parameters: [String: ClickHouseValue] = [:]
    ) async throws -> [String] {
        try await rows(ClickHouseQuery(sql, parameters: parameters)).map { try $0.string("value") }
    }

    /// Seals the whole log anew, in one batch and without metrics, which are backfilled: so an event counts
    /// although its quantity cannot be read.
    func sealAll(_ metrics: [Metric] = []) async throws {
        for row in try await rows(ClickHouseQuery("SHOW TABLES LIKE 'usage_%'")) {
            try await execute(ClickHouseQuery("DROP TABLE \(try row.string("name"))"))
        }
        try await UsageTables(generation: 1).create(self)
        try await writer.dropStages(through: 1)
        _ = try await writer.write(
            1, round: 1, range: BatchRange(firstMinute: 0, endMinute: 120_000_000, rows: 0))
        let columns = metrics.filter(\.isAdditive).enumerated().map {
            MetricColumns(metric: $1, index: $0)
        }
        guard !columns.isEmpty else { return }
        try await RollupWriter(clickHouse: self, sealed: sealed(metrics), columns: columns)
            .backfill(batches: 1...1)
    }

    var writer: BatchWriter {
        BatchWriter(
            clickHouse: self,
            source: SourceTable("events", defaultDatabase: configuration.database)!,
            sealed: SealedUsage(generation: 1, cutoff: 0, hidden: [], rollupKeys: [:]), metrics: [])
    }

    func usage(
        _ query: PeriodUsageQuery, customer: String? = nil
    ) async throws -> [CustomerUsage] {
        try await sealAll(query.metrics)
        var usage: [CustomerUsage] = []
        try await UsageReader(clickHouse: self).forEachBatch(query, customer: customer) {
            usage += $0
        }
        // The rollups say what the events themselves say.
        for customer in usage.prefix(2) {
            #expect(
                try await UsageReader(clickHouse: self)
                    .fromWinners(query, customer: customer.customerID) == customer)
        }
        return usage
    }

    /// What the only customer of a log used in October.
    func usage(
        of metric: Metric, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> MetricUsage {
        let customers = try await usage(period([metric]))
        try #require(customers.count <= 1, sourceLocation: sourceLocation)
        return customers.first?.metrics[0] ?? .none
    }

    func figures(_ query: PeriodUsageQuery = period([])) async throws -> Figures {
        try await sealAll()
        let figures = try await UsageReader(clickHouse: self).figures(query)
        let quarantined = try await quarantineStage(query, nil)
        return Figures(
            events: figures.events, duplicates: figures.duplicates, conflicts: figures.conflicts,
            quarantined: Int64(quarantined.count))
    }

    func conflicts(
        _ query: PeriodUsageQuery = period([]), customer: String? = nil
    ) async throws -> [ConflictingEvent] {
        try await sealAll()
        var events: [ConflictingEvent] = []
        try await UsageReader(clickHouse: self).forEachConflict(query, customer: customer) {
            events += $0
        }
        return events
    }

    /// Rows that do not count, and events whose quantity cannot be read.
    func quarantined(
        _ query: PeriodUsageQuery = period([]), customer: String? = nil
    ) async throws -> [QuarantinedEvent] {
        try await sealAll(query.metrics)
        var events = try await quarantineStage(query, customer)
        try await UsageReader(clickHouse: self).forEachUnreadable(query, customer: customer) {
            events += $0.map {
                QuarantinedEvent(
                    customerID: $0.customerID, transactionID: $0.transactionID,
                    content: $0.content, reasons: $0.reasons)
            }
        }
        return events
    }

    private func quarantineStage(
        _ query: PeriodUsageQuery, _ customer: String?
    ) async throws -> [QuarantinedEvent] {
        var events: [QuarantinedEvent] = []
        try await writer.forEachQuarantined(of: 1) { rows in
            for row in rows where query.start <= row.timestamp && row.timestamp < query.end {
                guard customer == nil || customer == row.customerID else { continue }
                let event = QuarantinedEvent(
                    customerID: row.customerID, transactionID: row.transactionID,
                    content: EventContent(
                        eventType: row.eventType, timestamp: row.timestamp,
                        properties: row.properties), reasons: row.reasons)
                events += Array(repeating: event, count: Int(row.copies))
            }
        }
        return events
    }

    private static func seconds(_ milliseconds: Int64) -> String {
        let fraction = String(milliseconds % 1000 + 1000).dropFirst()
        return "\(milliseconds / 1000).\(fraction)"
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { result, scalar in
            switch scalar {
            case "\\": result += "\\\\"
            case "\t": result += "\\t"
            case "\n": result += "\\n"
            default: result.unicodeScalars.append(scalar)
            }
        }
    }
}

func period(_ metrics: [Metric], _ start: Int64 = october.start, _ end: Int64 = october.end)
    -> PeriodUsageQuery
{
    PeriodUsageQuery(
        metrics: metrics, start: Instant(milliseconds: start), end: Instant(milliseconds: end),
        sealed: sealed(metrics))
}

/// What `sealAll` makes.
func sealed(_ metrics: [Metric]) -> SealedUsage {
    let keys = metrics.map { ($0.key, $0.key + ".1") }
    return SealedUsage(
        generation: 1, cutoff: 1, hidden: [],
        rollupKeys: Dictionary(keys, uniquingKeysWith: { first, _ in first }))
}

/// What became of the rows of a period.
struct Figures: Sendable, Equatable {
    var events: Int64
    var duplicates: Int64 = 0
    var conflicts: Int64 = 0
    var quarantined: Int64 = 0
}

/// A row that cannot be billed as it is.
struct QuarantinedEvent: Sendable {
    let customerID: String
    let transactionID: String
    let content: EventContent
    let reasons: String
}

func metric(
    _ aggregation: Metric.Aggregation, _ property: String? = nil, type: String = "call",
    where conditions: [Condition] = [], code: String = "m"
) -> Metric {
    Metric(
        code: code, eventType: type, aggregation: aggregation, property: property,
        conditions: conditions, unit: "unit")
}

/// Of 200, 299 and the like; a failure of the test's own if it is no number.
func number(_ text: String) -> ExactDecimal {
    guard let number = ExactDecimal(text) else { preconditionFailure("\(text) is no number") }
    return number
}

extension ExactDecimal: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) {
        self.init(value)
    }
}
