import Exact
import Glibc
import Postgres
import StripeSimulation
import TestSupport
import Testing

@testable import Billing
@testable import Ledger

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
            planned.append(try await scene.add("coupon", amounts: [Coupon.subtotal]))
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
                Expected(customer: "coupon", cause: .edited, difference: -Coupon.off),
            ]
            let dry = try await reconcile(scene)
            #expect(try found(dry) == expected)
            #expect(dry.drifts.allSatisfy { !$0.isHealed })
            // All that has a row and was sent: the one that is gone counts, too.
            #expect(dry.compared == Self.sound + 10)

            // Nobody works on the inbox: what was put there is not mended by that.
            let unread = try await reconcile(scene, follow: { _ in })
            #expect(try found(unread) == expected)
            #expect(unread.drifts.filter(\.isHealed).map(\.cause) == [.strayDraft])

            let result = try await reconcile(scene) { _ in _ = try await Inbox(scene).drain() }
            #expect(try found(result) == expected.filter { $0.cause != .strayDraft })
            #expect(result.drifts.filter(\.isHealed).map(\.cause) == [.status])
            #expect(try await Inbox(scene).status(of("status", planned)) == "paid")
            // What was mended is not found again, and everything else is.
            let again = try await reconcile(scene) { _ in _ = try await Inbox(scene).drain() }
            #expect(
                try found(again)
                    == expected.filter { $0.cause != .status && $0.cause != .strayDraft })
        }
    }

    @Test(
        arguments: [
            (10, 12, 1_000, 1_200, .late), (10, 12, 1_000, 1_000, nil),
            (10, 9, 1_000, 900, .missing), (10, 9, 1_000, 1_000, .missing),
            (10, 10, 1_000, 1_001, .rounding), (10, 10, 1_000, 1_002, .price),
            (10, 10, 1_000, 0, .price),
        ] as [(Int, Int, Int64, Int64, Drift.Cause?)])
    func `a quantity and its amount drift for one cause, and a fee for the same`(
        billed: Int, used: Int, billedMinor: Int64, usedMinor: Int64, cause: Drift.Cause?
    ) throws {
        func difference(
            _ metric: String?, _ billedMinor: Int64, _ usedMinor: Int64, of customer: String = "ann"
        ) throws -> SlotComputation.LineDifference {
            SlotComputation.LineDifference(
                invoiceID: "inv_\(customer)", customerID: customer, stripeInvoiceID: nil,
                isSent: true, isCorrectable: true, currency: try #require(Currency("usd")),
                lineID: "line_\(metric ?? "minimum")", metric: metric,
                description: metric ?? "Minimum", billedQuantity: "\(billed)",
                usedQuantity: "\(used)", billedMinor: billedMinor, usedMinor: usedMinor,
                quantitySign: metric == nil ? 0 : (used - billed).signum())
        }
        var differences = UsageDifferences()
        differences.lines = [try difference("storage", billedMinor, usedMinor)]
        let own = UsageReconciliation.drifts(differences, slot: "2026-10")
        #expect(own.map(\.cause) == [cause].compactMap(\.self))
        #expect(own.allSatisfy { $0.ledgerMinor == billedMinor && $0.otherMinor == usedMinor })
        // What fills up to a minimum shrinks as usage grows; another customer's is another drift.
        differences.lines.append(try difference(nil, 500, 400))
        differences.lines.append(try difference(nil, 0, 7, of: "bob"))
        let all = UsageReconciliation.drifts(differences, slot: "2026-10")
        #expect(all.map(\.customerID) == ["ann", "bob"] && all[1].cause == .price)
        #expect(all[0].cause == cause ?? .late)
        #expect(all[0].differenceMinor == usedMinor - billedMinor - 100)
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

    /// - Parameter follow: works on the inbox; `nil`: nothing is mended.
    private func reconcile(
        _ scene: Scene, follow: (@Sendable (Bool) async throws -> Void)? = nil
    ) async throws -> StripeReconciliation.Result {
        let pool = scene.ledger.pool
        return try await StripeReconciliation(
            client: StripeClient(transport: Coupon(SimulatedTransport(scene.simulator))),
            invoices: InvoiceStore(pool: pool), events: WebhookStore(pool: pool),
            ledgerID: scene.ledger.ledgerID, isLive: false, day: "2026-11-22", follow: follow
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

/// Stripe with a coupon that is taken off one invoice: its lines and its subtotal stay.
private struct Coupon: StripeTransport {
    /// By which the invoice is told; and a tenth of it.
    static let (subtotal, off): (Int64, Int64) = (31_337, 3_133)

    private let simulated: SimulatedTransport

    init(_ simulated: SimulatedTransport) {
        self.simulated = simulated
    }

    func awaitTurn(of call: StripeCall) async throws {
        try await simulated.awaitTurn(of: call)
    }

    func send(_ call: StripeCall) async throws -> StripeResponse {
        let response = try await simulated.send(call)
        var text = String(decoding: response.body, as: UTF8.self)
        for field in ["total", "total_excluding_tax"] {
            text.replace(
                "\"\(field)\":\(Self.subtotal)", with: "\"\(field)\":\(Self.subtotal - Self.off)")
        }
        return StripeResponse(
            status: response.status, requestID: response.requestID,
            isReplayed: response.isReplayed, shouldRetry: response.shouldRetry,
            isRateLimited: response.isRateLimited, body: Array(text.utf8))
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
