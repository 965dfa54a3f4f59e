import Billing
import Foundation
import Ledger
import Logging
import Postgres
import StripeSimulation
import Testing

/// The inbox of a ledger, and the Stripe of a scene that fills it.
struct Inbox: Sendable {
    let scene: Scene
    let store: WebhookStore
    let arrivals: WebhookInbox

    init(_ scene: Scene) {
        self.scene = scene
        store = WebhookStore(pool: scene.ledger.pool)
        arrivals = WebhookInbox(store: store)
    }

    /// All events that Stripe has, the oldest first, as JSON.
    func events() throws -> [[UInt8]] {
        var events: [[UInt8]] = []
        var query = "limit=100"
        while true {
            let page = scene.stripe("GET", "/v1/events", query)
            let data = page["data"] as? [[String: Any]] ?? []
            events += try data.map {
                Array(try JSONSerialization.data(withJSONObject: $0, options: .sortedKeys))
            }
            guard page["has_more"] as? Bool == true, let last = data.last?["id"] else { break }
            query = "limit=100&starting_after=\(last)"
        }
        return events.reversed()
    }

    /// What the endpoint does with a body that is signed.
    ///
    /// - Returns: whether the event is new.
    @discardableResult
    func receive(_ payload: [UInt8]) async throws -> Bool {
        try await arrivals.insert(ReceivedEvent(payload: payload))
    }

    @discardableResult
    func receive(_ text: String) async throws -> Bool {
        try await receive(Array(text.utf8))
    }

    func receiveAll() async throws {
        for event in try events() { try await receive(event) }
    }

    /// A snapshot of an object, as Stripe would send it.
    static func event(
        _ id: String, _ type: String, _ object: String, livemode: Bool = false,
        account: String? = nil
    ) -> String {
        let account = account.map { #""account":"\#($0)","# } ?? ""
        return #"""
            {"id":"\#(id)","object":"event","api_version":"2026-10-28.endive",\#(account)"created":1,"livemode":\#(livemode),"type":"\#(type)","data":{"object":\#(object)}}
            """#
    }

    /// An event that only names its object.
    static func thinEvent(_ id: String, _ type: String, _ object: String) -> String {
        #"""
        {"id":"\#(id)","object":"v2.core.event","type":"v1.\#(type)","livemode":false,"created":"2026-11-01T00:00:00Z","related_object":{"id":"\#(object)","type":"invoice","url":"/v1/x"}}
        """#
    }

    /// Works on all that is due, as one process.
    @discardableResult
    func drain(
        through transport: (any StripeTransport)? = nil, name: String = "webhooks",
        heals: Bool = true
    ) async throws -> WebhookSummary {
        let client = client(transport)
        let store = SubmissionStore(pool: scene.ledger.pool, holder: name)
        let processor = WebhookProcessor(
            settings: .init(isLive: false, accountID: "acct_1SimulatorMeterFlow", heals: heals),
            store: self.store, submissions: store,
            invoices: InvoiceStore(pool: scene.ledger.pool), client: client,
            requests: StripeRequests(ledgerID: scene.ledger.ledgerID),
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        return try await WebhookRun(store: self.store, processor: processor, width: 2)
            .drainPatiently { try await scene.ledger.advance(seconds: $0) }
    }

    func client(_ transport: (any StripeTransport)? = nil) -> StripeClient {
        var patience = StripeClient.Patience()
        patience.attempts = 3
        patience.wait = { _ in await Task.yield() }
        return StripeClient(
            transport: transport ?? SimulatedTransport(scene.simulator), patience: patience)
    }

    // MARK: The ledger

    func status(_ planned: TestLedger.Planned) async throws -> String {
        try await scene.ledger.value(
            "SELECT status AS value FROM invoices WHERE invoice_id = $1", [planned.invoiceID])
    }

    /// What events said beside the status.
    func standing(_ planned: TestLedger.Planned) async throws -> String {
        try await scene.ledger.value(
            """
            SELECT concat_ws(' ', CASE WHEN is_overdue THEN 'overdue' END, dispute_status,
                refunded_minor, credited_minor) AS value
            FROM invoices WHERE invoice_id = $1
            """, [planned.invoiceID])
    }

    /// What the journal has of an invoice's events.
    func journal(_ planned: TestLedger.Planned) async throws -> [String] {
        try await scene.ledger.values(
            """
            SELECT event AS value FROM invoice_events
            WHERE invoice_id = $1 AND stripe_event_id IS NOT NULL ORDER BY event_id
            """, [planned.invoiceID])
    }

    func alerts() async throws -> [String] {
        try await scene.ledger.values("SELECT key AS value FROM alerts ORDER BY key")
    }

    /// The keys of those that are not over; `dispute` in place of Stripe's id of one.
    func openAlerts() async throws -> [String] {
        try await scene.ledger.values(
            """
            SELECT regexp_replace(key, ':dp_.*', ':dispute') AS value FROM alerts
            WHERE state <> 'resolved' ORDER BY key
            """)
    }

    func states() async throws -> [String] {
        try await scene.ledger.values(
            "SELECT state || ' ' || count(*) AS value FROM webhook_events GROUP BY state ORDER BY 1"
        )
    }

    /// Stripe's id of the only invoice of a customer.
    func stripeID(_ planned: TestLedger.Planned) throws -> String {
        try #require(scene.invoices(of: planned).first?["id"] as? String)
    }
}

extension Scene {
    func control(_ path: String, _ json: String = "{}") {
        let outcome = simulator.respond(
            to: SimulatedRequest(method: "POST", path: path, body: Array(json.utf8)))
        #expect(
            outcome.response.status == 200,
            "\(path): \(String(decoding: outcome.response.body, as: UTF8.self))")
    }

    /// What an invoice was paid with.
    func paymentIntent(of id: String) -> String {
        let list = stripe("GET", "/v1/invoice_payments", "invoice=\(id)")
        let payment = (list["data"] as? [[String: Any]])?.first?["payment"] as? [String: Any]
        return payment?["payment_intent"] as? String ?? ""
    }

    func customer(_ planned: TestLedger.Planned, _ what: String) {
        control("/_sim/customers/\(planned.stripeCustomerID ?? "")/\(what)")
    }
}
