import Postgres
import Testing

/// What the schema refuses, whoever asks.
struct SchemaGuardTests {
    /// May of two customers: 10 dollars each, in one line each.
    private static func withLedger(_ body: (Stack) async throws -> Void) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers("customer_id,plan,currency\nann,basic,usd\nbob,basic,usd\n")
            try await stack.importEvents(
                ["ann", "bob"].map { eventLine("t", of: $0, at: "2015-05-10T00:00:00Z", #"{"gb":10}"#) })
            _ = try await stack.bill("2015-05")
            try await body(stack)
        }
    }

    private static let journals = ["invoice_events", "customer_terms", "catalog_versions", "ledger"]

    @Test func `what is written into a journal can be neither changed nor removed`() async throws {
        try await Self.withLedger { stack in
            let columns = [
                "invoice_events": "total_minor = 0", "customer_terms": "plan = 'premium'",
                "catalog_versions": "source = ''", "ledger": "ledger_id = gen_random_uuid()",
            ]
            for table in Self.journals {
                let before = try await stack.count(table)
                let change = try #require(columns[table])
                for statement in ["UPDATE \(table) SET \(change)", "DELETE FROM \(table)"] {
                    #expect(try await stack.refusal(of: statement) == .server("23001"), "\(statement)")
                }
                #expect(try await stack.count(table) == before)
                #expect(before > 0)
            }
        }
    }

    @Test(arguments: ["invoice_events", "customer_terms", "catalog_versions CASCADE", "ledger"])
    func `a journal cannot be emptied`(table: String) async throws {
        try await Self.withLedger { stack in
            let refusal = try await stack.refusal(of: "TRUNCATE \(table)")
            #expect(refusal == .server("23001"))
        }
    }

    @Test(arguments: [
        "UPDATE invoices SET total_minor = total_minor + 1 WHERE customer_id = 'ann'",
        "UPDATE invoice_lines SET amount_minor = amount_minor - 1",
        "DELETE FROM invoice_lines",
        """
        INSERT INTO invoice_lines
        SELECT invoice_id, 9, 'line_9', 'storage', 1, 1, 'one too many', '[]' FROM invoices
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
    ])
    func `lines that do not add up to their total are refused at commit`(statement: String) async throws {
        try await Self.withLedger { stack in
            #expect(try await stack.refusal(of: statement) == .server("23514"))
            let sums: Int = try await stack.value(
                "SELECT sum(amount_minor)::int AS value FROM invoice_lines")
            #expect(sums == 2_000)
        }
    }

    @Test func `lines and total may change together`() async throws {
        try await Self.withLedger { stack in
            try await stack.postgres.transaction { connection in
                try connection.query("UPDATE invoice_lines SET amount_minor = 1100")
                try connection.query("UPDATE invoices SET total_minor = 1100")
            }
            #expect(try await stack.value("SELECT sum(total_minor)::int AS value FROM invoices") == 2_200)
        }
    }

    /// Ann's May, as another period.
    @Test(arguments: [
        ("2015-05-31T23:59:59.999Z", "2015-07-01Z", false), ("2015-04-01Z", "2015-05-01T00:00:00.001Z", false),
        ("2015-05-10Z", "2015-05-11Z", false), ("2015-01-01Z", "2015-12-31Z", false),
        ("2015-06-01Z", "2015-07-01Z", true), ("2015-04-01Z", "2015-05-01Z", true),
    ])
    func `no two periods of a customer overlap`(start: String, end: String, isTaken: Bool) async throws {
        try await Self.withLedger { stack in
            let statement = """
                INSERT INTO invoices (invoice_id, customer_id, slot, timezone, period_start, period_end,
                    kind, revision, status, currency, total_minor, plan, collection_method,
                    catalog_version, input_hash, tzdata_version)
                SELECT 'inv_other', customer_id, slot, timezone, '\(start)', '\(end)',
                    kind, revision, 'carried', currency, 0, plan, collection_method,
                    catalog_version, input_hash, tzdata_version
                FROM invoices WHERE customer_id = 'ann'
                """
            let refusal = try await stack.refusal(of: statement)
            #expect(refusal == (isTaken ? nil : .server("23P01")))
            #expect(try await stack.count("invoices") == (isTaken ? 3 : 2))
        }
    }

    @Test(arguments: [
        "UPDATE invoices SET status = 'settled'", "UPDATE invoices SET status = 'paid'",
        "UPDATE invoices SET mode = 'pretend'", "UPDATE invoices SET period_end = period_start",
        "UPDATE invoices SET slot = 'May'", "INSERT INTO customers (customer_id) VALUES ('')",
        "INSERT INTO ledger (singleton) VALUES (false)",
    ])
    func `what is no state of an invoice is refused`(statement: String) async throws {
        try await Self.withLedger { stack in
            let refusal = try await stack.refusal(of: statement)
            #expect(refusal == .server("23514"))
        }
    }

    @Test func `there is one ledger`() async throws {
        try await Self.withLedger { stack in
            let refusal = try await stack.refusal(of: "INSERT INTO ledger DEFAULT VALUES")
            #expect(refusal == .server("23505"))
        }
    }
}

extension Stack {
    /// The error that a statement ends with, at once or at its commit; `nil` if it is accepted.
    fileprivate func refusal(of statement: String) async throws -> PostgresError.Code? {
        do {
            try await postgres.query(statement)
            return nil
        } catch let error as PostgresError {
            return error.code
        }
    }
}
