import StripeSimulation
import Synchronization
import Testing

struct FaultTests {
    /// What a fault does to one request, and to the same request sent again under the same key.
    struct Expected: Sendable {
        let kind: Fault.Kind
        let status: Int
        var transport = Outcome.Transport.whole
        /// Invoices after the first request, and after the second.
        let effects: [Int]
        /// The status of the second request, and whether it is a replay.
        let again: Int
        let isReplayed: Bool
    }

    static let table: [Expected] = [
        Expected(
            kind: .answerLost, status: 200, transport: .closed, effects: [1, 1], again: 200,
            isReplayed: true),
        Expected(
            kind: .resetAfter, status: 200, transport: .reset, effects: [1, 1], again: 200,
            isReplayed: true),
        Expected(
            kind: .truncated, status: 200, transport: .truncated, effects: [1, 1], again: 200,
            isReplayed: true),
        Expected(
            kind: .resetBefore, status: 500, transport: .reset, effects: [0, 1], again: 200,
            isReplayed: false),
        Expected(
            kind: .stall, status: 500, transport: .closed, effects: [0, 1], again: 200,
            isReplayed: false),
        Expected(
            kind: .held, status: 500, transport: .closed, effects: [0, 1], again: 200,
            isReplayed: false),
        Expected(
            kind: .errorStored, status: 500, effects: [0, 0], again: 500, isReplayed: true),
        Expected(
            kind: .errorStoredAfter, status: 500, effects: [1, 1], again: 500, isReplayed: true),
        Expected(kind: .error, status: 500, effects: [0, 1], again: 200, isReplayed: false),
        Expected(kind: .errorAfter, status: 500, effects: [1, 1], again: 200, isReplayed: true),
        Expected(
            kind: .errorForgotten, status: 500, effects: [1, 2], again: 200, isReplayed: false),
        Expected(kind: .conflict, status: 409, effects: [0, 1], again: 200, isReplayed: false),
        Expected(kind: .rateLimited, status: 429, effects: [0, 1], again: 200, isReplayed: false),
        Expected(kind: .lockTimeout, status: 429, effects: [0, 1], again: 200, isReplayed: false),
        Expected(
            kind: .lockTimeoutStored, status: 429, effects: [0, 0], again: 429, isReplayed: true),
        Expected(kind: .badGateway, status: 502, effects: [0, 1], again: 200, isReplayed: false),
        Expected(
            kind: .badGatewayAfter, status: 502, effects: [1, 1], again: 200, isReplayed: true),
        Expected(kind: .latency, status: 200, effects: [1, 1], again: 200, isReplayed: true),
    ]

    @Test(arguments: table)
    func `a fault does what its name says, and so does the second attempt`(
        expected: Expected
    ) throws {
        let sandbox = try Sandbox()
        let parameters = "customer=\(sandbox.customer())"
        sandbox.simulator.add([FaultRule(path: "/v1/invoices", Fault(expected.kind))])
        let first = sandbox.post("/v1/invoices", parameters, key: "k")
        #expect(first.status == expected.status)
        #expect(first.outcome.transport == expected.transport)
        #expect(sandbox.count(.invoiceCreated) == expected.effects[0])
        let second = sandbox.post("/v1/invoices", parameters, key: "k")
        #expect(second.status == expected.again)
        #expect((second.header("Idempotent-Replayed") != nil) == expected.isReplayed)
        #expect(second.outcome.transport == .whole)
        #expect(sandbox.count(.invoiceCreated) == expected.effects[1])
    }

    @Test func `every kind of fault is in the table`() {
        #expect(Set(Self.table.map(\.kind)) == Set(Fault.Kind.allCases))
    }

    @Test func `the two kinds of 429 are told apart`() throws {
        let sandbox = try Sandbox()
        sandbox.simulator.add([
            FaultRule(Fault(.rateLimited)), FaultRule(nth: 2, Fault(.lockTimeout)),
        ])
        let limited = sandbox.post("/v1/customers")
        #expect(limited.header("Stripe-Rate-Limited-Reason") == "global-concurrency")
        #expect(limited.code == "rate_limit")
        let locked = sandbox.post("/v1/customers")
        #expect(locked.header("Stripe-Rate-Limited-Reason") == nil)
        #expect(locked.code == "lock_timeout")
        #expect(locked["error"]?["type"]?.text == "invalid_request_error")
    }

    @Test func `a bad gateway answers with a page`() throws {
        let sandbox = try Sandbox()
        sandbox.simulator.add([FaultRule(Fault(.badGateway, shouldRetry: false))])
        let answer = sandbox.get("/v1/account")
        #expect(answer.json == .null)
        #expect(answer.header("Content-Type") == "text/html")
        #expect(answer.header("Stripe-Should-Retry") == "false")
    }

    @Test func `a held request arrives when it is released, once`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        sandbox.simulator.add([FaultRule(path: "/v1/invoices", times: 2, Fault(.held))])
        sandbox.post("/v1/invoices", "customer=\(customer)", key: "k")
        sandbox.post("/v1/invoices", "customer=\(customer)", key: "k")
        #expect(sandbox.simulator.heldNumbers.count == 2)
        #expect(sandbox.count(.invoiceCreated) == 0)
        sandbox.simulator.release(sandbox.simulator.heldNumbers)
        #expect(sandbox.count(.invoiceCreated) == 1)
        #expect(sandbox.simulator.heldNumbers.isEmpty)
        let answer = sandbox.post("/v1/invoices", "customer=\(customer)", key: "k")
        #expect(answer.header("Idempotent-Replayed") == "true")
    }

    @Test func `a held request arrives when its time has come`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.draft()
        sandbox.simulator.add([FaultRule(Fault(.held, deliverAfterMilliseconds: 60_000))])
        sandbox.post("/v1/invoices/\(id)/add_lines", "lines[0][amount]=1", key: "k")
        sandbox.simulator.advance(seconds: 59)
        #expect(sandbox.count(.lineAdded) == 1)
        sandbox.simulator.advance(seconds: 1)
        #expect(sandbox.count(.lineAdded) == 2)
    }

    @Test func `a held request that comes too late is refused like any other`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.draft()
        sandbox.simulator.add([FaultRule(Fault(.held))])
        sandbox.post("/v1/invoices/\(id)/add_lines", "lines[0][amount]=1")
        sandbox.send("DELETE", "/v1/invoices/\(id)")
        sandbox.simulator.release(sandbox.simulator.heldNumbers)
        #expect(sandbox.count(.lineAdded) == 1)
    }

    @Test func `a rule meets the requests that fit, from the nth on`() throws {
        let sandbox = try Sandbox()
        sandbox.control(
            "POST", "/_sim/faults",
            """
            [{"match": {"method": "POST", "path": "/v1/customers/{customer}", "nth": 2,
              "containing": "name=b"}, "fault": {"kind": "error_500", "milliseconds": 7},
              "times": 2}]
            """)
        let id = sandbox.customer()
        let names = ["b", "a", "b", "a", "b", "b"]
        let answers = names.map { sandbox.post("/v1/customers/\(id)", "name=\($0)") }
        #expect(answers.map(\.status) == [200, 200, 500, 200, 500, 200])
        #expect(answers.map(\.outcome.delayMilliseconds) == [0, 0, 7, 0, 7, 0])
        let met = sandbox.control("GET", "/_sim/faults")["met"]
        #expect(met?["error_500"]?.integer == 2)
    }

    @Test func `chance is the same under the same seed, and another under another`() throws {
        func statuses(_ seed: Int) throws -> [Int] {
            let sandbox = try Sandbox()
            sandbox.control(
                "POST", "/_sim/faults",
                #"{"seed": \#(seed), "chance": 0.5, "kinds": ["error_500", "lock_timeout"]}"#)
            return (0..<200).map { sandbox.post("/v1/customers", key: "k\($0 / 4)").status }
        }
        let one = try statuses(1)
        #expect(try statuses(1) == one)
        #expect(try statuses(2) != one)
        for status in [200, 429, 500] {
            #expect((20...160).contains(one.count { $0 == status }), "\(status)")
        }
    }

    @Test func `waits are drawn between their bounds`() throws {
        let sandbox = try Sandbox()
        sandbox.simulator.set(
            FaultChance(
                seed: 3, chance: 1,
                faults: [Fault(.latency, milliseconds: 10, maximumMilliseconds: 20)]))
        let waits = (0..<100).map { _ in sandbox.get("/v1/account").outcome.delayMilliseconds }
        #expect(Set(waits).isSubset(of: 10...20))
        #expect(Set(waits).count > 5)
        sandbox.control("DELETE", "/_sim/faults")
        #expect(sandbox.get("/v1/account").outcome.delayMilliseconds == 0)
    }

    @Test(arguments: [
        ("POST", "/_sim/faults", #"[{"fault": "nonsense"}]"#),
        ("POST", "/_sim/faults", #"[{"fault": "held", "tmies": 3}]"#),
        ("POST", "/_sim/faults", #"[{"match": {"nth": 0}, "fault": "held"}]"#),
        ("POST", "/_sim/faults", #"{"seed": 1, "chance": 2, "kinds": ["held"]}"#),
        ("POST", "/_sim/faults", "{"), ("POST", "/_sim/clock", #"{"advance_seconds": -1}"#),
        ("POST", "/_sim/clock", "{}"), ("POST", "/_sim/clock", #"{"to": 1}"#),
        ("POST", "/_sim/held/release", #"{"numbers": [1]}"#), ("GET", "/_sim/nothing", ""),
        ("POST", "/_sim/customers/cus_none", "{}"), ("POST", "/_sim/webhooks", #"{"off": true}"#),
        ("POST", "/_sim/limits", "[]"),
    ])
    func `the control interface refuses what it does not know, in words`(
        method: String, path: String, json: String
    ) throws {
        let answer = try Sandbox().control(method, path, json)
        #expect(answer.status == 400)
        #expect(answer["error"]?.text?.isEmpty == false)
    }
}

struct RateLimitTests {
    @Test func `an endpoint takes 25 requests a second, whatever the ids`() throws {
        let sandbox = try Sandbox { $0.limits = RateLimits() }
        let answers = (0..<26).map { sandbox.get("/v1/invoices/in_\($0)") }
        #expect(answers.prefix(25).allSatisfy { $0.status == 404 })
        #expect(answers[25].status == 429)
        #expect(answers[25].header("Stripe-Rate-Limited-Reason") == "endpoint-rate")
        #expect(sandbox.get("/v1/account").status == 200)
        sandbox.simulator.advance(seconds: 1)
        let next = (0..<26).map { _ in sandbox.get("/v1/invoices/in_1").status }
        #expect(next.count { $0 == 404 } == 25)
    }

    @Test func `a part of a second lets a part of the requests in`() throws {
        let time = Mutex(Sandbox.start)
        let sandbox = try Sandbox {
            $0.limits = RateLimits()
            $0.clock = { time.withLock { $0 } }
        }
        func admitted() -> Int { (0..<30).count { _ in sandbox.get("/v1/account").status == 200 } }
        #expect(admitted() == 25)
        #expect(admitted() == 0)
        time.withLock { $0 += 200 }
        #expect(admitted() == 5)
        time.withLock { $0 += 39 }
        #expect(admitted() == 0)
        time.withLock { $0 += 1 }
        #expect(admitted() == 1)
    }

    @Test func `all endpoints together take 100`() throws {
        let sandbox = try Sandbox { $0.limits = RateLimits() }
        let paths = ["account", "invoices", "customers", "events", "invoiceitems", "credit_notes"]
        let answers = (0..<120).map { sandbox.get("/v1/\(paths[$0 % 6])") }
        #expect(answers.count { $0.status == 200 } == 100)
        #expect(answers.last?.header("Stripe-Rate-Limited-Reason") == "global-rate")
    }

    @Test func `without limits there are none, and they can be set`() throws {
        let sandbox = try Sandbox()
        #expect((0..<300).allSatisfy { _ in sandbox.get("/v1/account").status == 200 })
        sandbox.control("POST", "/_sim/limits", #"{"endpoint_per_second": 3}"#)
        #expect(
            (0..<5).map { _ in sandbox.get("/v1/account").status } == [200, 200, 200, 429, 429])
        sandbox.control("POST", "/_sim/limits", #"{"endpoint_per_second": 0}"#)
        #expect((0..<9).allSatisfy { _ in sandbox.get("/v1/account").status == 200 })
    }
}
