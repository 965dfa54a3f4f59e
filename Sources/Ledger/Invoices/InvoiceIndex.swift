package import Exact
package import Postgres

/// An invoice in short, for lists that people leaf through.
package struct InvoiceIndex: Sendable {
    package let invoiceID: String
    package let customerID: String
    package let status: String
    /// Why it waits for a person, if it does.
    package let held: String?
    package let currency: Currency
    package let totalMinor: Int64

    /// Where a list goes on: after this invoice, or at the first of a customer.
    package struct Position: Sendable {
        package let customerID: String
        package let invoiceID: String

        package init(customerID: String, invoiceID: String = "") {
            (self.customerID, self.invoiceID) = (customerID, invoiceID)
        }
    }

    /// The months that have invoices, the newest first.
    package static func months(pool: PostgresPool) async throws -> [CivilMonth] {
        try await pool.query(SQL.invoiceMonths).rows.compactMap {
            CivilMonth(try $0.decode("slot"))
        }
    }

    /// In order of customers.
    ///
    /// - Parameter status: of these only; `held`: of those that wait for a person.
    package static func list(
        _ month: CivilMonth, status: String?, from: Position, limit: Int, pool: PostgresPool
    ) async throws -> [InvoiceIndex] {
        try await pool.query(
            SQL.invoicesIndex, ["\(month)", status, from.customerID, from.invoiceID, limit]
        ).rows.map { row in
            InvoiceIndex(
                invoiceID: try row.decode("invoice_id"),
                customerID: try row.decode("customer_id"), status: try row.decode("status"),
                held: try row.decode("held"), currency: try row.currency(),
                totalMinor: try row.decode("total_minor"))
        }
    }
}
