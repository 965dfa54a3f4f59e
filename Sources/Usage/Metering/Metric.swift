internal import Digest
package import Exact

/// What is counted: which events, under which condition, folded how into one quantity a period.
package struct Metric: Sendable, Hashable {
    package enum Aggregation: String, Sendable, CaseIterable {
        /// How many events.
        case count
        /// The sum of a property.
        case sum
        /// The largest value of a property.
        case max
        /// How many different values a property had.
        case uniqueCount = "unique_count"
        /// The value of a property in the last event of the period.
        case latest
    }

    package let code: String
    package let eventType: String
    package let aggregation: Aggregation
    /// The member of `properties` that is aggregated; `nil` for `count` only.
    package let property: String?
    package let conditions: [Condition]
    /// What one of the quantity is called on the invoice.
    package let unit: String

    package init(
        code: String, eventType: String, aggregation: Aggregation, property: String?,
        conditions: [Condition], unit: String
    ) {
        precondition((property == nil) == (aggregation == .count))
        self.code = code
        self.eventType = eventType
        self.aggregation = aggregation
        self.property = property
        self.conditions = conditions
        self.unit = unit
    }

    /// Whether the quantities of hours make up that of a day: those are rolled up.
    package var isAdditive: Bool {
        switch aggregation {
        case .count, .sum, .max: true
        case .uniqueCount, .latest: false
        }
    }

    /// Whether this one counts exactly the events whose quantities the other one adds up: then the other
    /// one's rollup holds the count, too.
    func isCount(of other: Metric) -> Bool {
        aggregation == .count && other.isAdditive && other.property != nil
            && eventType == other.eventType && Set(conditions) == Set(other.conditions)
    }

    /// The identity of what is measured, whatever it is called: two metrics with one key have the same
    /// quantities. 26 characters of base 32.
    package var key: String {
        var parts = [eventType, aggregation.rawValue, property ?? ""]
        for condition in conditions.sorted(by: { $0.property < $1.property }) {
            parts += condition.identity
        }
        return String(base32(SHA256.hash(lengthPrefixed(parts))).prefix(26))
    }
}

/// A test of one member of an event's `properties`.
package struct Condition: Sendable, Hashable {
    package enum Comparison: String, Sendable, CaseIterable {
        case gte
        case gt
        case lte
        case lt
    }

    package enum Test: Sendable, Hashable {
        /// Equal to one of the values: as numbers if both are numbers (`"200"` equals 200), else as text.
        case isOne(of: [String])
        /// A number within all of the bounds; what is no number does not pass.
        case bounds([Comparison: ExactDecimal])
    }

    package let property: String
    package let test: Test
    /// Whether an event without the property passes. It does not, unless the catalog says so.
    package let passesWhenMissing: Bool

    package init(property: String, test: Test, passesWhenMissing: Bool = false) {
        self.property = property
        self.test = test
        self.passesWhenMissing = passesWhenMissing
    }

    /// Texts that are equal for equal conditions only.
    fileprivate var identity: [String] {
        var parts = [property, passesWhenMissing ? "missing passes" : "missing fails"]
        switch test {
        case .isOne(let values):
            parts += ["is one of", String(Set(values).count)] + Set(values).sorted()
        case .bounds(let bounds):
            parts += ["bounds", String(bounds.count)]
            for (comparison, bound) in bounds.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
                parts += [comparison.rawValue, "\(bound)"]
            }
        }
        return parts
    }
}
