package import Exact

/// What a quantity costs, and how that came about. Exact: nothing is rounded here.
package struct PricedQuantity: Sendable, Equatable {
    /// The part of the quantity that one tier priced.
    package struct Share: Sendable, Equatable {
        /// The tier's end; `nil` for the last one and for models without tiers.
        package let upTo: ExactDecimal?
        /// Units, or started packages.
        package let quantity: ExactDecimal
        package let unitAmount: ExactDecimal
        package let flatAmount: ExactDecimal

        package var amount: ExactDecimal { quantity * unitAmount + flatAmount }
    }

    package let quantity: ExactDecimal
    package let shares: [Share]

    /// In major units.
    package var amount: ExactDecimal { shares.reduce(.zero) { $0 + $1.amount } }
}

extension PricingModel {
    /// Prices a period's quantity. A quantity of zero reaches no tier and costs nothing.
    ///
    /// - Precondition: the quantity is not negative (`InvoiceCalculation` holds those invoices).
    package func price(_ quantity: ExactDecimal) -> PricedQuantity {
        precondition(quantity >= .zero)
        guard quantity > .zero else { return PricedQuantity(quantity: quantity, shares: []) }
        let shares: [PricedQuantity.Share] =
            switch self {
            case .perUnit(let unitAmount):
                [.init(upTo: nil, quantity: quantity, unitAmount: unitAmount, flatAmount: .zero)]
            case .graduated(let tiers): Self.graduated(quantity, tiers)
            case .volume(let tiers): Self.volume(quantity, tiers)
            case .package(let size, let unitAmount):
                [
                    .init(
                        upTo: nil, quantity: quantity.startedPackages(ofSize: size),
                        unitAmount: unitAmount, flatAmount: .zero)
                ]
            }
        return PricedQuantity(quantity: quantity, shares: shares)
    }

    private static func graduated(
        _ quantity: ExactDecimal, _ tiers: [Tier]
    ) -> [PricedQuantity.Share] {
        var shares: [PricedQuantity.Share] = []
        var floor = ExactDecimal.zero
        for tier in tiers where quantity > floor {
            let ceiling = min(quantity, tier.upTo ?? quantity)
            shares.append(
                .init(
                    upTo: tier.upTo, quantity: ceiling - floor, unitAmount: tier.unitAmount,
                    flatAmount: tier.flatAmount))
            floor = ceiling
        }
        return shares
    }

    private static func volume(
        _ quantity: ExactDecimal, _ tiers: [Tier]
    ) -> [PricedQuantity.Share] {
        guard let tier = tiers.first(where: { quantity <= $0.upTo ?? quantity }) else {
            preconditionFailure("the last tier has no end")
        }
        return [
            .init(
                upTo: tier.upTo, quantity: quantity, unitAmount: tier.unitAmount,
                flatAmount: tier.flatAmount)
        ]
    }
}
