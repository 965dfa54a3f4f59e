import ClickHouse
import Exact
import Usage

/// A random log, and what the rules make of it, worked out row by row.
struct MeteringOracle {
    /// A value of the property "v" as JSON, with the quantity that it is.
    static let values: [(json: String, quantity: String?)] = [
        ("0", "0"), ("1", "1"), ("-3", "-3"), ("17.25", "17.25"), ("0.1", "0.1"), ("0.2", "0.2"),
        ("1e3", "1000"),
        ("9223372036854775807", "9223372036854775807"),
        (#""12345678901234567.123456789""#, "12345678901234567.123456789"),
        (#""99999999999999999999.999999999""#, "99999999999999999999.999999999"),
        (#""0.000000001""#, "0.000000001"),
        ("12345678901234567.123456789", nil), (#""x""#, nil), ("null", nil), ("true", nil),
        ("1e20", nil),
    ]
    static let statuses: [(json: String, isSuccess: Bool, isMissing: Bool)] = [
        ("200", true, false), ("204", true, false), (#""201""#, true, false),
        ("299.5", true, false), ("300", false, false),
        ("500", false, false), (#""-""#, false, false), ("null", false, true), ("", false, true),
    ]
    static let success: Condition.Test = .bounds([.gte: 200, .lt: 300])
    static let metrics = [
        metric(.count), metric(.count, where: [Condition(property: "status", test: success)]),
        metric(.sum, "v"), metric(.sum, "v", where: [Condition(property: "status", test: success)]),
        metric(.max, "v", type: "other"), metric(.latest, "v"),
        metric(
            .sum, "v",
            where: [Condition(property: "status", test: success, passesWhenMissing: true)]),
    ]

    struct Event: Hashable {
        var row: LogRow
        var value: Int
        var status: Int
        /// The row is quarantined.
        var isBroken: Bool

        /// What makes two rows the same content.
        var content: String { "\(row.type)\t\(row.at)\t\(row.properties)" }
        var quantity: ExactDecimal? { MeteringOracle.values[value].quantity.map(number) }
    }

    let events: [Event]

    /// Few identities, few moments and few contents, so that all of them meet.
    init(rows: Int, random: inout some RandomNumberGenerator) {
        let borders = [october.start, october.end]
        var events: [Event] = []
        for _ in 0..<rows {
            if let known = events.randomElement(using: &random),
                Int.random(in: 0..<10, using: &random) == 0
            {
                var copy = known
                copy.row.ingested += Int64.random(in: -1...1, using: &random)
                events.append(copy)
                continue
            }
            let value = Int.random(in: 0..<Self.values.count, using: &random)
            let status = Int.random(in: 0..<Self.statuses.count, using: &random)
            let kind = Int.random(in: 0..<40, using: &random)
            var members = ["\"v\":\(Self.values[value].json)"]
            if !Self.statuses[status].json.isEmpty {
                members.append("\"status\":\(Self.statuses[status].json)")
            }
            let isOnBorder = Int.random(in: 0..<6, using: &random) == 0
            let at =
                isOnBorder
                ? borders.randomElement(using: &random)! + Int64.random(in: -1...1, using: &random)
                : Int64.random(
                    in: october.start - 5 * dayMilliseconds..<october.end + 5 * dayMilliseconds,
                    using: &random)
            let row = LogRow(
                id: kind == 0 ? "" : "t\(Int.random(in: 0..<rows / 8, using: &random))",
                customer: kind == 1 ? "" : "c\(Int.random(in: 10..<22, using: &random))",
                type: Bool.random(using: &random) ? "call" : "other", at: at,
                properties: kind == 2 ? "{\"v\":" : "{\(members.joined(separator: ","))}",
                ingested: day + Int64.random(in: 0..<4, using: &random))
            events.append(Event(row: row, value: value, status: status, isBroken: kind < 3))
        }
        self.events = events
    }

    /// - Parameter hashes: the server's hash of each content, which breaks ties.
    func winners(hashes: [String: String]) -> [[Event]] {
        let good = events.filter { !$0.isBroken }
        return Dictionary(grouping: good) { "\($0.row.customer)\t\($0.row.id)" }.values.map {
            rows in
            rows.sorted {
                ($0.row.ingested, hashes[$0.content]!) < ($1.row.ingested, hashes[$1.content]!)
            }
        }
    }

    func usage(hashes: [String: String], start: Int64, end: Int64) -> [CustomerUsage] {
        let winners = winners(hashes: hashes).map { $0[0] }.filter {
            start <= $0.row.at && $0.row.at < end
        }
        return Dictionary(grouping: winners, by: \.row.customer).sorted { $0.key < $1.key }.map {
            customer, events in
            CustomerUsage(
                customerID: customer, events: Int64(events.count),
                metrics: Self.metrics.map { Self.fold($0, events) })
        }
    }

    func figures(hashes: [String: String], start: Int64, end: Int64) -> Figures {
        var figures = Figures(events: 0)
        for rows in winners(hashes: hashes) where start <= rows[0].row.at && rows[0].row.at < end {
            let contents = Set(rows.map(\.content)).count
            figures.events += 1
            figures.conflicts += Int64(contents - 1)
            figures.duplicates += Int64(rows.count - contents)
        }
        figures.quarantined = Int64(
            events.count { $0.isBroken && start <= $0.row.at && $0.row.at < end })
        return figures
    }

    /// "customer id counted | conflicting" of every conflict, in the order of the text.
    func conflicts(hashes: [String: String], start: Int64, end: Int64) -> [String] {
        winners(hashes: hashes).filter { start <= $0[0].row.at && $0[0].row.at < end }.flatMap {
            rows in
            Set(rows.map(\.content)).subtracting([rows[0].content]).map {
                "\(rows[0].row.customer) \(rows[0].row.id) \(rows[0].content) | \($0)"
            }
        }.sorted()
    }

    private static func fold(_ metric: Metric, _ events: [Event]) -> MetricUsage {
        let counted = events.filter { event in
            event.row.type == metric.eventType
                && metric.conditions.allSatisfy { condition in
                    let status = statuses[event.status]
                    return status.isMissing ? condition.passesWhenMissing : status.isSuccess
                }
        }
        let count = Int64(counted.count)
        if metric.aggregation == .count {
            return MetricUsage(events: count, quantity: ExactDecimal(count), unparsable: 0)
        }
        let readable = counted.filter { $0.quantity != nil }
        let quantities = readable.map { $0.quantity! }
        let last = readable.max { ($0.row.at, $0.row.id) < ($1.row.at, $1.row.id) }
        let quantity =
            switch metric.aggregation {
            case .sum: quantities.reduce(.zero, +)
            case .max: quantities.max()
            default: last?.quantity
            }
        return MetricUsage(
            events: count, quantity: quantity ?? .zero, unparsable: count - Int64(readable.count))
    }
}
