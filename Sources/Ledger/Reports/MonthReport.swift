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
        /// How many of the currency moved.
        package let allOfThem: Int64
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
    /// What was charged, by metric.
    package let metrics: [Amount]
    /// Of each currency those whose charge is another one than the month before; who moved most comes first.
    package let movers: [Mover]
    /// Of each currency the largest of those that wait for a person, or were not paid; and how many there are
    /// in all.
    package let attention: [Attention]
    package let attentionCount: Int64
    package let ties: [Tie]
    /// JSON, of the last run that billed the month, and when that ended.
    package let lastRun: (figures: String, finished: String)?

    /// So many of each currency.
    private static let (mostListed, mostMovers) = (200, 20)

    /// All in one snapshot.
    package static func read(_ month: CivilMonth, pool: PostgresPool) async throws -> MonthReport {
        let (slot, before) = ("\(month)", "\(month.previous)")
        return try await pool.transaction(isolation: .repeatableRead, readOnly: true) {
            connection in
            let attention = try connection.query(
                SQL.reportAttention, [slot, mostListed]
            ).rows
            let run = try connection.query(SQL.reportRun, [slot])
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
                        totalMinor: try row.decode("total_minor"),
                        allOfThem: try row.decode("all_of_them"))
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
                lastRun: try lastRun(run))
        }
    }

    /// What the last run counted that billed a month, and when it ended.
    package static func lastRun(
        of month: CivilMonth, pool: PostgresPool
    ) async throws -> (figures: String, finished: String)? {
        try lastRun(try await pool.query(SQL.reportRun, ["\(month)"]))
    }

    private static func lastRun(
        _ result: PostgresResult
    ) throws -> (figures: String, finished: String)? {
        try result.rows.first.map { (try $0.decode("figures"), try $0.decode("finished")) }
    }

    /// What the month charges of a currency: all but what is void, and what a later invoice charges.
    package func chargedMinor(_ currency: Currency) -> Int64 {
        sum(currency) { $0 != InvoiceStatus.void.rawValue && $0 != InvoiceStatus.carried.rawValue }
    }

    /// What the month's invoices of one status come to.
    package func totalMinor(of status: InvoiceStatus, _ currency: Currency) -> Int64 {
        sum(currency) { $0 == status.rawValue }
    }

    private func sum(_ currency: Currency, where isMeant: (String) -> Bool) -> Int64 {
        statuses.filter { $0.currency == currency && isMeant($0.status) }
            .reduce(0) { $0 + $1.totalMinor }
    }

    /// Whether lines add up to invoices, states to all of them, and metrics and the month's bar to what is
    /// charged, in every currency.
    package var tiesOut: Bool {
        ties.allSatisfy { tie in
            let own = statuses.filter { $0.currency == tie.currency }
            let charged = chargedMinor(tie.currency)
            return tie.totalMinor == tie.linesMinor
                && own.reduce(0) { $0 + $1.totalMinor } == tie.totalMinor
                && own.reduce(0) { $0 + $1.invoices } == tie.invoices
                && Self.sum(metrics, tie.currency) == charged
                && Self.sum(months.filter { $0.name == "\(month)" }, tie.currency) == charged
        }
    }

    private static func sum(_ amounts: [Amount], _ currency: Currency) -> Int64 {
        amounts.filter { $0.currency == currency }.reduce(0) { $0 + $1.totalMinor }
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
