import ClickHouse
import Exact
import Foundation
import Postgres
import TestSupport
import Testing

/// Usage of some customers, hour by hour, as events and as the series of a backtest.
struct DetectedFleet {
    /// A Monday.
    static let start = "2026-03-02T00:00:00Z"

    let days: Int
    /// Calls an hour, by customer.
    var calls: [String: [Int]] = [:]

    /// - Parameters:
    ///   - mean: calls an hour on average; by day there are more than at night.
    mutating func add(_ customer: String, mean: Double, seed: UInt64) {
        var random = SeededNumbers(seed: seed)
        calls[customer] = (0..<days * 24).map { hour in
            let wave = 1 + 0.8 * cos(Double((hour % 24) - 14) * .pi / 12)
            let spread = 1 + 0.1 * Double.random(in: -1...1, using: &random)
            let noise = (mean * wave).squareRoot() * Double.random(in: -1...1, using: &random)
            return max(0, Int((mean * wave * spread + noise).rounded()))
        }
    }

    mutating func change(_ customer: String, _ hours: Range<Int>, _ body: (Int) -> Int) {
        var counts = calls[customer] ?? []
        for hour in hours { counts[hour] = body(counts[hour]) }
        calls[customer] = counts
    }

    /// The day's hours, twelve hours later: a key that is used at night.
    mutating func shift(_ customer: String, day: Int) {
        var counts = calls[customer] ?? []
        let hours = Array(counts[day * 24..<day * 24 + 24])
        for hour in 0..<24 { counts[day * 24 + hour] = hours[(hour + 12) % 24] }
        calls[customer] = counts
    }

    static func instant(_ hour: Int) -> Instant {
        Instant(milliseconds: milliseconds(start) + Int64(hour) * 3_600_000)
    }

    /// As a slot of the hourly job.
    static func slot(_ hour: Int) -> String { String("\(instant(hour))".prefix(13)) }

    static func day(_ day: Int) -> String { String("\(instant(day * 24))".prefix(10)) }

    /// The input of a backtest; a series is `customer`.
    var csv: String {
        var text = "series,timestamp,value\n"
        for (customer, hours) in calls.sorted(by: { $0.key < $1.key }) {
            for (hour, count) in hours.enumerated() {
                text += "\(customer),\(Self.instant(hour)),\(count)\n"
            }
        }
        return text
    }

    /// Appends the events of some hours to the log, as arriving now.
    ///
    /// - Parameter copies: of each event.
    func append(
        _ stack: Stack, _ hours: Range<Int>, of customers: [String]? = nil, copies: Int = 1
    ) async throws {
        for (customer, counts) in calls.sorted(by: { $0.key < $1.key })
        where customers?.contains(customer) ?? true {
            try await stack.clickHouse.execute(
                ClickHouseQuery(
                    """
                    INSERT INTO events (transaction_id, customer_id, event_type, timestamp, properties, ingested_at)
                    SELECT concat(toString(hour), '-', toString(call)), {customer:String}, 'api_request',
                        fromUnixTimestamp64Milli({start:Int64} + hour * 3600000 + intDiv(call * 3600000, count), 'UTC'),
                        '{"bytes":3}', now64(3, 'UTC')
                    FROM (
                        SELECT {first:Int64} + number AS hour, {counts:Array(Int64)}[number + 1] AS count,
                            arrayJoin(range(toUInt64(count))) AS call
                        FROM numbers(length({counts:Array(Int64)}))
                    ) AS calls
                    CROSS JOIN numbers({copies:UInt64}) AS copies
                    ORDER BY cityHash64(hour, call)
                    """,
                    parameters: [
                        "customer": .string(customer), "start": .integer(milliseconds(Self.start)),
                        "first": .integer(Int64(hours.lowerBound)),
                        "counts": .integers(counts[hours].map { Int64($0) }),
                        "copies": .integer(Int64(copies)),
                    ]))
        }
    }
}

/// A line of `anomalies list --format json`.
struct ListedAnomaly: Decodable, Equatable {
    var anomalyID: String
    var customerID: String?
    var metric: String
    var kind: String
    var severity: String
    var status: String
    var firstHour: String
    var lastHour: String
    var score: Double
    var threshold: Double
    var expected: Double
    var observed: Double
    var method: String
    var direction: String
    var peakHour: String
    var hours: Int
    var excess: Double
    var series: Int?
    var isConfirmed: Bool
    var isMuted: Bool
    var closeReason: String?
    var recommendedAction: String
}

extension Stack {
    func anomalies(_ options: String...) async throws -> [ListedAnomaly] {
        let result = try await jobs(
            ["anomalies", "list", "--status", "all", "--format", "json"] + options)
        try #require(result.status == 0, "\(result.errors)")
        return try result.output.objects()
    }

    /// Appends further calls of an hour.
    func addCalls(_ count: Int, of customer: String, at hour: Int) async throws {
        try await clickHouse(
            """
            INSERT INTO events (transaction_id, customer_id, event_type, timestamp, properties, ingested_at)
            SELECT concat('further-\(hour)-', toString(number)), '\(customer)', 'api_request',
                fromUnixTimestamp64Milli(\(DetectedFleet.instant(hour).milliseconds), 'UTC'), '{"bytes":3}',
                now64(3, 'UTC')
            FROM numbers(\(count))
            """)
    }

    /// Judges hours of the fleet, one slot an hour.
    @discardableResult
    func detect(
        _ hours: Range<Int>, with changes: [String: String?] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        try await done(
            "run", "detect-anomalies", "--slot",
            "\(DetectedFleet.slot(hours.lowerBound))..\(DetectedFleet.slot(hours.upperBound - 1))",
            "--format", "json", with: changes, sourceLocation: sourceLocation)
    }

    /// The states that hold, to the byte, by metric and customer.
    func states() async throws -> [String] {
        let row = try await postgres.query(
            """
            SELECT position::text AS position, string_agg(version::text, ',') AS versions
            FROM detection_positions GROUP BY detection_positions.position
            ORDER BY detection_positions.position DESC LIMIT 1
            """
        ).rows[0]
        let (position, versions): (String, String) = (
            try row.decode("position"), try row.decode("versions")
        )
        return try await clickHouse.rows(
            ClickHouseQuery(
                """
                SELECT concat(metric_key, ' ', customer, ' ', toString(active), ' ',
                    hex(substring(states, 1 + 600 * (place - 1), 600))) AS text
                FROM detection_blocks
                ARRAY JOIN customers AS customer, last_active AS active, arrayEnumerate(customers) AS place
                WHERE position = \(position) AND version IN (\(versions))
                ORDER BY metric_key, customer, version DESC LIMIT 1 BY metric_key, customer
                """)
        ).map { try $0.string("text") }
    }
}
