import Billing
import Ledger
import Postgres
import StripeSimulation
import Testing

/// Stripe or the ledger is away while events are worked on: no event is to blame for that.
struct WebhookOutageTests {
    enum Outage: CaseIterable {
        /// The key was revoked.
        case key
        /// Postgres has no room left.
        case ledger
    }

    /// Runs a test with an inbox of invoices that were sent, and paid since.
    private func withPaid(
        _ names: [String], _ body: (Inbox, [TestLedger.Planned]) async throws -> Void
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            var customers: [TestLedger.Planned] = []
            for name in names { customers.append(try await scene.add(name)) }
            try await scene.run(customers)
            for customer in customers { scene.customer(customer, "pay_open") }
            try await body(Inbox(scene), customers)
        }
    }

    private func claims(_ inbox: Inbox) async throws -> Int {
        try await inbox.scene.ledger.value(
            "SELECT count(claim_expires_at) AS value FROM invoices")
    }

    @Test(arguments: Outage.allCases)
    func `an outage costs no event an attempt, and holds up no invoice`(outage: Outage)
        async throws
    {
        try await withPaid(["ann", "bob", "eve"]) { inbox, customers in
            let pool = inbox.scene.ledger.pool
            try await inbox.receiveAll()
            if outage == .ledger {
                try await pool.query(
                    """
                    CREATE FUNCTION disk_is_full() RETURNS trigger LANGUAGE plpgsql AS
                        $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$
                    """)
                try await pool.query(
                    """
                    CREATE TRIGGER disk_is_full BEFORE UPDATE OF status ON invoices
                        FOR EACH ROW EXECUTE FUNCTION disk_is_full()
                    """)
            }
            let transport = AnsweringTransport(inbox.scene.simulator) { _ in
                outage == .key ? .refusal(401) : nil
            }
            // More often than any event is tried.
            for _ in 0..<45 {
                await #expect(throws: (any Error).self) {
                    try await inbox.drain(through: transport)
                }
                #expect(try await claims(inbox) == 0)
                let untouched: Bool = try await inbox.scene.ledger.value(
                    """
                    SELECT bool_and(attempts = 0 AND token IS NULL
                        AND next_attempt_at <= ledger_clock()) AS value
                    FROM webhook_events WHERE state = 'pending'
                    """)
                #expect(untouched)
                try await inbox.scene.ledger.advance(seconds: 121)
            }
            if outage == .ledger { try await pool.query("DROP TRIGGER disk_is_full ON invoices") }
            try await inbox.drain()
            for customer in customers { #expect(try await inbox.status(customer) == "paid") }
            #expect(
                try await !inbox.states().contains {
                    $0.hasPrefix("pending") || $0.hasPrefix("dead")
                })
        }
    }

    @Test(arguments: [403, nil])
    func `what a key may not read, or Stripe does not answer, is tried for more than a day`(
        status: Int?
    ) async throws {
        try await withPaid(["ann"]) { inbox, customers in
            try await inbox.receiveAll()
            let transport = AnsweringTransport(inbox.scene.simulator) { _ in
                guard let status else { throw StripeUnreachable("nobody is there") }
                return .refusal(status)
            }
            for _ in 0..<20 {
                let summary = try await inbox.drain(through: transport)
                #expect(summary[.failed] > 0 && summary[.dead] == 0)
                try await inbox.scene.ledger.advance(seconds: 3600)
            }
            try await inbox.drain()
            #expect(try await inbox.status(customers[0]) == "paid")
        }
    }

    @Test func `who is broken off gives its invoice and its event back`() async throws {
        try await withPaid(["ann", "bob"]) { inbox, customers in
            let (ann, bob) = (
                try inbox.stripeID(customers[0]), try inbox.stripeID(customers[1])
            )
            try await inbox.receive(Inbox.event("evt_1", "invoice.paid", #"{"id":"\#(ann)"}"#))
            try await inbox.receive(Inbox.event("evt_2", "invoice.paid", #"{"id":"\#(bob)"}"#))
            let (signals, annIsRead) = AsyncStream.makeStream(of: Void.self)
            let transport = AnsweringTransport(inbox.scene.simulator) { call in
                if call.path.hasSuffix(ann) {
                    annIsRead.yield()
                    // Nothing comes until it is broken off.
                    for await _ in AsyncStream<Void>.makeStream().stream {}
                    try Task.checkCancellation()
                }
                guard call.path.hasSuffix(bob) else { return nil }
                for await _ in signals { break }
                return .refusal(401)
            }
            await #expect(throws: Billing.StripeError.self) {
                try await inbox.drain(through: transport)
            }
            #expect(try await claims(inbox) == 0)
            #expect(try await inbox.drain()[.processed] == 2)
        }
    }
}

/// Stripe in this process, but for what a test answers itself.
struct AnsweringTransport: StripeTransport {
    private let simulated: SimulatedTransport
    private let answer: @Sendable (StripeCall) async throws -> StripeResponse?

    /// - Parameter answer: nothing: the simulator answers.
    init(
        _ simulator: StripeSimulator,
        answer: @escaping @Sendable (StripeCall) async throws -> StripeResponse?
    ) {
        simulated = SimulatedTransport(simulator)
        self.answer = answer
    }

    func awaitTurn(of call: StripeCall) async throws {}

    func send(_ call: StripeCall) async throws -> StripeResponse {
        if let own = try await answer(call) { return own }
        return try await simulated.send(call)
    }
}

extension StripeResponse {
    static func refusal(_ status: Int) -> StripeResponse {
        StripeResponse(
            status: status, requestID: nil, isReplayed: false, shouldRetry: nil,
            isRateLimited: false,
            body: Array(#"{"error":{"type":"invalid_request_error","message":"no"}}"#.utf8))
    }
}
