package import Exact
package import Postgres

/// Invoices of one month that are in the same state: the view `billing_status`.
package struct BillingStatus: Sendable, Equatable {
    package let slot: String
    package let mode: String?
    package let status: String
    /// Why they wait for a person, if they do.
    package let held: String?
    package let isDeadLetter: Bool
    package let currency: Currency
    package let invoices: Int64
    package let totalMinor: Int64

    /// - Parameter slot: `nil`: all months.
    package static func list(slot: String?, pool: PostgresPool) async throws -> [BillingStatus] {
        try await pool.query(SQL.billingStatus, [slot]).rows.map(BillingStatus.init)
    }

    init(_ row: PostgresRow) throws {
        slot = try row.decode("slot")
        mode = try row.decode("mode")
        status = try row.decode("status")
        held = try row.decode("held")
        isDeadLetter = try row.decode("is_dead_letter")
        currency = try row.currency()
        invoices = try row.decode("invoices")
        totalMinor = try row.decode("total_minor")
    }
}
