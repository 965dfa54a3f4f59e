import Exact
import Glibc
import Ledger
import Postgres
import StripeSimulation
import TestSupport
import Testing

@testable import Billing

/// The ledger beside Stripe, after things went wrong that never should.
struct ReconciliationTests {
    /// `RECONCILE_INVOICES` says how many invoices nothing is wrong with.
    private static let sound =
        getenv("RECONCILE_INVOICES").flatMap { Int(String(cString: $0)) } ?? 120

    /// What a drift is expected to say of a customer, in minor units.
    private struct Expected: Hashable, CustomStringConvertible {
        let customer: String
        let cause: Drift.Cause
        let difference: Int64

        var description: String { "\(customer) \(cause) \(difference)" }
    }

    @Test func `each kind of drift is found with its cause and amount, and nothing else`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            var planned: [TestLedger.Planned] = []
            for number in 0..<Self.sound { planned.append(try await scene.add("sound\(number)")) }
            for name in ["status", "edited", "rounded", "lacking", "twice", "stray"] {
                planned.append(try await scene.add(name))
            }
            try await scene.run(planned)

            scene.customer(try of("status", planned), "pay_open")
            let tamper = Tamper(scene: scene)
            try await tamper.change("edited", line: 0, by: -5)
            try await tamper.change("rounded", line: 1, by: 1)
            try await tamper.addLine("lacking", over: 70)
            try await tamper.finalized(try of("twice", planned), lines: ["line_twice_0": 300])
            try await tamper.draft(try of("stray", planned), lines: ["line_stray_0": 40])
            let gone = try await scene.add("gone")
            try await tamper.send(gone, as: "in_gone")
            var unknown = try await scene.add("unknown")
            unknown.customerID = "nobody"
            try await tamper.finalized(unknown, lines: ["line_x": 990])
            let doubled = try await scene.add("doubled", amounts: [800])
            try await tamper.send(
                doubled,
                as: try await tamper.finalized(
                    doubled, lines: ["line_doubled_0": 800], ["line_doubled_0": 800]))
            let added = try await scene.add("added", amounts: [800])
            try await tamper.send(
                added, as: try await tamper.finalized(added, lines: ["line_added_0": 800], ["": 55])
            )

            let expected: Set<Expected> = [
                Expected(customer: "status", cause: .status, difference: 0),
                Expected(customer: "edited", cause: .edited, difference: 5),
                Expected(customer: "rounded", cause: .rounding, difference: -1),
                Expected(customer: "lacking", cause: .missing, difference: -70),
                Expected(customer: "twice", cause: .duplicate, difference: 300),
                Expected(customer: "stray", cause: .strayDraft, difference: 40),
                Expected(customer: "gone", cause: .missing, difference: -1_250),
                Expected(customer: "nobody", cause: .extra, difference: 990),
                Expected(customer: "doubled", cause: .duplicate, difference: 800),
                Expected(customer: "added", cause: .edited, difference: 55),
            ]
            let dry = try await reconcile(scene, heals: false)
            #expect(try found(dry) == expected)
            #expect(dry.drifts.allSatisfy { !$0.isHealed })
            // All that has a row and was sent: the one that is gone counts, too.
            #expect(dry.compared == Self.sound + 9)

            let result = try await reconcile(scene, heals: true)
            #expect(try found(result) == expected)
            #expect(
                Set(result.drifts.filter(\.isHealed).map(\.cause)) == [.status, .strayDraft])
            try await Inbox(scene).drain()
            #expect(try await Inbox(scene).status(of("status", planned)) == "paid")
            // What was mended is not found again, and everything else is.
            let again = try await reconcile(scene, heals: true)
            #expect(
                try found(again)
                    == expected.filter { $0.cause != .status && $0.cause != .strayDraft })
        }
    }

    @Test(
        arguments: [
            (1_000, 250, "25.00"), (1_000, -1, "-0.10"), (3, 1, "33.33"), (0, 5, nil),
            (-400, 100, "25.00"),
            (99_999_999, -99_999_999, "-100.00"), (20_000, 1, "0.00"),
        ] as [(Int64, Int64, String?)])
    func `a difference is a share of what the ledger says`(
        ledger: Int64, difference: Int64, percent: String?
    ) {
        let drift = Drift(
            slot: "2026-10", side: .usage, cause: .late, invoiceID: nil, customerID: nil,
            stripeInvoiceID: nil, currency: nil, ledgerMinor: ledger,
            otherMinor: ledger + difference, detail: "")
        #expect(drift.differencePercent == percent)
    }

    private func of(_ name: String, _ planned: [TestLedger.Planned]) throws -> TestLedger.Planned {
        try #require(planned.first { $0.customerID == name })
    }

    private func reconcile(_ scene: Scene, heals: Bool) async throws -> StripeReconciliation.Result
    {
        let pool = scene.ledger.pool
        return try await StripeReconciliation(
            client: StripeClient(transport: SimulatedTransport(scene.simulator)),
            invoices: InvoiceStore(pool: pool), events: WebhookStore(pool: pool),
            ledgerID: scene.ledger.ledgerID, isLive: false, day: "2026-11-22", heals: heals
        ).run([try #require(.init(TestLedger.slot))])
    }

    private func found(_ result: StripeReconciliation.Result) throws -> Set<Expected> {
        let found = try result.drifts.map {
            Expected(
                customer: try #require($0.customerID), cause: $0.cause,
                difference: $0.differenceMinor)
        }
        #expect(Set(found).count == found.count, "\(found)")
        return Set(found)
    }
}

/// Does by force what the ledger's triggers and Stripe's rules prevent.
private struct Tamper {
    let scene: Scene

    private func force(_ sql: String, _ parameters: [(any PostgresEncodable)?]) async throws {
        try await scene.ledger.pool.transaction { connection in
            for table in ["invoices", "invoice_lines"] {
                try connection.query("ALTER TABLE \(table) DISABLE TRIGGER USER")
            }
            try connection.query(sql, parameters)
            for table in ["invoices", "invoice_lines"] {
                try connection.query("ALTER TABLE \(table) ENABLE TRIGGER USER")
            }
        }
    }

    func change(_ customer: String, line: Int, by amount: Int) async throws {
        try await force(
            "UPDATE invoice_lines SET amount_minor = amount_minor + $3 WHERE invoice_id = $1 AND position = $2",
            ["inv_\(customer)", line, amount])
    }

    func addLine(_ customer: String, over amount: Int) async throws {
        try await force(
            """
            INSERT INTO invoice_lines (invoice_id, position, line_id, metric, amount_minor, description, tiers)
            VALUES ($1, 9, $1 || '_9', 'calls', $2, 'calls', '[]')
            """, ["inv_\(customer)", amount])
    }

    /// The ledger takes an invoice to be open at Stripe under this id.
    func send(_ planned: TestLedger.Planned, as stripeID: String) async throws {
        try await force(
            """
            UPDATE invoices SET status = 'open', mode = 'test', stripe_invoice_id = $2,
                recovery_point = 'collected'
            WHERE invoice_id = $1
            """, [planned.invoiceID, stripeID])
    }

    @discardableResult
    func finalized(
        _ planned: TestLedger.Planned, lines: [String: Int]...
    ) async throws -> String {
        let id = try await draft(planned, lines)
        scene.stripe("POST", "/v1/invoices/\(id)/finalize", "auto_advance=false")
        return id
    }

    @discardableResult
    func draft(_ planned: TestLedger.Planned, lines: [String: Int]...) async throws -> String {
        try await draft(planned, lines)
    }

    private func draft(
        _ planned: TestLedger.Planned, _ lines: [[String: Int]]
    ) async throws -> String {
        let made = scene.stripe(
            "POST", "/v1/invoices",
            """
            customer=\(planned.stripeCustomerID ?? "")&auto_advance=false\
            &collection_method=send_invoice&days_until_due=30&currency=usd\
            &metadata[meterflow_invoice_id]=\(planned.invoiceID)\
            &metadata[meterflow_ledger_id]=\(scene.ledger.ledgerID)\
            &metadata[meterflow_customer_id]=\(planned.customerID)\
            &metadata[meterflow_slot]=\(TestLedger.slot)
            """)
        let id = try #require(made["id"] as? String, "\(made)")
        for (line, amount) in lines.flatMap({ $0.map { ($0.key, $0.value) } }) {
            let metadata = line.isEmpty ? "" : "&lines[0][metadata][meterflow_line_id]=\(line)"
            scene.stripe(
                "POST", "/v1/invoices/\(id)/add_lines",
                "lines[0][amount]=\(amount)&lines[0][description]=calls\(metadata)")
        }
        return id
    }
}
