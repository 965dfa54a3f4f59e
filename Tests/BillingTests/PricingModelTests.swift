import Billing
import Exact
import Testing

struct PricingModelTests {
    private static let tiers = [
        Tier(upTo: decimal("10"), unitAmount: decimal("1"), flatAmount: decimal("100")),
        Tier(upTo: decimal("20.5"), unitAmount: decimal("0.5"), flatAmount: decimal("200")),
        Tier(upTo: nil, unitAmount: decimal("0.25"), flatAmount: decimal("400")),
    ]

    @Test(arguments: [
        PricingModel.perUnit(unitAmount: decimal("3")), .graduated(tiers), .volume(tiers),
        .package(size: decimal("10"), unitAmount: decimal("7")),
    ])
    func `a quantity of zero reaches no tier and costs nothing`(model: PricingModel) {
        let priced = model.price(.zero)
        #expect(priced.shares.isEmpty)
        #expect(priced.amount == .zero)
    }

    @Test(arguments: [
        ("0.000000001", "100.000000001"), ("10", "110"), ("10.000000001", "310.0000000005"),
        ("20.5", "315.25"), ("20.500000001", "715.25000000025"), ("100.5", "735.25"),
        (
            "99999999999999999999.999999999",
            // 10 + 5.25 + 0.25 * (quantity - 20.5) + 700
            "25000000000000000710.12499999975"
        ),
    ])
    func `graduated adds the parts, and the flat amount of every tier reached`(
        quantity: String, amount: String
    ) {
        #expect(
            PricingModel.graduated(Self.tiers).price(decimal(quantity)).amount == decimal(amount))
    }

    @Test(arguments: [
        ("0.000000001", "100.000000001"), ("10", "110"), ("10.000000001", "205.0000000005"),
        ("20.5", "210.25"), ("20.500000001", "405.12500000025"), ("100", "425"),
    ])
    func `volume prices all at the tier that holds it, with that tier's flat amount`(
        quantity: String, amount: String
    ) {
        let priced = PricingModel.volume(Self.tiers).price(decimal(quantity))
        #expect(priced.amount == decimal(amount))
        #expect(priced.shares.count == 1)
        #expect(priced.shares[0].quantity == decimal(quantity))
    }

    @Test(arguments: [
        ("0.000000001", "7"), ("10", "7"), ("10.000000001", "14"), ("95", "70"), ("100", "70"),
    ])
    func `a package costs the same when it is started as when it is full`(
        quantity: String, amount: String
    ) {
        let model = PricingModel.package(size: decimal("10"), unitAmount: decimal("7"))
        #expect(model.price(decimal(quantity)).amount == decimal(amount))
    }

    @Test func `shares say which tier priced what`() {
        let priced = PricingModel.graduated(Self.tiers).price(decimal("30"))
        #expect(priced.shares.map(\.upTo) == [decimal("10"), decimal("20.5"), nil])
        #expect(priced.shares.map(\.quantity) == [decimal("10"), decimal("10.5"), decimal("9.5")])
        #expect(
            priced.shares.map(\.amount) == [decimal("110"), decimal("205.25"), decimal("402.375")])
        #expect(priced.quantity == decimal("30"))
    }

    @Test func `nothing is rounded`() {
        let model = PricingModel.perUnit(unitAmount: decimal("0.000000000000000000000000000001"))
        #expect(
            model.price(decimal("0.000000001")).amount.description
                == "0.000000000000000000000000000000000000001")
    }
}
