package import Exact
package import Postgres

/// Reads invoices, their lines and their journal.
package struct InvoiceStore: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Invoices with their lines, in order of slot and customer, in batches; memory stays flat.
    package func forEach(
        _ filter: InvoiceFilter, _ body: ([Invoice]) async throws -> Void
    ) async throws {
        try await pool.withConnection { connection in
            try await connection.query("BEGIN READ ONLY")
            try await connection.query(
                "DECLARE listed NO SCROLL CURSOR FOR \(SQL.invoices)", filter.parameters)
            let fetch: @Sendable () async throws -> [Invoice] = {
                try await connection.query("FETCH FORWARD 1000 FROM listed").rows.map(Invoice.init)
            }
            var invoices = try await fetch()
            while !invoices.isEmpty {
                // The next batch is put together and read while this one is worked on.
                async let next = fetch()
                try await body(invoices)
                invoices = try await next
            }
            try await connection.query("COMMIT")
        }
    }

    package func invoice(_ id: String) async throws -> Invoice {
        let rows = try await pool.query(SQL.invoices, InvoiceFilter(invoiceIDs: [id]).parameters)
            .rows
        guard let row = rows.first else { throw LedgerError.noInvoice(id) }
        return try Invoice(row)
    }

    /// Those of the invoices that there are.
    package func invoices(_ ids: [String]) async throws -> [Invoice] {
        try await pool.query(SQL.invoices, InvoiceFilter(invoiceIDs: ids).parameters).rows
            .map(Invoice.init)
    }

    /// Months of which anything was given to Stripe, or that were billed to the end (`isDone`), in order.
    package func billedMonths(
        in months: ClosedRange<CivilMonth>
    ) async throws -> [(month: CivilMonth, isDone: Bool)] {
        let bounds = ["\(months.lowerBound)", "\(months.upperBound)"]
        return try await pool.query(SQL.billedMonths, bounds).rows.compactMap { row in
            guard let month = CivilMonth(try row.decode("slot")) else { return nil }
            return (month, try row.decode("is_done"))
        }
    }

    /// Invoices of a month that should be at Stripe: Stripe's ids, and ours.
    package func atStripe(_ month: CivilMonth) async throws -> [(stripeID: String, id: String)] {
        try await pool.query(SQL.invoicesAtStripe, ["\(month)"]).rows.map {
            (try $0.decode("stripe_invoice_id"), try $0.decode("invoice_id"))
        }
    }

    /// What happened to an invoice, in order.
    package func journal(of id: String) async throws -> [InvoiceEvent] {
        try await pool.query(SQL.invoiceJournal, [id]).rows.map(InvoiceEvent.init)
    }

    /// Each time that a request of an invoice went out, and what came back, in order.
    package func attempts(of id: String) async throws -> [InvoiceAttempt] {
        try await pool.query(SQL.invoiceRequests, [id]).rows.map(InvoiceAttempt.init)
    }

    /// The identity of this ledger, which is part of every invoice's id.
    package func ledgerID() async throws -> String {
        let rows = try await pool.query(SQL.ledgerId).rows
        guard let row = rows.first else { preconditionFailure("a migration writes this row") }
        return try row.decode("ledger_id")
    }
}

/// Which invoices; `nil` is no restriction. Superseded ones are left out unless asked for by id or status.
package struct InvoiceFilter: Sendable {
    package var slot: CivilMonth?
    package var customerID: String?
    package var status: String?
    package var invoiceIDs: [String]?
    /// Only those that are to be sent: computed, and not held. Their lines come without the tiers, which
    /// are not sent.
    package var isDue: Bool

    package init(
        slot: CivilMonth? = nil, customerID: String? = nil, status: String? = nil,
        invoiceIDs: [String]? = nil, isDue: Bool = false
    ) {
        self.slot = slot
        self.customerID = customerID
        self.status = status
        self.invoiceIDs = invoiceIDs
        self.isDue = isDue
    }

    var parameters: [(any PostgresEncodable)?] {
        [slot.map { "\($0)" }, customerID, status, invoiceIDs, isDue]
    }
}
