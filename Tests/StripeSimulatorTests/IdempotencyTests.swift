import StripeSimulation
import Testing

/// docs.stripe.com/api/idempotent_requests, line by line.
struct IdempotencyTests {
    @Test func `the same key and parameters give the same answer and no second effect`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        let parameters = "customer=\(customer)&metadata[a]=1"
        let first = sandbox.post("/v1/invoices", parameters, key: "k")
        sandbox.post("/v1/invoices/\(first.id)", "metadata[a]=2")
        let again = sandbox.post("/v1/invoices", "metadata[a]=1&customer=\(customer)", key: "k")
        #expect(again.outcome.response.body == first.outcome.response.body)
        #expect(again.header("Idempotent-Replayed") == "true")
        #expect(first.header("Idempotent-Replayed") == nil)
        #expect(again.header("Idempotency-Key") == "k")
        #expect(again.header("Original-Request") == first.header("Request-Id"))
        #expect(again.header("Request-Id") != first.header("Request-Id"))
        #expect(sandbox.count(.invoiceCreated) == 1)
    }

    @Test func `other parameters, or another path, under the same key are refused`() throws {
        let sandbox = try Sandbox()
        let customer = sandbox.customer()
        sandbox.post("/v1/invoices", "customer=\(customer)", key: "k")
        for answer in [
            sandbox.post("/v1/invoices", "customer=\(customer)&auto_advance=false", key: "k"),
            sandbox.post("/v1/invoices", "", key: "k"),
            sandbox.post("/v1/customers", "customer=\(customer)", key: "k"),
        ] {
            #expect(answer.status == 400)
            #expect(answer["error"]?["type"]?.text == "idempotency_error")
            #expect(answer.code == nil)
        }
        #expect(sandbox.count(.invoiceCreated) == 1)
    }

    @Test func `refusals after execution has begun are stored`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.post("/v1/invoices", "customer=\(sandbox.customer())").id
        let first = sandbox.post("/v1/invoices/\(id)/finalize", key: "k")
        #expect(first.code == "invoice_no_customer_line_items")
        sandbox.post("/v1/invoices/\(id)/add_lines", "lines[0][amount]=2000")
        let again = sandbox.post("/v1/invoices/\(id)/finalize", key: "k")
        #expect(again.status == 400)
        #expect(again.header("Idempotent-Replayed") == "true")
        #expect(sandbox.post("/v1/invoices/\(id)/finalize", key: "k2").status == 200)
    }

    @Test func `what is refused before execution is not stored`() throws {
        let sandbox = try Sandbox { $0.limits = RateLimits(endpointPerSecond: 2) }
        let customer = sandbox.customer()
        #expect(sandbox.post("/v1/invoices", "customer=\(customer)&x=1", key: "k").status == 400)
        let stranger = SimulatedRequest(
            method: "POST", path: "/v1/invoices", authorization: "Bearer no", idempotencyKey: "k")
        #expect(sandbox.simulator.respond(to: stranger).response.status == 401)
        sandbox.post("/v1/invoices", "customer=\(customer)&x=1")
        #expect(sandbox.post("/v1/invoices", "customer=\(customer)", key: "k").status == 429)
        sandbox.simulator.advance(seconds: 1)
        let answer = sandbox.post("/v1/invoices", "customer=\(customer)", key: "k")
        #expect(answer.status == 200)
        #expect(answer.header("Idempotent-Replayed") == nil)
    }

    @Test func `a key is forgotten after 24 hours, and makes a second object`() throws {
        let sandbox = try Sandbox()
        let parameters = "customer=\(sandbox.customer())"
        let first = sandbox.post("/v1/invoices", parameters, key: "k").id
        sandbox.simulator.advance(seconds: 86_399)
        #expect(sandbox.post("/v1/invoices", parameters, key: "k").id == first)
        sandbox.simulator.advance(seconds: 1)
        #expect(sandbox.post("/v1/invoices", parameters, key: "k").id != first)
        sandbox.simulator.advance(seconds: 7_200)
        #expect(
            sandbox.post("/v1/invoices", parameters, key: "k").header("Idempotent-Replayed")
                == "true")
        #expect(sandbox.count(.invoiceCreated) == 2)
    }

    @Test func `a key is in use until its first answer has gone out`() throws {
        let sandbox = try Sandbox { $0.latencyMilliseconds = 2_000 }
        let parameters = "customer=\(sandbox.customer())"
        let first = sandbox.post("/v1/invoices", parameters, key: "k")
        #expect(first.outcome.delayMilliseconds == 2_000)
        let second = sandbox.post("/v1/invoices", parameters, key: "k")
        #expect(second.status == 409)
        #expect(second.code == "idempotency_key_in_use")
        sandbox.simulator.advance(seconds: 2)
        #expect(sandbox.post("/v1/invoices", parameters, key: "k").id == first.id)
        #expect(sandbox.count(.invoiceCreated) == 1)
    }

    @Test(arguments: [(1, 200), (255, 200), (256, 400), (0, 400)])
    func `a key has 1 to 255 characters`(length: Int, status: Int) throws {
        let key = String(repeating: "é", count: length)
        #expect(try Sandbox().post("/v1/customers", key: key).status == status)
    }

    @Test func `a key has no effect on reading and deleting`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.draft()
        for _ in 0..<2 { #expect(sandbox.send("GET", "/v1/account", key: "k").status == 200) }
        #expect(sandbox.send("DELETE", "/v1/invoices/\(id)", key: "k").status == 200)
        #expect(sandbox.send("DELETE", "/v1/invoices/\(id)", key: "k").status == 404)
    }
}
