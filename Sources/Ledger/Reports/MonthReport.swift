package import Exact
package import Postgres

/// A month for finance: every invoice in one of its sums.
package struct MonthReport: Sendable {
    /// An amount, and how many of what make it up.
    package struct Amount: Sendable {
        /// What it is of: a month, a metric.
        package let name: String?
        package let currency: Currency
        package let count: Int64
        /// Of a metric, in its unit.
        package let quantity: String?
        package let totalMinor: Int64
    }

    package struct Mover: Sendable {
        package let customerID: String
        package let currency: Currency
        package let beforeMinor: Int64
        package let totalMinor: Int64
    }

    package struct Attention: Sendable {
        package let invoiceID: String
        package let customerID: String
        package let status: String
        package let reason: String?
        package let currency: Currency
        package let totalMinor: Int64
    }

    package struct Tie: Sendable {
        package let currency: Currency
        package let invoices: Int64
        package let totalMinor: Int64
        package let linesMinor: Int64
    }

    package let month: CivilMonth
    package let statuses: [BillingStatus]
    /// What was charged in each of twelve months.
    package let months: [Amount]
    package let metrics: [Amount]
    package let movers: [Mover]
    /// The largest of those that wait for a person, or were not paid, and how many there are in all.
    package let attention: [Attention]
    package let attentionCount: Int64
    package let ties: [Tie]
    /// JSON, of the last run that billed the month, and when that ended.
    package let lastRun: (figures: String, finished: String)?

    package static let mostListed = 200
    private static let mostMovers = 20

    /// All in one snapshot.
    package static func read(_ month: CivilMonth, pool: PostgresPool) async throws -> MonthReport {
        let (slot, before) = ("\(month)", "\(month.previous)")
        return try await pool.transaction(isolation: .repeatableRead, readOnly: true) {
            connection in
            let attention = try connection.query(
                SQL.reportAttention, [slot, mostListed]
            ).rows
            let run = try connection.query(SQL.reportRun, [slot]).rows.first
            return MonthReport(
                month: month,
                statuses: try connection.query(SQL.billingStatus, [slot]).rows.map(
                    BillingStatus.init),
                months: try connection.query(SQL.reportMonths, [slot]).rows.map { row in
                    Amount(
                        name: try row.decode("slot"), currency: try row.currency(),
                        count: try row.decode("invoices"), quantity: nil,
                        totalMinor: try row.decode("total_minor"))
                },
                metrics: try connection.query(SQL.reportMetrics, [slot]).rows.map { row in
                    Amount(
                        name: try row.decode("metric"), currency: try row.currency(),
                        count: try row.decode("lines"), quantity: try row.decode("quantity"),
                        totalMinor: try row.decode("total_minor"))
                },
                movers: try connection.query(SQL.reportMovers, [slot, before, mostMovers]).rows.map
                {
                    row in
                    Mover(
                        customerID: try row.decode("customer_id"), currency: try row.currency(),
                        beforeMinor: try row.decode("before_minor"),
                        totalMinor: try row.decode("total_minor"))
                },
                attention: try attention.map { row in
                    Attention(
                        invoiceID: try row.decode("invoice_id"),
                        customerID: try row.decode("customer_id"),
                        status: try row.decode("status"), reason: try row.decode("reason"),
                        currency: try row.currency(), totalMinor: try row.decode("total_minor"))
                },
                attentionCount: try attention.first?.decode("all_of_them") ?? 0,
                ties: try connection.query(SQL.reportTies, [slot]).rows.map { row in
                    Tie(
                        currency: try row.currency(), invoices: try row.decode("invoices"),
                        totalMinor: try row.decode("total_minor"),
                        linesMinor: try row.decode("lines_minor"))
                },
                lastRun: try run.map { (try $0.decode("figures"), try $0.decode("finished")) })
        }
    }

    /// Whether lines add up to invoices, and states to all of them, in every currency.
    package var tiesOut: Bool {
        ties.allSatisfy { tie in
            let own = statuses.filter { $0.currency == tie.currency }
            return tie.totalMinor == tie.linesMinor
                && own.reduce(0) { $0 + $1.totalMinor } == tie.totalMinor
                && own.reduce(0) { $0 + $1.invoices } == tie.invoices
        }
    }
}

extension PostgresRow {
    /// Of the column of that name.
    func currency() throws -> Currency {
        let code: String = try decode("currency")
        guard let currency = Currency(code) else {
            preconditionFailure("currencies are checked before they are stored")
        }
        return currency
    }
}
