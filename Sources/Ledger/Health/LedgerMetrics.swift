package import Postgres

/// What monitoring reads of the ledger.
package struct LedgerMetrics: Sendable {
    package struct Sample: Sendable {
        package let name: String
        /// As Prometheus writes them, without the braces.
        package let labels: String
        /// A decimal number.
        package let value: String

        package init(_ name: String, labels: String = "", _ value: some CustomStringConvertible) {
            (self.name, self.labels, self.value) = (name, labels, value.description)
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    package func samples() async throws -> [Sample] {
        try await pool.query(SQL.metricsLedger, timeoutSeconds: 10).rows.map { row in
            Sample(
                try row.decode("family"), labels: try row.decode("labels"),
                try row.decode("value", as: String.self))
        }
    }
}
