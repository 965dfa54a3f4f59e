package import Postgres

/// The Stripe account that this ledger bills into.
package struct BoundAccount: Sendable, Equatable {
    package let accountID: String
    package let isLive: Bool

    package init(accountID: String, isLive: Bool) {
        self.accountID = accountID
        self.isLive = isLive
    }
}

package struct StripeAccountStore: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Binds the ledger to an account if it is not bound yet.
    ///
    /// - Returns: the account that it is bound to.
    package func bind(_ account: BoundAccount) async throws -> BoundAccount {
        try await pool.query(SQL.stripeAccountBind, [account.accountID, account.isLive])
        guard let bound = try await bound() else { preconditionFailure("it was just written") }
        return bound
    }

    package func bound() async throws -> BoundAccount? {
        guard let row = try await pool.query(SQL.stripeAccountRead).rows.first else { return nil }
        return BoundAccount(
            accountID: try row.decode("account_id"), isLive: try row.decode("livemode"))
    }
}
