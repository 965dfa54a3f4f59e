package import Exact
package import Postgres

/// The billing of one slot, in one transaction: all of its invoices are replaced, or none.
///
/// Usage is laid beside the customers' terms in temporary tables, so that memory does not grow with the
/// number of customers. Invoices whose submission has started are left as they are.
package struct SlotComputation {
    /// Customers whose periods start in one zone and end in one (they differ if terms change the zone).
    package struct Zones: Sendable, Hashable {
        package let start: String
        package let end: String

        package init(start: String, end: String) {
            self.start = start
            self.end = end
        }

        var key: String { "\(start)>\(end)" }
    }

    /// A customer of the slot: what was agreed, what was used, or both.
    package struct Entry: Sendable {
        package let customerID: String
        /// `nil` if the ledger has no terms in force for this customer.
        package let terms: Customer?
        package let zones: Zones?
        /// How many events there were, whether or not a metric counts them.
        package let events: Int64
        /// As it was given to `add(usage:of:)`; `nil` without any event.
        package let usage: String?
        /// What earlier periods left over, in the currency of the terms.
        package let balanceMinor: Int64
    }

    /// What came of the invoices that were there before.
    package struct Changes: Sendable, Equatable {
        package var added = 0
        package var changed = 0
        package var unchanged = 0
        /// Computed earlier, and no longer right: the customer or the period is not billed (so) any more.
        package var superseded = 0
        /// Their submission had started: not computed again.
        package var submitted = 0
        /// Not taken: a part of their period is covered by another invoice, which was sent.
        package var overlapping = 0
        /// Other slots whose invoices were superseded, because a customer's zone changed.
        package var slotsToBillAgain: [String] = []

        package init() {}
    }

    package let slot: CivilMonth
    private let connection: PostgresConnection

    /// Runs `body` in a transaction that holds the slot.
    ///
    /// - Parameter lease: under which the slot is run; the transaction is committed only if it is still
    ///   held then.
    /// - Throws: `LedgerError` (held) at once if another process computes the slot; (leaseLost).
    package static func run<Result>(
        slot: CivilMonth, lease: Lease, pool: PostgresPool,
        _ body: (SlotComputation) async throws -> Result
    ) async throws -> Result {
        let lockSlot = { (connection: PostgresConnection) in
            try await connection.mark(lease)
            let lock = try await connection.query(SQL.slotLock, ["bill \(slot)"])
            guard try lock.rows.first?.decode("locked", as: Bool.self) == true else {
                let holder = try await connection.query(SQL.slotHolder, ["bill \(slot)"])
                let name: String? = try holder.rows.first?.decode("holder")
                throw LedgerError.held("billing of \(slot)", by: name ?? "just ended")
            }
        }
        return try await begin(
            slot: slot, pool: pool, endingWith: "COMMIT", preparing: lockSlot
        ) { computation in
            let result = try await body(computation)
            try await computation.connection.fenceCommit(lease)
            return result
        }
    }

    /// Runs `body` in a transaction that changes nothing, whoever computes the slot meanwhile.
    package static func preview(
        slot: CivilMonth, pool: PostgresPool, _ body: (SlotComputation) async throws -> Void
    ) async throws {
        try await begin(slot: slot, pool: pool, endingWith: "ROLLBACK", preparing: { _ in }, body)
    }

    private static func begin<Result>(
        slot: CivilMonth, pool: PostgresPool, endingWith end: String,
        preparing prepare: (PostgresConnection) async throws -> Void,
        _ body: (SlotComputation) async throws -> Result
    ) async throws -> Result {
        try await pool.withConnection { connection in
            try await connection.query("BEGIN")
            // A slot's invoices are sorted and joined as a whole.
            try await connection.query("SET LOCAL work_mem = '64MB'")
            try await prepare(connection)
            try await connection.query(
                SQL.slotTerms, ["\(slot.firstDay)", "\(slot.next.firstDay)"])
            for statement in [SQL.slotUsage, SQL.stagedInvoices, SQL.stagedLines] {
                try await connection.query(statement)
            }
            let result = try await body(SlotComputation(slot: slot, connection: connection))
            try await connection.query(end)
            return result
        }
    }

    /// The zones in which the slot's customers are billed.
    package func zones() async throws -> [Zones] {
        try await connection.query(SQL.slotZones).rows.map {
            Zones(start: try $0.decode("zone"), end: try $0.decode("next_zone"))
        }
    }

    /// Takes what customers used in the period of these zones; of other zones' customers it is ignored.
    package func add(
        usage: [(customerID: String, events: Int64, usage: String)], of zones: Zones
    ) async throws {
        var copy = PostgresCopyEncoder()
        for customer in usage {
            copy.row([zones.key, customer.customerID, String(customer.events), customer.usage])
        }
        try await connection.copyIn("COPY slot_usage FROM STDIN", copy.take())
    }

    /// Goes through all customers of the slot, in order, and stages the invoices that `invoice` returns.
    ///
    /// - Parameter defaultZone: of customers without terms.
    package func stage(
        defaultZone: String, _ invoice: @Sendable (Entry) throws -> ComputedInvoice?
    ) async throws {
        try await connection.stageInvoices(
            [Zones(start: defaultZone, end: defaultZone).key, "\(slot)"], invoice)
    }

    /// Goes through all customers of the slot, in order, without an invoice.
    package func forEach(
        defaultZone: String, _ body: @Sendable ([Entry]) throws -> Void
    ) async throws {
        let key = Zones(start: defaultZone, end: defaultZone).key
        try await connection.forEachBatch(SQL.slotEntries, [key, "\(slot)"], batchSize: 5000) {
            rows in
            try body(rows.map(Entry.init))
        }
    }

    /// A line of an invoice as it was charged, and what it would be now.
    package struct LineDifference: Sendable {
        package let invoiceID: String
        package let customerID: String
        package let stripeInvoiceID: String?
        /// False: nothing was given to Stripe, nor carried; billing the month again takes it up.
        package let isSent: Bool
        /// It was sent to the end, and is open or paid, or is owed: a correction can make up for the difference.
        package let isCorrectable: Bool
        package let currency: Currency
        package let lineID: String
        package let metric: String?
        package let description: String
        package let billedQuantity: String
        package let usedQuantity: String
        package let billedMinor: Int64
        package let usedMinor: Int64
        /// 1: more was used than billed; -1: less; 0: as much.
        package let quantitySign: Int
    }

    /// The staged invoices beside what the slot charged: lines that differ, in order of customer and invoice.
    ///
    /// - Parameters:
    ///   - isDone: whether the slot was billed to the end. Until then, what was not sent is still to come.
    ///   - inactive: whose staged invoices are of customers that are not billed.
    package func linesDiffering(
        isDone: Bool, inactive: [String]
    ) async throws -> [LineDifference] {
        try await connection.query(SQL.stagedLinesIndex)
        try await connection.query(SQL.stagedAnalyze)
        return try await connection.query(
            SQL.linesDiffering, ["\(slot)", isDone, inactive]
        ).rows.map(LineDifference.init)
    }

    /// Makes the staged invoices those of the slot; a journal entry says what changed.
    ///
    /// - Parameter customers: only these were computed; the others' invoices stay. `nil`: all.
    package func replaceInvoices(customers: [String]?) async throws -> Changes {
        for statement in [
            SQL.stagedCustomersIndex, SQL.stagedLinesIndex, SQL.stagedAnalyze, SQL.stagedLock,
            SQL.stagedDecide,
        ] {
            try await connection.query(statement)
        }
        let superseded = try await connection.query(
            SQL.invoicesSupersede,
            ["\(slot)", customers, "\(slot.previous)", "\(slot.next)"]
        ).rows
        try await connection.query(SQL.invoicesUpsert)
        try await connection.query(SQL.linesDelete)
        try await connection.query(SQL.linesInsert)
        try await connection.query(SQL.invoicesJournal)
        let counts = try await connection.query(SQL.slotChanges).rows
        guard let row = counts.first else { preconditionFailure("counts are one row") }
        var changes = Changes()
        changes.added = try row.decode("added")
        changes.changed = try row.decode("changed")
        changes.unchanged = try row.decode("unchanged")
        for row in superseded {
            changes.superseded += try row.decode("invoices", as: Int.self)
            let other: String = try row.decode("slot")
            if other != "\(slot)" { changes.slotsToBillAgain.append(other) }
        }
        changes.overlapping = try row.decode("overlapping")
        changes.submitted = try row.decode("submitted")
        return changes
    }
}

extension PostgresConnection {
    fileprivate func stageInvoices(
        _ parameters: [String],
        _ invoice: @Sendable (SlotComputation.Entry) throws -> ComputedInvoice?
    ) throws {
        try forEachBatch(SQL.slotEntries, parameters, batchSize: 5000) { rows in
            var invoices = PostgresCopyEncoder()
            var lines = PostgresCopyEncoder()
            for row in rows {
                guard let invoice = try invoice(SlotComputation.Entry(row)) else { continue }
                invoices.row(invoice.fields)
                for (position, line) in invoice.lines.enumerated() {
                    lines.row([
                        invoice.invoiceID, String(position), line.lineID, line.metric,
                        line.quantity.map(String.init(describing:)), String(line.amountMinor),
                        line.description, line.tiers, line.events.map { String($0) },
                    ])
                }
            }
            try copyIn("COPY staged_invoices FROM STDIN", invoices.take())
            try copyIn("COPY staged_lines FROM STDIN", lines.take())
        }
    }
}

extension SlotComputation.LineDifference {
    fileprivate init(_ row: PostgresRow) throws {
        currency = try row.currency()
        invoiceID = try row.decode("invoice_id")
        customerID = try row.decode("customer_id")
        stripeInvoiceID = try row.decode("stripe_invoice_id")
        isSent = try row.decode("is_sent")
        isCorrectable = try row.decode("is_correctable")
        lineID = try row.decode("line_id")
        metric = try row.decode("metric")
        description = try row.decode("description")
        billedQuantity = try row.decode("billed_quantity")
        usedQuantity = try row.decode("used_quantity")
        billedMinor = try row.decode("billed_minor")
        usedMinor = try row.decode("used_minor")
        quantitySign = try row.decode("quantity_sign")
    }
}

extension SlotComputation.Entry {
    fileprivate init(_ row: PostgresRow) throws {
        customerID = try row.decode("customer_id")
        events = try row.decode("events")
        usage = try row.decode("usage")
        balanceMinor = try row.decode("balance_minor")
        guard let plan: String = try row.decode("plan") else {
            (terms, zones) = (nil, nil)
            return
        }
        let zone: String = try row.decode("zone")
        zones = SlotComputation.Zones(start: zone, end: try row.decode("next_zone"))
        let currency: String = try row.decode("currency")
        let method: String = try row.decode("collection_method")
        guard let currency = Currency(currency),
            let method = Customer.CollectionMethod(rawValue: method)
        else { preconditionFailure("terms are checked when they are recorded") }
        terms = Customer(
            customerID: customerID, stripeCustomerID: try row.decode("stripe_customer_id"),
            plan: plan, currency: currency, timezone: zone, collectionMethod: method,
            daysUntilDue: try row.decode("days_until_due"), email: try row.decode("email"),
            activeFrom: try row.decode("active_from", as: String?.self).flatMap { CivilDate($0) },
            activeUntil: try row.decode("active_until", as: String?.self).flatMap { CivilDate($0) })
    }
}

extension ComputedInvoice {
    /// In the order of the columns of `staged_invoices`; the last one, the outcome, comes later.
    fileprivate var fields: [String?] {
        [
            invoiceID, customerID, "\(slot)", timezone, "\(start)", "\(end)", status.rawValue,
            holdReason, currency.code, String(totalMinor), plan, stripeCustomerID,
            collectionMethod.rawValue, daysUntilDue.map(String.init), catalogVersion,
            String(cutoffBatch), inputHash,
            tzdataVersion, String(carriedMinor), nil,
        ]
    }
}
