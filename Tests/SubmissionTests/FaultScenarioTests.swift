import Billing
import Ledger
import Postgres
import StripeSimulation
import Synchronization
import Testing

/// What goes wrong between the program and Stripe, one thing at a time.
struct FaultScenarioTests {
    static let paths: [(SubmissionStep, String)] = [
        (.create, "/v1/invoices"), (.addLines, "/v1/invoices/{invoice}/add_lines"),
        (.finalize, "/v1/invoices/{invoice}/finalize"), (.send, "/v1/invoices/{invoice}/send"),
    ]

    /// Every way to fail, at every request of an invoice: one run is enough, or the next one.
    @Test(arguments: Fault.Kind.allCases)
    func `a fault at any request leaves one right invoice`(kind: Fault.Kind) async throws {
        try await withLedger { ledger in
            for (number, (_, path)) in Self.paths.enumerated() {
                let scene = try Scene(ledger)
                let ann = try await scene.add("ann")
                scene.simulator.add([FaultRule(method: "POST", path: path, Fault(kind))])
                try await scene.run([ann])
                scene.simulator.release(scene.simulator.heldNumbers)
                try await scene.run([ann])
                try await scene.expectExactlyOnce(ann, "\(kind) at request \(number)")
                try await ledger.clear()
            }
        }
    }

    /// The same, with the process gone when the answer comes, and nobody there for more than a day.
    /// (A mail that went out is found at once.)
    @Test(arguments: paths.map(\.1).dropLast())
    func `an answer that nobody heard is looked up once the key is forgotten`(
        path: String
    ) async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(method: "POST", path: path, times: 4, Fault(.answerLost))
            ])
            let first = try await scene.run([ann])
            #expect(first.deadLetters.count == 1)
            try await ledger.retryDeadLetters()
            try await scene.advance(seconds: 25 * 3600)
            let second = SimulatedTransport(scene.simulator)
            #expect(try await scene.run([ann], through: second).collected == 1)
            try await scene.expectExactlyOnce(ann)
            // Nothing is asked for again, but an empty draft is made anew.
            let again = second.sent.withLock { $0.filter { $0.endpoint == "POST \(path)" } }
            #expect(again.map(\.idempotencyKey?.last) == (path == "/v1/invoices" ? ["1"] : []))
        }
    }

    @Test func `a request that nobody got is sent again under another key after a day`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(method: "POST", path: "/v1/invoices", times: 4, Fault(.resetBefore))
            ])
            #expect(try await scene.run([ann]).deadLetters.count == 1)
            try await ledger.retryDeadLetters()
            try await scene.advance(seconds: 25 * 3600)
            try await scene.run([ann])
            try await scene.expectExactlyOnce(ann)
            let keys: [String] = try await ledger.values(
                "SELECT idempotency_key AS value FROM stripe_requests WHERE step = 'create' ORDER BY epoch"
            )
            #expect(keys.map { $0.suffix(9) } == ["_create_0", "_create_1"])
        }
    }

    @Test func `an error that is stored under a key is not asked for again`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(
                    method: "POST", path: "/v1/invoices/{invoice}/finalize",
                    Fault(.lockTimeoutStored))
            ])
            #expect(try await scene.run([ann]).collected == 1)
            try await scene.expectExactlyOnce(ann)
            let outcomes: [String] = try await ledger.values(
                "SELECT outcome AS value FROM stripe_requests WHERE step = 'finalize' ORDER BY epoch"
            )
            #expect(outcomes == ["burned", "done"])
        }
    }

    /// The key is in use while Stripe is still at the first request: it is not used up.
    @Test func `a conflict with a request that is at work is waited for under the same key`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(
                    method: "POST", path: "/v1/invoices/{invoice}/send", times: 2, Fault(.conflict))
            ])
            let transport = SimulatedTransport(scene.simulator)
            #expect(try await scene.run([ann], through: transport).collected == 1)
            try await scene.expectExactlyOnce(ann)
            let sends = transport.sent.withLock { $0.filter { $0.path.hasSuffix("/send") } }
            #expect(sends.count == 3 && Set(sends.map(\.idempotencyKey)).count == 1)
        }
    }

    /// Another version of the program, which would ask for something else, finds a request without answer.
    @Test func `what was stored is sent again to the byte, whatever this version would send`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            scene.simulator.add([
                FaultRule(method: "POST", path: "/v1/invoices", times: 4, Fault(.answerLost))
            ])
            let old = SimulatedTransport(scene.simulator)
            #expect(try await scene.run([ann], through: old).deadLetters.count == 1)
            try await ledger.retryDeadLetters()
            let new = SimulatedTransport(scene.simulator)
            #expect(try await scene.run([ann], through: new, automaticTax: true).collected == 1)
            try await scene.expectExactlyOnce(ann)
            let bodies = [old, new].map { transport in
                transport.sent.withLock { $0.first { $0.endpoint == "POST /v1/invoices" }?.body }
            }
            #expect(bodies[0] != nil && bodies[0] == bodies[1])
        }
    }

    @Test func `taxes that cannot be computed are a dead letter, and nothing is mailed`()
        async throws
    {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann")
            let summary = try await scene.run([ann], automaticTax: true)
            #expect(summary.deadLetters.first?.reason.contains("location") == true, "\(summary)")
            #expect(scene.simulator.effects.total[.sent] == 0)
            scene.stripe(
                "POST", "/v1/customers/\(ann.stripeCustomerID ?? "")", "address[country]=US")
            try await ledger.retryDeadLetters()
            #expect(try await scene.run([ann], automaticTax: true).collected == 1)
            try await scene.expectExactlyOnce(ann)
        }
    }

    @Test func `an invoice over nothing says so in a line of its own`() async throws {
        try await withLedger { ledger in
            let scene = try Scene(ledger)
            let ann = try await scene.add("ann", amounts: [])
            #expect(try await scene.run([ann]).collected == 1)
            let invoices = scene.invoices(of: ann)
            #expect(invoices.map { $0["status"] as? String } == ["paid"])
            #expect(invoices.map { $0["total"] as? Int } == [0])
        }
    }
}
