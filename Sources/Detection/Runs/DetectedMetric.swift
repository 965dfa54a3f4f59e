internal import ClickHouse
package import Ledger
package import Usage

/// A metric whose hours are judged: one that is rolled up by hour.
package struct DetectedMetric: Sendable {
    package let key: String
    package let code: String
    let rollupKey: String
    /// What an hour's rows of the rollup come to.
    let valueExpression: String
    /// The hours of a period do not add up: the largest one is its quantity.
    let isMaximum: Bool

    /// Of all catalogs' metrics those that are sealed by hour; a later catalog's name for one wins.
    package static func all(_ metrics: [Metric], _ sealed: SealedUsage) -> [DetectedMetric] {
        var seen: Set<String> = []
        return metrics.reversed().filter {
            $0.isAdditive && sealed.rollupKeys[$0.key] != nil && seen.insert($0.key).inserted
        }.map { metric in
            let value =
                switch metric.aggregation {
                case .count: "sum(events)"
                case .max: "ifNull(max(toDecimal256(quantity, 9)), 0)"
                default: "ifNull(sum(toDecimal256(quantity, 9)), 0)"
                }
            return DetectedMetric(
                key: metric.key, code: metric.code, rollupKey: sealed.rollupKey(of: metric),
                valueExpression: "toFloat64(\(value))", isMaximum: metric.aggregation == .max)
        }.sorted { $0.key < $1.key }
    }
}

/// Customers between two ids, in the order of their bytes.
struct CustomerRange: Sendable {
    /// Of the first; empty: from the beginning.
    var from = ""
    /// The first one behind it; empty: to the end.
    var to = ""

    static func between(_ starts: [String]) -> [CustomerRange] {
        zip([""] + starts, starts + [""]).map { CustomerRange(from: $0, to: $1) }
    }

    var parameters: [String: ClickHouseValue] { ["from": .string(from), "to": .string(to)] }
}
