import Digest
import StripeSimulation
import TestSupport
import Testing

struct WebhookTests {
    private static let every = "url=http://127.0.0.1/&enabled_events[]=*"

    private func take(_ sandbox: Sandbox) -> [WebhookDelivery] {
        sandbox.simulator.takeDeliveries(limit: 100)
    }

    private func type(_ delivery: WebhookDelivery) -> String {
        (try? JSONValue(delivery.body))?["type"]?.text ?? "none"
    }

    // RFC 4231, test cases 1, 2 and 6.
    @Test(arguments: [
        (
            [UInt8](repeating: 0x0B, count: 20), "Hi There",
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xAA, count: 131),
            "Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
    ])
    func `the vectors of RFC 4231 hold`(key: [UInt8], message: String, code: String) {
        #expect(hexadecimal(HMACSHA256.authenticate(Array(message.utf8), key: key)) == code)
    }

    // Expected: Python's hmac over "1795000000.{}".
    @Test func `a signature is over the time, a point and the body`() {
        let header = WebhookSignature.header(
            body: Array("{}".utf8), secrets: ["whsec_test", "whsec_other"], time: 1_795_000_000)
        #expect(
            header
                == "t=1795000000,v1=f50cd36baaae795dac63f86cd686693bcb16ea422cd6f180232b0f6ed3a6367d"
                + ",v1=7715e9428f260950d6b634f8731108a0cf5f1a48392e6b5537da63780d93f52c")
    }

    @Test func `an endpoint gets the events it asked for, signed with its secret`() throws {
        let sandbox = try Sandbox()
        let endpoint = sandbox.post(
            "/v1/webhook_endpoints",
            "url=http://127.0.0.1/hook&enabled_events[]=invoice.finalized"
                + "&enabled_events[]=invoice.sent")
        let secret = try #require(endpoint["secret"]?.text)
        #expect(secret.hasPrefix("whsec_"))
        #expect(sandbox.get("/v1/webhook_endpoints/\(endpoint.id)")["secret"] == nil)
        let id = sandbox.open()
        let deliveries = take(sandbox)
        #expect(deliveries.map(type) == ["invoice.finalized"])
        let delivery = try #require(deliveries.first)
        #expect(delivery.url == "http://127.0.0.1/hook")
        let expected = WebhookSignature.header(
            body: delivery.body, secrets: [secret], time: Sandbox.start / 1_000)
        #expect(delivery.signature == expected)
        let event = try JSONValue(delivery.body)
        #expect(event["data"]?["object"]?["id"]?.text == id)
        #expect(event["request"]?["id"]?.text?.hasPrefix("req_") == true)
    }

    @Test func `an event is pending until it is taken, and is sent once meanwhile`() throws {
        let sandbox = try Sandbox()
        sandbox.post("/v1/webhook_endpoints", Self.every)
        _ = sandbox.customer()
        let delivery = try #require(take(sandbox).first)
        #expect(take(sandbox).isEmpty)
        #expect(sandbox.events("delivery_success=false").count == 1)
        #expect(sandbox.events("delivery_success=true").isEmpty)
        sandbox.simulator.report(delivery, isTaken: true)
        #expect(sandbox.events("delivery_success=true").count == 1)
        sandbox.simulator.advance(seconds: 86_400)
        #expect(take(sandbox).isEmpty)
    }

    @Test func `a refused event comes again, later and later, for three days`() throws {
        let sandbox = try Sandbox()
        sandbox.post("/v1/webhook_endpoints", Self.every)
        _ = sandbox.customer()
        var times: [Int] = []
        for second in 0..<400_000 where second % 5 == 0 {
            for delivery in take(sandbox) {
                times.append(second)
                sandbox.simulator.report(delivery, isTaken: false)
            }
            sandbox.simulator.advance(seconds: 5)
        }
        #expect(Array(times.prefix(5)) == [0, 5, 15, 35, 75])
        #expect((10...30).contains(times.count))
        #expect(try #require(times.last) <= 3 * 86_400)
        #expect(sandbox.events("delivery_success=false") == ["customer.created"])
    }

    @Test func `a restart sends again what was not taken`() throws {
        let file = TemporaryFile()
        func restarted() throws -> Sandbox { try Sandbox { $0.journalPath = file.path } }
        do {
            let sandbox = try restarted()
            sandbox.post("/v1/webhook_endpoints", Self.every)
            _ = (sandbox.customer(), sandbox.customer())
            sandbox.simulator.report(take(sandbox)[0], isTaken: true)
        }
        #expect(take(try restarted()).count == 1)
    }

    @Test func `deliveries are doubled, shuffled, delayed and switched off`() throws {
        let sandbox = try Sandbox()
        sandbox.post("/v1/webhook_endpoints", Self.every)
        func deliveries(_ conduct: String) -> [WebhookDelivery] {
            sandbox.control("POST", "/_sim/webhooks", conduct)
            for _ in 0..<20 { _ = sandbox.customer() }
            let taken = take(sandbox)
            for delivery in taken { sandbox.simulator.report(delivery, isTaken: true) }
            return taken
        }
        let plain = deliveries("{}").map(\.number)
        #expect(plain == plain.sorted())
        #expect(plain.count == 20)
        let doubled = deliveries(#"{"duplicates_percent": 50}"#).map(\.number)
        #expect(Set(doubled).count == 20)
        #expect((22...38).contains(doubled.count))
        let shuffled = deliveries(#"{"duplicates_percent": 0, "reorder": true}"#).map(\.number)
        #expect(shuffled != shuffled.sorted())
        #expect(deliveries(#"{"delay_ms": 3000}"#).isEmpty)
        sandbox.simulator.advance(seconds: 3)
        #expect(take(sandbox).count == 20)
        #expect(deliveries(#"{"delay_ms": 0, "on": false}"#).isEmpty)
        sandbox.control("POST", "/_sim/webhooks", #"{"on": true}"#)
        #expect(take(sandbox).count == 20)
    }

    @Test func `a deleted endpoint gets nothing more`() throws {
        let sandbox = try Sandbox()
        let id = sandbox.post("/v1/webhook_endpoints", Self.every).id
        _ = sandbox.customer()
        sandbox.send("DELETE", "/v1/webhook_endpoints/\(id)")
        _ = sandbox.customer()
        #expect(take(sandbox).isEmpty)
        #expect(sandbox.events("delivery_success=false").isEmpty)
    }

    @Test(arguments: [
        "url=ftp://x&enabled_events[]=*", "url=http://x", Self.every + "&foo=1",
        "url=http://x&enabled_events[]=invoice.exploded",
    ])
    func `an endpoint that makes no sense is refused`(parameters: String) throws {
        #expect(try Sandbox().post("/v1/webhook_endpoints", parameters).status == 400)
    }

    @Test func `a registered address stays one over restarts`() throws {
        let file = TemporaryFile()
        for _ in 0..<2 {
            let sandbox = try Sandbox { $0.journalPath = file.path }
            try sandbox.simulator.register(url: "http://127.0.0.1:1/", secret: "whsec_1")
            #expect(sandbox.get("/v1/webhook_endpoints").ids.count == 1)
        }
    }
}
