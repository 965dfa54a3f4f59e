import Billing
import Foundation
import Ledger
import Logging
import StripeSimulation
import Testing

/// A ledger and a Stripe, and runs of the program between them.
struct Scene: Sendable {
    let ledger: TestLedger
    let simulator: StripeSimulator

    init(_ ledger: TestLedger) throws {
        self.ledger = ledger
        simulator = try StripeSimulator(
            StripeSimulator.Settings(clock: { Int(Date().timeIntervalSince1970 * 1000) }))
    }

    /// Adds a customer to Stripe, and an invoice to the ledger.
    func add(
        _ customerID: String, isMailed: Bool = true, amounts: [Int64] = [1_000, 250],
        email: String = "a%40example.com"
    ) async throws -> TestLedger.Planned {
        let form = email.isEmpty ? "name=A" : "name=A&email=\(email)"
        let created = stripe("POST", "/v1/customers", form)
        let planned = TestLedger.Planned(
            customerID: customerID, stripeCustomerID: try #require(created["id"] as? String),
            isMailed: isMailed, amounts: amounts)
        try await ledger.add(planned)
        return planned
    }

    /// Does something at Stripe that is not the program's doing.
    @discardableResult
    func stripe(_ method: String, _ path: String, _ body: String = "") -> [String: Any] {
        let isQuery = method == "GET"
        let outcome = simulator.respond(
            to: SimulatedRequest(
                method: method, path: path, query: isQuery ? body : "",
                body: isQuery ? [] : Array(body.utf8), authorization: "Bearer sk_test_simulator",
                version: "2026-10-28.endive"))
        let object = try? JSONSerialization.jsonObject(with: Data(outcome.response.body))
        return object as? [String: Any] ?? [:]
    }

    /// The invoices of a customer that Stripe has.
    func invoices(of planned: TestLedger.Planned) -> [[String: Any]] {
        let list = stripe(
            "GET", "/v1/invoices", "customer=\(planned.stripeCustomerID ?? "")&limit=100")
        return list["data"] as? [[String: Any]] ?? []
    }

    /// Time passes everywhere.
    func advance(seconds: Int) async throws {
        simulator.advance(seconds: seconds)
        try await ledger.advance(seconds: seconds)
    }

    /// One run of the program: the sweep, and the submission of what is due.
    @discardableResult
    func run(
        _ customers: [TestLedger.Planned], through transport: SimulatedTransport? = nil,
        name: String = "run", collection: StripeRequests.Collection = .stripe,
        automaticTax: Bool = false, attempts: Int = 4, limit: Int? = nil
    ) async throws -> SubmissionSummary {
        var patience = StripeClient.Patience()
        patience.attempts = attempts
        patience.wait = { _ in await Task.yield() }
        let client = StripeClient(
            transport: transport ?? SimulatedTransport(simulator), patience: patience)
        let store = SubmissionStore(pool: ledger.pool, holder: name)
        let check = AccountCheck(client: client, isLive: false)
        try await check.bind(StripeAccountStore(pool: ledger.pool))
        let sweep = try await check.sweep(since: 0, ledgerID: ledger.ledgerID, store: store)
        var options = SubmissionRun.Options()
        options.customers = customers.map(\.customerID)
        options.width = 2
        options.limit = limit
        let run = SubmissionRun(
            invoices: InvoiceStore(pool: ledger.pool), store: store, client: client,
            requests: StripeRequests(
                ledgerID: ledger.ledgerID, collection: collection, automaticTax: automaticTax),
            isLive: false, options: options,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        var summary = try await run.run(slot: TestLedger.slot, suspects: sweep.suspects)
        try await run.makeCreditNotes(
            of: TestLedger.slot, ProposalStore(pool: ledger.pool), &summary)
        return summary
    }

    /// Whatever happened: one finalized invoice, right lines, right total, mailed or charged once, no draft,
    /// and the ledger says the same.
    func expectExactlyOnce(
        _ planned: TestLedger.Planned, mostMailings: Int = 1, _ context: String = "",
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let all = invoices(of: planned)
        let described = all.map { "\($0["id"] ?? ""): \($0["status"] ?? "")" }
        let comment = Comment(rawValue: "\(context) \(planned.customerID): \(described)")
        #expect(all.count == 1, comment, sourceLocation: sourceLocation)
        guard let invoice = all.first, let id = invoice["id"] as? String else { return }
        let effects = simulator.effects
        let own = effects.byInvoice[id]
        #expect(
            invoice["status"] as? String == (planned.isMailed ? "open" : "paid"), comment,
            sourceLocation: sourceLocation)
        #expect(
            invoice["subtotal"] as? Int == Int(planned.total), comment,
            sourceLocation: sourceLocation)
        #expect(own?[.finalized] == 1, comment, sourceLocation: sourceLocation)
        #expect(
            effects.byCustomer[planned.stripeCustomerID ?? ""]?[.finalized] == 1, comment,
            sourceLocation: sourceLocation)
        if planned.isMailed {
            #expect(
                (1...mostMailings).contains(own?[.sent] ?? 0),
                "\(comment): \(own?[.sent] ?? 0) mails",
                sourceLocation: sourceLocation)
        } else {
            #expect(own?[.charged] == 1, comment, sourceLocation: sourceLocation)
        }
        let lines =
            stripe("GET", "/v1/invoices/\(id)/lines", "limit=100")["data"] as? [[String: Any]]
        let metadata = lines?.compactMap {
            ($0["metadata"] as? [String: String])?["meterflow_line_id"]
        }
        #expect(
            metadata?.sorted()
                == planned.amounts.indices.map { "line_\(planned.customerID)_\($0)" }.sorted(),
            comment, sourceLocation: sourceLocation)
        let known: String = try await ledger.value(
            """
            SELECT concat_ws(' ', stripe_invoice_id, recovery_point, status) AS value FROM invoices
            WHERE invoice_id = $1
            """, [planned.invoiceID])
        #expect(
            known
                == "\(id) collected \(planned.isMailed ? "open" : known.hasSuffix("paid") ? "paid" : "open")",
            comment, sourceLocation: sourceLocation)
    }
}
