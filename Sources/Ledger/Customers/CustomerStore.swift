package import Exact
package import Postgres

/// Who is billed on which terms. Terms are never changed, only followed by newer ones.
package struct CustomerStore: Sendable {
    package struct ImportResult: Sendable, Equatable {
        package var added = 0
        package var changed = 0
        package var unchanged = 0
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Takes over all of the customers, or none.
    ///
    /// A new customer's terms hold from the first day of service, or since ever; changed terms from
    /// `effectiveFrom` on. A period is billed by the terms in force on its first day.
    ///
    /// - Throws: `LedgerError` (conflict) if new terms would reach into a period that was sent.
    package func upsert(
        _ customers: [Customer], effectiveFrom: CivilDate
    ) async throws -> ImportResult {
        do {
            return try await upsertAll(customers, effectiveFrom: effectiveFrom)
        } catch let error as PostgresError where error.constraint == Self.stripeConstraint {
            throw LedgerError.stripeCustomerTaken
        }
    }

    /// Forgets who a customer is. Amounts stay, and so does the id, by which nothing is charged twice.
    ///
    /// - Returns: how many of Stripe's events were emptied, and how many wait for their end first.
    /// - Throws: `LedgerError` (notFound).
    package func erase(
        _ customerID: String, by person: String, reason: String
    ) async throws -> (events: Int64, waiting: Int64) {
        let rows = try await pool.query(SQL.customerErase, [customerID, person, reason]).rows
        guard let row = rows.first else {
            throw LedgerError(
                code: .notFound, description: "there is no customer \(customerID) on record")
        }
        return (try row.decode("events"), try row.decode("waiting"))
    }

    /// The zones in which customers' periods of a month start and end.
    package func zones(of month: CivilMonth) async throws -> [SlotComputation.Zones] {
        let days = ["\(month.firstDay)", "\(month.next.firstDay)"]
        return try await pool.query(SQL.billingZones, days).rows.map {
            SlotComputation.Zones(start: try $0.decode("zone"), end: try $0.decode("next_zone"))
        }
    }

    private static let stripeConstraint = "one_customer_a_stripe_customer"

    private func upsertAll(
        _ customers: [Customer], effectiveFrom: CivilDate
    ) async throws -> ImportResult {
        try await pool.transaction { connection in
            var result = ImportResult()
            for customer in customers {
                let known = try connection.upsert(customer)
                let isNew = try known.rows.contains { try $0.decode("is_new", as: Bool.self) }
                let hasNewTerms = try connection.addTerms(
                    of: customer, effectiveFrom: isNew ? nil : effectiveFrom)
                switch (isNew, hasNewTerms || !known.rows.isEmpty) {
                case (true, _): result.added += 1
                case (false, true): result.changed += 1
                case (false, false): result.unchanged += 1
                }
            }
            return result
        }
    }
}

extension PostgresConnection {
    fileprivate func upsert(_ customer: Customer) throws -> PostgresResult {
        do {
            return try query(
                SQL.customerUpsert,
                [
                    customer.customerID, customer.stripeCustomerID, customer.email,
                    customer.activeFrom.map(String.init(describing:)),
                    customer.activeUntil.map(String.init(describing:)),
                ])
        } catch {
            guard error.constraint == "the_erased_have_no_email" else { throw error }
            throw LedgerError(
                code: .conflict,
                description: """
                    customer \(customer.customerID) was erased: leave the email out; nothing was taken
                    """)
        }
    }

    /// - Parameter effectiveFrom: `nil` for a new customer's first terms.
    fileprivate func addTerms(of customer: Customer, effectiveFrom: CivilDate?) throws -> Bool {
        let start =
            effectiveFrom.map(String.init(describing:))
            ?? customer.activeFrom.map { "\(CivilMonth(containing: $0).firstDay)" } ?? "0001-01-01"
        let added =
            try query(
                SQL.termsInsert,
                [
                    customer.customerID, start, customer.plan, customer.currency.code,
                    customer.timezone, customer.collectionMethod.rawValue, customer.daysUntilDue,
                ]
            ).affectedRows > 0
        if added, let effectiveFrom {
            try refuseBilledPast(
                "the terms of \(customer.customerID)", from: effectiveFrom,
                customer: customer.customerID)
        }
        return added
    }
}
