package import Exact
package import Postgres

/// Which anomalies hold an invoice before it is submitted; `jobs invoices release` lets it go.
///
/// This is where detection tells billing: through the ledger.
package struct AnomalyHolds: Sendable {
    package enum Rule: String, Sendable, CaseIterable {
        case off
        /// Those that a person has confirmed.
        case confirmed
        /// And those that are worth a large share of the invoice.
        case excess
    }

    package var rule = Rule.off
    /// How much of an invoice an excess must be worth.
    package var percent = 25
    /// And at least so much, in minor units of its currency.
    package var minimumMinor: Int64 = 10_000

    package init() {}

    /// - Returns: how many invoices are held now that were not.
    package func apply(to month: CivilMonth, pool: PostgresPool) async throws -> Int {
        guard rule != .off else { return 0 }
        return try await pool.query(
            SQL.invoicesHoldAnomalies, ["\(month)", rule == .excess, percent, minimumMinor]
        ).rows.count
    }
}
