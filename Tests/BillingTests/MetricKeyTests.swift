import Exact
import Testing
import Usage

/// The key says what is measured: equal for one measurement, different for two.
struct MetricKeyTests {
    private static func metric(
        _ conditions: [Condition] = [], code: String = "m", eventType: String = "request",
        aggregation: Metric.Aggregation = .sum, property: String? = "size", unit: String = "u"
    ) -> Metric {
        Metric(
            code: code, eventType: eventType, aggregation: aggregation, property: property,
            conditions: conditions, unit: unit)
    }

    private static func isOne(
        _ property: String, _ values: [String], missing: Bool = false
    ) -> Condition {
        Condition(property: property, test: .isOne(of: values), passesWhenMissing: missing)
    }

    private static func bounds(
        _ property: String, _ bounds: [Condition.Comparison: ExactDecimal], missing: Bool = false
    ) -> Condition {
        Condition(property: property, test: .bounds(bounds), passesWhenMissing: missing)
    }

    @Test func `the key does not depend on code and unit`() {
        #expect(Self.metric(code: "a", unit: "byte").key == Self.metric(code: "b", unit: "MB").key)
    }

    @Test(arguments: [
        ([isOne("a", ["x", "y"])], [isOne("a", ["y", "x"])]),
        ([isOne("a", ["x", "y", "x"])], [isOne("a", ["x", "y"])]),
        ([isOne("a", ["x"]), isOne("b", ["y"])], [isOne("b", ["y"]), isOne("a", ["x"])]),
        ([bounds("a", [.gte: decimal("1.50")])], [bounds("a", [.gte: decimal("1.5")])]),
        (
            [bounds("a", [.gte: decimal("1"), .lt: decimal("2")])],
            [bounds("a", [.lt: decimal("2"), .gte: decimal("1")])]
        ),
    ])
    func `conditions that say the same have one key`(left: [Condition], right: [Condition]) {
        #expect(Self.metric(left).key == Self.metric(right).key)
    }

    @Test func `the key is 26 letters and digits`() {
        let key = Self.metric([Self.isOne("region", ["eu", "日本"], missing: true)]).key
        #expect(key.count == 26)
        #expect(key.allSatisfy { "abcdefghijklmnopqrstuvwxyz234567".contains($0) })
    }

    @Test func `any difference makes another key`() {
        let metrics =
            Metric.Aggregation.allCases.map {
                Self.metric(aggregation: $0, property: $0 == .count ? nil : "size")
            } + [
                Self.metric(eventType: "requests"), Self.metric(property: "sizes"),
                Self.metric([Self.isOne("a", ["x"])]), Self.metric([Self.isOne("a", ["X"])]),
                Self.metric([Self.isOne("b", ["x"])]), Self.metric([Self.isOne("a", ["x", "y"])]),
                Self.metric([Self.isOne("a", ["x"], missing: true)]),
                Self.metric([Self.isOne("a", ["1"])]),
                Self.metric([Self.bounds("a", [.gte: decimal("1")])]),
                Self.metric([Self.bounds("a", [.gt: decimal("1")])]),
                Self.metric([Self.bounds("a", [.lte: decimal("1")])]),
                Self.metric([Self.bounds("a", [.lt: decimal("1")])]),
                Self.metric([Self.bounds("a", [.lt: decimal("-1")])]),
                Self.metric([Self.bounds("a", [.lt: decimal("1.1")])]),
                Self.metric([Self.bounds("a", [.lt: decimal("1")], missing: true)]),
                Self.metric([Self.bounds("a", [.gte: decimal("1"), .lt: decimal("2")])]),
                Self.metric([Self.isOne("a", ["x"]), Self.isOne("b", ["x"])]),
            ]
        #expect(Set(metrics.map(\.key)).count == metrics.count)
    }

    /// Texts chosen so that what is joined without care reads the same.
    @Test(arguments: [
        ([isOne("a", ["x, y"])], [isOne("a", ["x", "y"])]),
        ([isOne("a", ["x\", \"y"])], [isOne("a", ["x", "y"])]),
        ([isOne("a", ["x\\"])], [isOne("a", ["x\\\\"])]),
        ([isOne("a", ["x"], missing: true)], [isOne("a", ["x\"] or missing"])]),
        ([isOne("a in", ["x"])], [isOne("a", ["in [\"x\"]"])]),
        ([isOne("a", ["gte 1"])], [bounds("a", [.gte: decimal("1")])]),
        (
            [bounds("a gte 1", [.lt: decimal("2")])],
            [bounds("a", [.gte: decimal("1"), .lt: decimal("2")])]
        ),
    ])
    func `names and values that contain the notation do not collide`(
        left: [Condition], right: [Condition]
    ) {
        #expect(Self.metric(left).key != Self.metric(right).key)
    }

    /// A catalog can hold it: `"a\0b"`. No arguments, which would put it into the log.
    @Test func `the null character in a name or value does not collide with a separator`() {
        let pairs = [
            (
                Self.metric([Self.isOne("a in [\"x\"]\u{0}b", ["y"])]),
                Self.metric([Self.isOne("a", ["x"]), Self.isOne("b", ["y"])])
            ),
            (
                Self.metric([Self.isOne("a", ["x\u{0}b in [\"y\"]"])]),
                Self.metric([Self.isOne("a", ["x"]), Self.isOne("b", ["y"])])
            ),
            (
                Self.metric([Self.bounds("a lt 1\u{0}b", [.lt: decimal("2")])]),
                Self.metric([
                    Self.bounds("a", [.lt: decimal("1")]), Self.bounds("b", [.lt: decimal("2")]),
                ])
            ),
            (
                Self.metric(property: "size\u{0}a in [\"x\"]"),
                Self.metric([Self.isOne("a", ["x"])])
            ),
        ]
        for (index, (left, right)) in pairs.enumerated() {
            let isSame = left.key == right.key
            #expect(!isSame, "pair \(index)")
        }
    }
}
