import Exact
import Foundation
import TestSupport
import Usage

/// A log as it arrives: in deliveries, late, twice, out of order, broken, and by clocks that disagree.
/// What the rules make of it is worked out row by row.
struct UsageGenerator {
    struct Row: Hashable {
        var customer: String
        var id: String
        var type: String
        /// Milliseconds since 1970 UTC.
        var at: Int64
        var properties: String
        var ingested: Int64
        /// The exact quantity; `nil`: it cannot be read.
        var quantity: ExactDecimal?
        /// No id, or no JSON object.
        var isBroken: Bool

        var identity: [String] { [customer, id] }
        var content: [String] { [type, "\(at)", properties] }
        var isQuarantined: Bool { isBroken || quantity == nil }
    }

    static let metrics = [
        Metric(
            code: "calls", eventType: "call", aggregation: .count, property: nil, conditions: [],
            unit: "call"),
        Metric(
            code: "volume", eventType: "call", aggregation: .sum, property: "v", conditions: [],
            unit: "byte"),
        Metric(
            code: "peak", eventType: "job", aggregation: .max, property: "v", conditions: [],
            unit: "GB"),
        Metric(
            code: "values", eventType: "job", aggregation: .uniqueCount, property: "v",
            conditions: [], unit: "value"),
        Metric(
            code: "level", eventType: "call", aggregation: .latest, property: "v", conditions: [],
            unit: "GB"),
    ]
    private static let values: [(json: String, quantity: String?)] = [
        ("0", "0"), ("7", "7"), ("17.25", "17.25"), ("0.1", "0.1"), ("1e3", "1000"),
        (#""12345678901234567.123456789""#, "12345678901234567.123456789"),
        (#""0.000000001""#, "0.000000001"), ("9007199254740993", "9007199254740993"),
        ("12345678901234567.123456789", nil), (#""many""#, nil),
    ]

    /// 2026-03-01, in whose month clocks change in Europe.
    static let start: Int64 = 1_772_323_200_000
    private static let day: Int64 = 86_400_000

    private(set) var delivered: [Row] = []
    private(set) var winners: [[String]: Row] = [:]
    private(set) var conflicts: [[String]: Set<[String]>] = [:]
    private var random: SeededNumbers
    private var clock = start
    private var fresh: [Row] = []

    init(seed: UInt64) {
        random = SeededNumbers(seed: seed)
    }

    /// Rows that become visible now: new events, and copies of rows of minutes, days or weeks ago; some
    /// with an old `ingested_at`.
    mutating func deliver(_ count: Int) -> [Row] {
        clock += Int64.random(in: 60_000..<3 * Self.day, using: &random)
        fresh = (0..<count).map { _ in next() }
        delivered += fresh
        return fresh
    }

    private mutating func next() -> Row {
        // Several writers, whose clocks are minutes apart; one row in ten was held back for days.
        var ingested = clock + Int64.random(in: -600_000..<600_000, using: &random)
        if chance(10) { ingested -= Int64.random(in: 0..<20 * Self.day, using: &random) }
        if chance(12), let known = delivered.randomElement(using: &random) {
            var copy = known
            if !chance(4) { copy.ingested = ingested }
            if chance(3) {
                let value = Self.values.dropLast(2).randomElement(using: &random)!
                copy.properties =
                    #"{"v":\#(value.json),"x":\#(Int.random(in: 0..<9, using: &random))}"#
                (copy.quantity, copy.isBroken) = (
                    ExactDecimal(value.quantity!), copy.id.isEmpty || copy.customer.isEmpty
                )
                if chance(2) {
                    copy.at += [-Self.day * 31, -1, 1, 3_600_000, Self.day].randomElement(
                        using: &random)!
                }
            }
            return copy
        }
        let value = Self.values.randomElement(using: &random)!
        let kind = Int.random(in: 0..<60, using: &random)
        let border = [Self.start, Self.start + 31 * Self.day].randomElement(using: &random)!
        let at =
            chance(5)
            ? border + [-1, 0, 1].randomElement(using: &random)!
            : clock - Int64.random(in: 0..<5 * Self.day, using: &random)
        return Row(
            customer: kind == 0 ? "" : "c\(Int.random(in: 0..<6, using: &random))",
            id: kind == 1
                ? "" : "t\(delivered.count)-\(UInt32.random(in: 0 ... .max, using: &random))",
            type: chance(2) ? "call" : "job", at: at,
            properties: kind == 2 ? "{\"v\":" : "{\"v\":\(value.json)}", ingested: ingested,
            quantity: value.quantity.flatMap { ExactDecimal($0) }, isBroken: kind < 3)
    }

    private mutating func chance(_ oneIn: Int) -> Bool {
        Int.random(in: 0..<oneIn, using: &random) == 0
    }

    /// What sealing makes of the last delivery: what was decided before stays.
    ///
    /// - Parameter hash: the server's number of a content, which breaks ties.
    mutating func seal(hash: [[String]: UInt64]) {
        let good = fresh.filter { !$0.isQuarantined }
        for (identity, rows) in Dictionary(grouping: good, by: \.identity) {
            let first = rows.min {
                ($0.ingested, hash[$0.content]!) < ($1.ingested, hash[$1.content]!)
            }!
            let winner = winners[identity] ?? first
            winners[identity] = winner
            let others = Set(rows.map(\.content)).subtracting([winner.content])
            if !others.isEmpty { conflicts[identity, default: []].formUnion(others) }
        }
    }

    var quarantined: Int { delivered.count { $0.isQuarantined } }
    var conflictCount: Int { conflicts.values.reduce(0) { $0 + $1.count } }
    var duplicates: Int { delivered.count - quarantined - winners.count - conflictCount }

    func usage(_ period: Range<Int64>) -> [CustomerUsage] {
        let events = winners.values.filter { period.contains($0.at) }
        return Dictionary(grouping: events, by: \.customer).sorted { $0.key < $1.key }.map {
            customer, events in
            CustomerUsage(
                customerID: customer, events: Int64(events.count),
                metrics: Self.metrics.map { Self.fold($0, events) })
        }
    }

    private static func fold(_ metric: Metric, _ events: [Row]) -> MetricUsage {
        let counted = events.filter { $0.type == metric.eventType }
        let quantities = counted.compactMap(\.quantity)
        let quantity: ExactDecimal? =
            switch metric.aggregation {
            case .count: ExactDecimal(counted.count)
            case .sum: quantities.reduce(.zero, +)
            case .max: quantities.max()
            case .uniqueCount: ExactDecimal(Set(counted.map { text($0.properties) }).count)
            case .latest: counted.max { ($0.at, $0.id) < ($1.at, $1.id) }?.quantity
            }
        return MetricUsage(
            events: Int64(counted.count), quantity: quantity ?? .zero, unparsable: 0)
    }

    /// The value as it is written, without its quotes; 1e3 is written as 1000.
    private static func text(_ properties: String) -> Substring {
        let value = properties.dropFirst(5).prefix { $0 != "}" && $0 != "," }
        return value == "1e3" ? "1000" : value.filter { $0 != "\"" }[...]
    }
}
