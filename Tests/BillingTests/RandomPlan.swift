import Exact

/// A generator of random numbers that gives the same ones in every run (Steele, Lea, Flood: "Fast
/// splittable pseudorandom number generators", 2014).
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    mutating func digits(_ count: Int) -> String {
        (0..<count).map { _ in String(Int.random(in: 0...9, using: &self)) }.joined()
    }
}

/// A plan and quantities made up at random, as the texts that both sides read.
struct RandomPlan {
    struct Tier {
        let upTo: String?
        let unitAmount: String
        let flatAmount: String?
    }

    enum Charge {
        case perUnit(String)
        case package(size: String, unitAmount: String)
        case tiered(model: String, [Tier])
    }

    static let metricCount = 4

    let currency: Currency
    let baseFee: String?
    let minimum: String?
    /// The first prices the metric `m0`, the next `m1`.
    let charges: [Charge]

    init(_ currency: Currency, using generator: inout SplitMix64) {
        self.currency = currency
        baseFee = generator.chance(40) ? Self.price(currency, using: &generator) : nil
        minimum = generator.chance(40) ? Self.price(currency, using: &generator) : nil
        var charges: [Charge] = []
        for _ in 0..<Int.random(in: 1...Self.metricCount, using: &generator) {
            charges.append(Self.charge(currency, using: &generator))
        }
        self.charges = charges
    }

    /// A quantity for each metric; often near the edge of a tier or package.
    func quantities(using generator: inout SplitMix64) -> [String] {
        (0..<Self.metricCount).map { index in
            let edges = index < charges.count ? charges[index].edges : []
            return Self.quantity(near: edges, using: &generator)
        }
    }

    // MARK: Making up

    private static func charge(
        _ currency: Currency, using generator: inout SplitMix64
    ) -> Charge {
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: return .perUnit(price(currency, using: &generator))
        case 1:
            let sizes = ["1", "10", "1000", "0.3", "2.5", "1000000", "0.000000001"]
            return .package(
                size: sizes.randomElement(using: &generator)!,
                unitAmount: price(currency, using: &generator))
        case let kind:
            var edges: Set<Int> = []
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                edges.insert(
                    Int.random(in: 1...(generator.chance(50) ? 20 : 50_000), using: &generator))
            }
            let areFractions = generator.chance(25)
            let ends: [String?] = edges.sorted().map { areFractions ? "\($0).5" : "\($0)" } + [nil]
            let tiers = ends.map { end in
                Tier(
                    upTo: end, unitAmount: price(currency, using: &generator),
                    flatAmount: generator.chance(50) ? price(currency, using: &generator) : nil)
            }
            return .tiered(model: kind == 2 ? "graduated" : "volume", tiers)
        }
    }

    /// In major units; often with a 5 just behind the last place that can be charged.
    private static func price(_ currency: Currency, using generator: inout SplitMix64) -> String {
        let places = currency.exponent - (currency.step == 1 ? 0 : currency.step == 10 ? 1 : 2)
        switch Int.random(in: 0..<10, using: &generator) {
        case 0: return "0"
        case 1...4:
            return "\(Int.random(in: 0...3, using: &generator)).\(generator.digits(places))5"
        case 5, 6: return "0.\(generator.digits(9))"
        case 7: return "0.00000\(generator.digits(25))"
        case 8: return "\(Int.random(in: 1...500, using: &generator))"
        default: return "\(Int.random(in: 1...40_000, using: &generator)).\(generator.digits(4))"
        }
    }

    private static func quantity(
        near edges: [String], using generator: inout SplitMix64
    ) -> String {
        if let edge = edges.randomElement(using: &generator), generator.chance(50) {
            let tiny = decimal("0.000000001")
            switch Int.random(in: 0..<5, using: &generator) {
            case 0: return edge
            case 1: return "\(decimal(edge) + tiny)"
            case 2: return "\(decimal(edge) - tiny)"
            case 3: return "\(decimal(edge) + ExactDecimal(1))"
            default: return "\(decimal(edge) * ExactDecimal(2))"
            }
        }
        switch Int.random(in: 0..<20, using: &generator) {
        case 0...2: return "0"
        case 3: return "9\(generator.digits(19)).\(generator.digits(9))"
        case 4...7: return "\(Int.random(in: 0...2_000, using: &generator)).\(generator.digits(9))"
        case 8...13: return "\(Int.random(in: 1...9, using: &generator))"
        default: return "\(Int.random(in: 1...100_000, using: &generator))"
        }
    }
}

extension RandomPlan.Charge {
    fileprivate var edges: [String] {
        switch self {
        case .perUnit: []
        case .package(let size, _): [size]
        case .tiered(_, let tiers): tiers.compactMap(\.upTo)
        }
    }
}

// MARK: The texts

extension RandomPlan {
    /// As `catalog.yaml` states it, indented as an item of `plans`.
    func yaml(code: String) -> String {
        var lines = ["  - code: \(code)", "    currency: \(currency.code)"]
        if let baseFee { lines.append("    base_fee: \"\(baseFee)\"") }
        if let minimum { lines.append("    minimum: \"\(minimum)\"") }
        lines.append("    charges:")
        for (index, charge) in charges.enumerated() {
            lines.append("      - metric: m\(index)")
            switch charge {
            case .perUnit(let amount):
                lines += ["        model: per_unit", "        unit_amount: \"\(amount)\""]
            case .package(let size, let amount):
                lines += [
                    "        model: package", "        package_size: \(size)",
                    "        unit_amount: \"\(amount)\"",
                ]
            case .tiered(let model, let tiers):
                lines += ["        model: \(model)", "        tiers:"]
                lines += tiers.map { tier in
                    let flat = tier.flatAmount.map { ", flat_amount: \"\($0)\"" } ?? ""
                    return "          - {up_to: \(tier.upTo ?? "inf"), "
                        + "unit_amount: \"\(tier.unitAmount)\"\(flat)}"
                }
            }
        }
        return lines.joined(separator: "\n")
    }

    /// As the oracle reads it.
    func json(quantities: [String]) -> String {
        let items = charges.map { charge in
            switch charge {
            case .perUnit(let amount): #"{"model":"per_unit","unit_amount":"\#(amount)"}"#
            case .package(let size, let amount):
                #"{"model":"package","package_size":"\#(size)","unit_amount":"\#(amount)"}"#
            case .tiered(let model, let tiers):
                #"{"model":"\#(model)","tiers":["#
                    + tiers.map {
                        "[\(json($0.upTo)),\(json($0.unitAmount)),\(json($0.flatAmount))]"
                    }.joined(separator: ",") + "]}"
            }
        }
        return
            #"{"currency":"\#(currency)","base_fee":\#(json(baseFee)),"minimum":\#(json(minimum)),"#
            + #""charges":[\#(items.joined(separator: ","))],"#
            + #""quantities":[\#(quantities.map(json).joined(separator: ","))]}"#
    }

    private func json(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "null" }
}
