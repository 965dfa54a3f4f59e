package import Exact
package import Usage

/// One version of the price book: what is metered, and what it costs on which plan.
///
/// Immutable once applied. The version in force on the first day of a period prices the whole period.
package struct Catalog: Sendable, Equatable {
    package let version: String
    package let effectiveFrom: CivilDate
    package let metrics: [Metric]
    package let plans: [Plan]

    package func metric(_ code: String) -> Metric? { metrics.first { $0.code == code } }

    package func plan(_ code: String) -> Plan? { plans.first { $0.code == code } }
}

package struct Plan: Sendable, Equatable {
    package let code: String
    package let currency: Currency
    package let charges: [Charge]
    /// Charged for every period, in major units: a line of its own.
    package let baseFee: ExactDecimal?
    /// What a period costs at least, in major units: a line fills up to it.
    package let minimum: ExactDecimal?

    package static let maximumLines = 200
}

package struct Charge: Sendable, Equatable {
    /// The code of a metric of the same catalog.
    package let metric: String
    package let model: PricingModel
}

/// How a quantity becomes an amount. Amounts are in major units of the plan's currency.
package enum PricingModel: Sendable, Equatable {
    /// Every unit costs the same.
    case perUnit(unitAmount: ExactDecimal)
    /// Each part of the quantity costs what its tier says; every tier reached adds its flat amount.
    case graduated([Tier])
    /// The whole quantity costs what the tier holding it says, and that tier's flat amount.
    case volume([Tier])
    /// Every started package costs the same.
    case package(size: ExactDecimal, unitAmount: ExactDecimal)
}

/// Quantities above the tier before and up to and including `upTo`; the last one has no end.
package struct Tier: Sendable, Equatable {
    package let upTo: ExactDecimal?
    package let unitAmount: ExactDecimal
    package let flatAmount: ExactDecimal

    package init(upTo: ExactDecimal?, unitAmount: ExactDecimal, flatAmount: ExactDecimal = .zero) {
        self.upTo = upTo
        self.unitAmount = unitAmount
        self.flatAmount = flatAmount
    }
}
