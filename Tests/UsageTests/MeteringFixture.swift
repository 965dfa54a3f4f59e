import ClickHouse
import Exact
import Glibc
import HTTP
import Testing
import Usage

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

    func usage(
        _ query: PeriodUsageQuery, customer: String? = nil
    ) async throws -> [CustomerUsage] {
        var usage: [CustomerUsage] = []
        try await UsageReader(clickHouse: self).forEachBatch(query, customer: customer) {
            usage += $0
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

    func figures(_ query: PeriodUsageQuery = period([])) async throws -> UsageFigures {
        try await UsageReader(clickHouse: self).figures(query)
    }

    func conflicts(
        _ query: PeriodUsageQuery = period([]), customer: String? = nil
    ) async throws -> [ConflictingEvent] {
        var events: [ConflictingEvent] = []
        try await UsageReader(clickHouse: self).forEachConflict(query, customer: customer) {
            events += $0
        }
        return events
    }

    func quarantined(
        _ query: PeriodUsageQuery = period([]), customer: String? = nil
    ) async throws -> [QuarantinedEvent] {
        var events: [QuarantinedEvent] = []
        try await UsageReader(clickHouse: self).forEachQuarantined(query, customer: customer) {
            events += $0
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
        metrics: metrics, start: Instant(milliseconds: start), end: Instant(milliseconds: end))
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

extension UsageFigures {
    init(events: Int64, duplicates: Int64 = 0, conflicts: Int64 = 0, quarantined: Int64 = 0) {
        self.init()
        self.events = events
        self.duplicates = duplicates
        self.conflicts = conflicts
        self.quarantined = quarantined
    }
}

extension ExactDecimal: ExpressibleByIntegerLiteral {
    public init(integerLiteral value: Int) {
        self.init(value)
    }
}
