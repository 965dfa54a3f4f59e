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
                let known = try connection.query(
                    SQL.customerUpsert,
                    [
                        customer.customerID, customer.stripeCustomerID, customer.email,
                        customer.activeFrom.map(String.init(describing:)),
                        customer.activeUntil.map(String.init(describing:)),
                    ])
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
