import Billing
import Exact
import Testing
import Usage

struct CatalogReaderTests {
    @Test func `the sample is read to the last detail`() throws {
        let catalog = try Catalog(yaml: sampleCatalog)
        #expect(catalog.version == "2015-01")
        #expect(catalog.effectiveFrom == CivilDate("2015-01-01"))
        let isSuccess = Condition(
            property: "status", test: .bounds([.gte: decimal("200"), .lt: decimal("300")]))
        #expect(
            catalog.metrics == [
                Metric(
                    code: "api_calls", eventType: "api_request", aggregation: .count, property: nil,
                    conditions: [isSuccess], unit: "call"),
                Metric(
                    code: "bandwidth", eventType: "api_request", aggregation: .sum,
                    property: "bytes", conditions: [isSuccess], unit: "byte"),
                Metric(
                    code: "storage_peak", eventType: "storage", aggregation: .max,
                    property: "gb_stored", conditions: [], unit: "GB"),
                Metric(
                    code: "compute_time", eventType: "compute", aggregation: .sum,
                    property: "cpu_ms", conditions: [], unit: "ms"),
            ])
        let plan = try #require(catalog.plan("standard"))
        #expect(catalog.plans == [plan])
        #expect(plan.currency.code == "usd")
        #expect(plan.baseFee == nil)
        #expect(plan.minimum == nil)
        #expect(
            plan.charges.map(\.metric) == [
                "api_calls", "bandwidth", "storage_peak", "compute_time",
            ])
        #expect(
            plan.charges.map(\.model) == [
                .graduated([
                    Tier(upTo: decimal("1000"), unitAmount: .zero),
                    Tier(upTo: decimal("10000"), unitAmount: decimal("0.001")),
                    Tier(upTo: nil, unitAmount: decimal("0.0005")),
                ]),
                .perUnit(unitAmount: decimal("0.00001")), .perUnit(unitAmount: decimal("0.1")),
                .perUnit(unitAmount: decimal("0.00001")),
            ])
        #expect(catalog.metric("bandwidth")?.code == "bandwidth")
        #expect(catalog.metric("nothing") == nil)
        #expect(catalog.plan("nothing") == nil)
    }

    @Test func `every model, base fee, minimum and flat amount is read`() throws {
        let catalog = try Catalog(
            yaml: """
                version: v1
                effective_from: 2026-10-01
                metrics:
                  - {code: a, event_type: e, aggregation: unique_count, property: user, unit: user}
                  - {code: b, event_type: e, aggregation: latest, property: seats, unit: seat}
                plans:
                  - code: pro
                    currency: kwd
                    base_fee: 99.5
                    minimum: "100"
                    charges:
                      - metric: a
                        model: volume
                        tiers: [{up_to: 2.5, unit_amount: 1, flat_amount: 3}, {up_to: .inf, unit_amount: 0}]
                      - {metric: b, model: package, package_size: 0.5, unit_amount: "2"}
                  - {code: empty, currency: jpy, charges: []}
                """)
        #expect(catalog.metrics.map(\.aggregation) == [.uniqueCount, .latest])
        let plan = try #require(catalog.plan("pro"))
        #expect(plan.baseFee == decimal("99.5"))
        #expect(plan.minimum == decimal("100"))
        #expect(
            plan.charges.map(\.model) == [
                .volume([
                    Tier(
                        upTo: decimal("2.5"), unitAmount: decimal("1"), flatAmount: decimal("3")),
                    Tier(upTo: nil, unitAmount: .zero),
                ]),
                .package(size: decimal("0.5"), unitAmount: decimal("2")),
            ])
        #expect(catalog.plan("empty")?.charges == [])
    }

    // MARK: Conditions

    private static func condition(_ text: String) throws -> [Condition] {
        let catalog = try Catalog(
            yaml: """
                version: v1
                effective_from: 2026-10-01
                metrics: [{code: a, event_type: e, aggregation: count, where: \(text), unit: u}]
                plans: [{code: p, currency: usd, charges: []}]
                """)
        return catalog.metrics[0].conditions
    }

    @Test(arguments: [
        ("{}", []),
        ("{status: 200}", [Condition(property: "status", test: .isOne(of: ["200"]))]),
        ("{status: \"200\"}", [Condition(property: "status", test: .isOne(of: ["200"]))]),
        ("{status: {eq: ok}}", [Condition(property: "status", test: .isOne(of: ["ok"]))]),
        (
            "{region: {in: [eu, us, \"1.0\"]}}",
            [Condition(property: "region", test: .isOne(of: ["eu", "us", "1.0"]))]
        ),
        (
            "{ms: {gt: -1.50, lte: \"9\"}}",
            [
                Condition(
                    property: "ms", test: .bounds([.gt: decimal("-1.5"), .lte: decimal("9")]))
            ]
        ),
        (
            "{a: {gte: 1, missing: pass}}",
            [
                Condition(
                    property: "a", test: .bounds([.gte: decimal("1")]), passesWhenMissing: true)
            ]
        ),
        (
            "{a: {eq: x, missing: pass}}",
            [Condition(property: "a", test: .isOne(of: ["x"]), passesWhenMissing: true)]
        ),
        (
            "{a: {in: [x], missing: fail}}",
            [Condition(property: "a", test: .isOne(of: ["x"]), passesWhenMissing: false)]
        ),
        (
            "{z: 1, a: {lt: 5}}",
            [
                Condition(property: "a", test: .bounds([.lt: decimal("5")])),
                Condition(property: "z", test: .isOne(of: ["1"])),
            ]
        ),
    ])
    func `conditions are read in all their forms, in order of property`(
        text: String, conditions: [Condition]
    ) throws {
        #expect(try Self.condition(text) == conditions)
    }

    // MARK: What does not matter

    @Test func `comments, order and quotes change nothing`() throws {
        let shuffled = """
            # A comment.
            plans:
              - charges: [{unit_amount: 0.10, model: "per_unit", metric: 'a'}]
                currency: "usd"  # dollars
                code: p
            metrics: [{unit: u, aggregation: count, event_type: e, code: a}]
            effective_from: "2026-10-01"
            version: 'v1'
            """
        let plain = """
            version: v1
            effective_from: 2026-10-01
            metrics:
              - {code: a, event_type: e, aggregation: count, unit: u}
            plans:
              - code: p
                currency: usd
                charges:
                  - {metric: a, model: per_unit, unit_amount: "0.1"}
            """
        #expect(try Catalog(yaml: shuffled) == Catalog(yaml: plain))
    }
}
