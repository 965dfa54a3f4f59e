import Postgres
import Testing

/// What the schema refuses, whoever asks.
struct SchemaGuardTests {
    /// May of two customers: 10 dollars each, in one line each.
    private static func withLedger(_ body: (Stack) async throws -> Void) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                "customer_id,plan,currency\nann,basic,usd\nbob,basic,usd\n")
            try await stack.importEvents(
                ["ann", "bob"].map { stored("10", of: $0) })
            _ = try await stack.bill("2015-05")
            try await body(stack)
        }
    }

    private static let journals: [(table: String, change: String)] = [
        ("invoice_events", "total_minor = 0"), ("customer_terms", "plan = 'premium'"),
        ("catalog_versions", "source = ''"), ("ledger", "ledger_id = gen_random_uuid()"),
    ]

    @Test func `what is written into a journal can be neither changed nor removed`() async throws {
        try await Self.withLedger { stack in
            for (table, change) in Self.journals {
                for statement in ["UPDATE \(table) SET \(change)", "DELETE FROM \(table)"] {
                    let refusal = try await stack.refusal(of: statement)
                    #expect(refusal == .server("23001"), "\(statement)")
                }
                #expect(try await stack.count(table) > 0)
            }
        }
    }

    @Test func `a journal cannot be emptied`() async throws {
        try await Self.withLedger { stack in
            for (table, _) in Self.journals {
                let refusal = try await stack.refusal(of: "TRUNCATE \(table) CASCADE")
                #expect(refusal == .server("23001"), "\(table)")
            }
        }
    }

    private static let unbalanced = [
        "UPDATE invoices SET total_minor = total_minor + 1 WHERE customer_id = 'ann'",
        "UPDATE invoice_lines SET amount_minor = amount_minor - 1",
        "DELETE FROM invoice_lines",
        """
        INSERT INTO invoice_lines
        SELECT invoice_id, 9, 'line_' || invoice_id, 'storage', 1, 1, 'one too many', '[]' FROM invoices
        """,
        // A line goes over to another invoice, whose total is made to fit.
        """
        WITH moved AS (
            UPDATE invoice_lines SET invoice_id = bob.invoice_id, position = 9
            FROM invoices AS ann, invoices AS bob
            WHERE invoice_lines.invoice_id = ann.invoice_id
                AND ann.customer_id = 'ann' AND bob.customer_id = 'bob'
        )
        UPDATE invoices SET total_minor = 2000 WHERE customer_id = 'bob'
        """,
    ]

    @Test func `lines that do not add up to their total are refused`() async throws {
        try await Self.withLedger { stack in
            for statement in Self.unbalanced {
                let refusal = try await stack.refusal(of: statement)
                #expect(refusal == .server("23514"), "\(statement)")
            }
        }
    }

    @Test func `lines and total may differ until the commit, and not longer`() async throws {
        try await Self.withLedger { stack in
            let error = try await #require(throws: PostgresError.self) {
                try await stack.postgres.transaction { connection in
                    try connection.query("UPDATE invoice_lines SET amount_minor = 1100")
                }
            }
            #expect(error.code == .server("23514"))
            try await stack.postgres.transaction { connection in
                try connection.query("UPDATE invoice_lines SET amount_minor = 1100")
                try connection.query("UPDATE invoices SET total_minor = 1100")
            }
            #expect(
                try await stack.value("SELECT sum(total_minor)::int AS value FROM invoices")
                    == 2_200)
        }
    }

    /// Ann's May, as another period.
    private static let periods: [(start: String, end: String, isTaken: Bool)] = [
        ("2015-05-31T23:59:59.999Z", "2015-07-01Z", false),
        ("2015-04-01Z", "2015-05-01T00:00:00.001Z", false),
        ("2015-05-10Z", "2015-05-11Z", false), ("2015-01-01Z", "2015-12-31Z", false),
        ("2015-06-01Z", "2015-07-01Z", true), ("2015-04-01Z", "2015-05-01Z", true),
    ]

    @Test func `no two periods of a customer overlap`() async throws {
        try await Self.withLedger { stack in
            for (start, end, isTaken) in Self.periods {
                let refusal = try await stack.refusal(
                    of: """
                        INSERT INTO invoices (invoice_id, customer_id, slot, timezone, period_start,
                            period_end, kind, revision, status, currency, total_minor, plan,
                            collection_method, catalog_version, input_hash, tzdata_version)
                        SELECT 'inv_other', customer_id, slot, timezone, '\(start)', '\(end)',
                            kind, revision, 'carried', currency, 0, plan, collection_method,
                            catalog_version, input_hash, tzdata_version
                        FROM invoices WHERE customer_id = 'ann'
                        """)
                #expect(refusal == (isTaken ? nil : .server("23P01")), "from \(start) until \(end)")
            }
        }
    }

    private static let impossible = [
        "UPDATE invoices SET status = 'submitting'",
        "UPDATE invoices SET mode = 'pretend'", "UPDATE invoices SET period_end = period_start",
        "UPDATE invoices SET slot = 'May'", "INSERT INTO customers (customer_id) VALUES ('')",
        "INSERT INTO ledger (singleton) VALUES (false)",
    ]

    @Test(arguments: ["settled", "paid", "open", "void"])
    func `a computed invoice does not become something else by itself`(status: String) async throws
    {
        try await Self.withLedger { stack in
            let move = "UPDATE invoices SET status = '\(status)', mode = 'test'"
            let refusal = try await stack.refusal(of: move)
            #expect(refusal == .server("23001"))
        }
    }

    @Test func `what was submitted is fixed, to the last line`() async throws {
        try await Self.withLedger { stack in
            try await stack.postgres.query(
                "UPDATE invoices SET status = 'submitting', mode = 'test' WHERE customer_id = 'ann'"
            )
            for statement in [
                "UPDATE invoices SET mode = 'live' WHERE customer_id = 'ann'",
                "UPDATE invoices SET total_minor = 0 WHERE customer_id = 'ann'",
                "UPDATE invoices SET mode = NULL, status = 'computed' WHERE customer_id = 'ann'",
                "UPDATE invoice_lines SET description = 'other'", "DELETE FROM invoice_lines",
            ] {
                let refusal = try await stack.refusal(of: statement)
                #expect(refusal == .server("23001"), "\(statement)")
            }
        }
    }

    @Test func `what is no state of an invoice is refused, and there is one ledger`() async throws {
        try await Self.withLedger { stack in
            for statement in Self.impossible {
                let refusal = try await stack.refusal(of: statement)
                #expect(refusal == .server("23514"), "\(statement)")
            }
            #expect(
                try await stack.refusal(of: "INSERT INTO ledger DEFAULT VALUES") == .server("23505")
            )
            #expect(try await stack.refusal(of: "UPDATE customers SET email = 'x@y'") == nil)
        }
    }
}

extension Stack {
    /// The error that a statement ends with, if need be at its commit; `nil` if it would be accepted.
    /// Nothing is changed.
    fileprivate func refusal(of statement: String) async throws -> PostgresError.Code? {
        try await postgres.withConnection { connection in
            try await connection.query("BEGIN")
            var code: PostgresError.Code?
            do {
                try await connection.query(statement)
                try await connection.query("SET CONSTRAINTS ALL IMMEDIATE")
            } catch let error as PostgresError {
                code = error.code
            }
            try await connection.query("ROLLBACK")
            return code
        }
    }
}
