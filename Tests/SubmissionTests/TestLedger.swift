import Ledger
import Postgres
import TestSupport
import Testing

/// A ledger of its own, whose clock can be moved.
struct TestLedger: Sendable {
    let pool: PostgresPool
    let ledgerID: String

    /// An invoice that is to be sent.
    struct Planned: Sendable {
        var customerID: String
        var stripeCustomerID: String?
        var isMailed = true
        /// Minor units, line by line.
        var amounts: [Int64] = [1_000, 250]
        var carried: Int64 = 0

        var invoiceID: String { "inv_\(customerID)" }
        var total: Int64 { amounts.reduce(0, +) }
    }

    static let slot = "2026-10"

    func add(_ invoice: Planned) async throws {
        try await pool.transaction { connection in
            _ = try connection.query(
                """
                INSERT INTO invoices (invoice_id, customer_id, slot, timezone, period_start, period_end,
                    kind, revision, status, currency, total_minor, plan, stripe_customer_id,
                    collection_method, days_until_due, catalog_version, cutoff_batch, input_hash,
                    tzdata_version, carried_minor)
                VALUES ($1, $2, '2026-10', 'UTC', '2026-10-01Z', '2026-11-01Z', 'regular', 0, 'computed',
                    'usd', $3, 'standard', $4, $5, $6, 'v1', 1, 'hash', '2025b', $7)
                """,
                [
                    invoice.invoiceID, invoice.customerID, invoice.total, invoice.stripeCustomerID,
                    invoice.isMailed ? "send_invoice" : "charge_automatically",
                    invoice.isMailed ? 30 : nil, invoice.carried,
                ])
            for (position, amount) in invoice.amounts.enumerated() {
                _ = try connection.query(
                    """
                    INSERT INTO invoice_lines (invoice_id, position, line_id, metric, amount_minor,
                        description, tiers)
                    VALUES ($1, $2, $3, 'calls', $4, 'calls', '[]')
                    """,
                    [
                        invoice.invoiceID, position, "line_\(invoice.customerID)_\(position)",
                        amount,
                    ])
            }
        }
    }

    /// A credit note of an invoice that somebody has approved.
    func approveCredit(of invoice: Planned, _ amountMinor: Int64) async throws {
        try await pool.query(
            """
            INSERT INTO proposals (invoice_id, number, kind, currency, amount_minor, cutoff_batch, input_hash,
                proposed_by, status, decided_at, decided_by, reason)
            SELECT $1, 1 + count(*), 'credit_note', 'usd', $2, 1, 'hash', 'run', 'approved', now(), 'ann', 'late'
            FROM proposals WHERE invoice_id = $1
            """, [invoice.invoiceID, amountMinor])
    }

    /// Moves the ledger's clock forward.
    func advance(seconds: Int) async throws {
        try await pool.query(
            "UPDATE test_clock SET ahead = ahead + $1::float8 * interval '1 second'", [seconds])
    }

    /// How often what happened.
    func covered() async throws -> [(String, Int)] {
        try await pool.query(
            """
            SELECT 'moves to ' || event AS name, count(*) AS count FROM invoice_events GROUP BY 1
            UNION ALL
            SELECT 'requests ' || outcome, count(*) FROM stripe_requests GROUP BY 1
            UNION ALL
            SELECT CASE WHEN answered_at IS NULL THEN 'attempts cut off'
                WHEN error IS NULL AND is_replayed THEN 'attempts replayed'
                WHEN error IS NULL THEN 'attempts answered' ELSE 'attempts failed' END, count(*)
            FROM stripe_attempts GROUP BY 1
            """
        ).rows.map { (try $0.decode("name"), try $0.decode("count")) }
    }

    /// Forgets every invoice, for the next seed.
    func clear() async throws {
        try await pool.transaction { connection in
            let journals = [
                "invoice_events", "stripe_requests", "stripe_attempts", "balance_entries",
                "proposals", "proposal_lines",
            ]
            for journal in journals {
                _ = try connection.query("ALTER TABLE \(journal) DISABLE TRIGGER USER")
            }
            _ = try connection.query("TRUNCATE invoices, dead_letters CASCADE")
            for journal in journals {
                _ = try connection.query("ALTER TABLE \(journal) ENABLE TRIGGER USER")
            }
        }
    }

    func retryDeadLetters() async throws {
        try await pool.query(
            """
            UPDATE dead_letters SET resolved_at = now(), resolution = 'retried', resolved_by = 'test'
            WHERE resolved_at IS NULL
            """)
    }

    func values<Value: PostgresDecodable>(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [],
        as type: Value.Type = Value.self
    ) async throws -> [Value] {
        try await pool.query(sql, parameters).rows.map { try $0.decode("value") }
    }

    func value<Value: PostgresDecodable>(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [],
        as type: Value.Type = Value.self
    ) async throws -> Value {
        try #require(try await pool.query(sql, parameters).rows.first).decode("value")
    }
}

/// Runs a test with a ledger of its own, which is gone afterwards.
func withLedger(_ body: (TestLedger) async throws -> Void) async throws {
    try await withLedgerPool { pool in
        try await body(
            TestLedger(pool: pool, ledgerID: try await InvoiceStore(pool: pool).ledgerID()))
    }
}
