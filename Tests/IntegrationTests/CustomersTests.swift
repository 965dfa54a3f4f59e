import Postgres
import Testing

struct CustomersTests {
    private static let header =
        "customer_id,plan,currency,timezone,stripe_customer_id,collection_method,days_until_due,email,active_from,active_until"

    /// Rows with one mistake each, and what is said about it.
    private static let mistakes: [(row: String, message: String)] = [
        ("a b,basic,usd,,,,,,,", "customer_id must be"),
        (",basic,usd,,,,,,,", "customer_id must be"),
        (
            "c3,gold,usd,,,,,,,",
            "plan 'gold' is not in catalog simple, which has basic, premium, euro"
        ),
        ("c4,,usd,,,,,,,", "plan is empty"),
        ("c5,basic,xyz,,,,,,,", "currency 'xyz' is none"),
        ("c6,basic,USD,,,,,,,", "currency 'USD' is none"),
        ("c7,euro,usd,,,,,,,", "plan euro is in eur, the customer's currency is usd"),
        ("c8,basic,usd,Mars/Olympus,,,,,,", "'Mars/Olympus' is no time zone"),
        ("c9,basic,usd,IST,,,,,,", "'IST' is no time zone"),
        ("c10,basic,usd,,,by_post,,,,", "collection_method is"),
        ("c11,basic,usd,,,,soon,,,", "days_until_due is a whole number"),
        (
            "c12,basic,usd,,,charge_automatically,30,,,",
            "days_until_due goes with send_invoice only"
        ),
        ("c13,basic,usd,,,,,nobody,,", "email has no @"),
        ("c14,basic,usd,,,,,,2015-02-30,", "active_from '2015-02-30' is no date"),
        ("c15,basic,usd,,,,,,2015-03-01,2015-03-01", "active_until must be after active_from"),
        ("good,basic,usd,,,,,,,", "customer_id 'good' stands in line 2 already"),
        ("c17,basic,usd,,cus_1,,,,,", "stripe_customer_id 'cus_1' stands in line 2 already"),
    ]

    @Test
    func `a customers file with mistakes is refused with all of its lines, and nothing is taken`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let rows = [Self.header, "good,basic,usd,,cus_1,,,,,"] + Self.mistakes.map(\.row)
            let file = try stack.file("customers.csv", rows.joined(separator: "\n") + "\n")
            let result = try await stack.jobs("import", "customers", file)
            #expect(result.status == 65)
            let problems = result.errors.matches(of: /line (\d+): ([^\n]+)/)
            #expect(problems.map { Int($0.1) } == Array(3..<3 + Self.mistakes.count))
            for (problem, mistake) in zip(problems, Self.mistakes) {
                #expect(problem.2.hasPrefix(mistake.message))
            }
            #expect(try await stack.count("customers") == 0)
            #expect(try await stack.count("customer_terms") == 0)
        }
    }

    @Test(arguments: [
        ("", "line 1: there is no header"),
        ("customer_id,plan\nc,basic\n", "line 1: the column \"currency\" is missing"),
        ("customer_id,plan,currency,tz\nc,basic,usd,\n", "line 1: the column \"tz\" is not known"),
        (
            "customer_id,plan,currency\nc,basic,usd\nd,basic\n",
            "line 3: the row has 2 fields, the header 3"
        ),
        (
            "customer_id,plan,currency\n\"c,basic,usd\n",
            "line 2: the quote that opens here is not closed"
        ),
        ("customer_id,plan,currency\nc\u{0}d,basic,usd\n", "line 2: customer_id must be"),
    ])
    func `what is no CSV of customers is refused with its line`(
        text: String, message: String
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let file = try stack.file("customers.csv", text)
            let result = try await stack.jobs("import", "customers", file)
            #expect(result.status == 65)
            #expect(result.errors.contains(message))
            #expect(try await stack.count("customers") == 0)
        }
    }

    @Test func `the same customers again change nothing, and changes are counted`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let csv = "customer_id,plan,currency,email\nann,basic,usd,ann@x.org\nbob,basic,usd,\n"
            for (text, counts) in [
                (csv, "2 added, 0 changed, 0 unchanged"),
                (csv, "0 added, 0 changed, 2 unchanged"),
                (
                    csv.replacing("bob,basic", with: "bob,premium"),
                    "0 added, 1 changed, 1 unchanged"
                ),
                (
                    csv.replacing("ann@x", with: "ann@y").replacing(
                        "bob,basic", with: "bob,premium"), "0 added, 1 changed, 1 unchanged"
                ),
            ] {
                let answer = try await stack.importCustomers(text)
                #expect(answer.contains(counts))
            }
            #expect(try await stack.count("customers") == 2)
            #expect(try await stack.count("customer_terms") == 3)
        }
    }

    @Test func `a Stripe customer that another customer has is bad input, and nothing is taken`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let header = "customer_id,plan,currency,stripe_customer_id\n"
            try await stack.importCustomers(header + "ann,basic,usd,cus_1\n")
            let file = try stack.file(
                "customers.csv", header + "bob,basic,usd,cus_2\neve,basic,usd,cus_1\n")
            let result = try await stack.jobs("import", "customers", file)
            #expect(result.status == 65)
            #expect(result.errors.contains("stripe_customer_id"))
            #expect(try await stack.count("customers") == 1)
        }
    }

    @Test func `two customers can exchange their Stripe customers in one file`() async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            let header = "customer_id,plan,currency,stripe_customer_id\n"
            try await stack.importCustomers(header + "ann,basic,usd,cus_1\nbob,basic,usd,cus_2\n")
            let file = try stack.file(
                "customers.csv", header + "ann,basic,usd,cus_2\nbob,basic,usd,cus_1\n")
            let result = try await stack.jobs("import", "customers", file)
            #expect(result.status == 0, "\(result.errors)")
        }
    }

    @Test func `a customer who is erased is forgotten, and charged as before`() async throws {
        try await withSubmittedStack { submitted in
            let stack = submitted.stack
            let row = "ann,basic,usd,UTC,\(submitted.customers["ann"] ?? ""),send_invoice,30"
            func take(_ email: String) async throws -> JobsProcess.Result {
                let text = "\(Self.header)\n\(row),\(email),,\n"
                return try await stack.jobs("import", "customers", stack.file("a.csv", text))
            }
            #expect(try await take("ann@example.com").status == 0)
            #expect(try await submitted.bill().status == 0)
            try await stack.done("run", "process-webhooks", with: submitted.settings([:]))
            let total: Int = try await stack.value(
                "SELECT sum(total_minor)::bigint AS value FROM invoices")
            // An endpoint may hear of everything. Another customer's id begins with Ann's.
            let cus = submitted.customers["ann"] ?? ""
            for (id, state, customer, email) in [
                ("ignored", "ignored", cus, "ann"), ("foreign", "foreign", cus, "ann"),
                ("other", "ignored", cus + "1", "else"),
            ] {
                try await stack.postgres.query(
                    """
                    INSERT INTO webhook_events (event_id, source, type, livemode, state, settled_at, payload)
                    VALUES ($1, 'endpoint', 'customer.updated', false, $2, now(), $3)
                    """,
                    [
                        id, state,
                        #"{"data":{"object":{"id":"\#(customer)","email":"\#(email)@example.com"}}}"#,
                    ])
            }
            try await stack.postgres.query(
                """
                INSERT INTO alerts (key, kind, severity, subject, body)
                VALUES ('link', 'payment_action_required', 'warning', 'x',
                    '{"customer_id": "ann", "next": "confirm it at https://invoice.stripe.com/i/ann"}')
                """)

            let erased = try await stack.done(
                "customers", "erase", "ann", "--reason", "asked for it")
            #expect(erased.hasPrefix("erased the e-mail address, and the contents of "))
            for table in ["customers", "webhook_events", "invoices", "invoice_events", "alerts"] {
                let found: Bool = try await stack.value(
                    "SELECT coalesce(bool_or(t::text LIKE '%ann@example.com%'), false) AS value FROM \(table) AS t"
                )
                #expect(!found, "\(table)")
            }
            let others: Bool = try await stack.value(
                """
                SELECT bool_and((payload = '{"erased":true}') = (customer_id = 'ann')) AS value
                FROM webhook_events JOIN invoices USING (invoice_id)
                """)
            #expect(others)
            #expect(
                try await stack.value(
                    "SELECT string_agg(event_id, ' ' ORDER BY event_id) AS value FROM webhook_events"
                        + " WHERE invoice_id IS NULL AND payload = '{\"erased\":true}'")
                    == "foreign ignored")
            #expect(
                try await stack.value(
                    "SELECT body ->> 'next' AS value FROM alerts WHERE key = 'link'")
                    == "confirm it at Stripe's page of the invoice")
            let again = try await take("ann@example.com")
            #expect(again.status == 65 && again.errors.contains("customer ann was erased"))
            #expect(try await take("").status == 0)
            let effects = try await submitted.effects()
            #expect(try await submitted.bill().status == 0)
            #expect(try await submitted.effects() == effects)
            #expect(
                try await stack.value("SELECT sum(total_minor)::bigint AS value FROM invoices")
                    == total)
            let unknown = try await stack.jobs("customers", "erase", "eve", "--reason", "x")
            #expect(unknown.status == 65)
        }
    }
}
