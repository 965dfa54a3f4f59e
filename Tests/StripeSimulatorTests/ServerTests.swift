import Glibc
import HTTP
import StripeSimulation
import TestSupport
import Testing

/// The built program, over TCP.
@Suite(.timeLimit(.minutes(2)))
struct ServerTests {
    @Test func `an invoice is made, finalized and sent over HTTP`() async throws {
        let server = try ServerProcess()
        let customer = try await server.send("POST", "/v1/customers", "email=a@example.com")
        #expect(customer.status == 200)
        #expect(customer.headers["Content-Type"] == "application/json")
        #expect(customer.headers["Request-Id"]?.hasPrefix("req_") == true)
        let id = try #require(customer.json["id"]?.text)
        let terms = "customer=\(id)&collection_method=send_invoice&days_until_due=30"
        let invoice = try await server.send("POST", "/v1/invoices", terms)
        let path = "/v1/invoices/\(try #require(invoice.json["id"]?.text))"
        _ = try await server.send("POST", path + "/add_lines", "lines[0][amount]=1150")
        let sent = try await server.send("POST", path + "/send")
        #expect(sent.json["status"]?.text == "open")
        let list = try await server.send("GET", "/v1/invoices?customer=\(id)&created[gte]=1")
        #expect(list.json["data"]?.elements?.count == 1)
        let effects = try await server.send("GET", "/_sim/effects?customer=\(id)")
        #expect(effects.json["total"]?["sent"]?.integer == 1)
    }

    @Test func `what was answered is there after SIGKILL`() async throws {
        let file = TemporaryFile()
        var server = try ServerProcess(["--state", file.path])
        var ids: [String] = []
        for round in 0..<3 {
            for number in 0..<20 {
                let answer = try await server.send(
                    "POST", "/v1/customers", "name=\(round)", key: "k\(round)-\(number)")
                ids.append(try #require(answer.json["id"]?.text))
            }
            server.end(SIGKILL)
            server = try ServerProcess(["--state", file.path])
        }
        #expect(Set(ids).count == 60)
        let again = try await server.send("POST", "/v1/customers", "name=1", key: "k1-7")
        #expect(again.json["id"]?.text == ids[27])
        #expect(again.headers["Idempotent-Replayed"] == "true")
        let effects = try await server.send("GET", "/_sim/effects")
        #expect(effects.json["total"]?["customers_created"]?.integer == 60)
    }

    @Test(arguments: [
        ("answer_lost", 1), ("reset_after", 1), ("truncated", 1), ("reset_before", 0), ("stall", 0),
        ("held", 0),
    ])
    func `a broken connection is an error of the client`(kind: String, effects: Int) async throws {
        let server = try ServerProcess()
        let faults = #"[{"match": {"path": "/v1/customers"}, "fault": "\#(kind)"}]"#
        let set = try await server.send("POST", "/_sim/faults", faults)
        #expect(set.status == 200)
        let error = await #expect(throws: HTTPError.self) {
            try await server.send("POST", "/v1/customers", key: "k")
        }
        #expect(error?.serverMayHaveActed == true)
        let counts = try await server.send("GET", "/_sim/effects")
        #expect(counts.json["total"]?["customers_created"]?.integer ?? 0 == effects)
        #expect(try await server.send("POST", "/v1/customers", key: "k").status == 200)
        _ = try await server.send("POST", "/_sim/held/release")
        let after = try await server.send("GET", "/_sim/effects")
        #expect(after.json["total"]?["customers_created"]?.integer == 1)
    }

    @Test func `a client that gave up early finds the effect and its key in use`() async throws {
        let server = try ServerProcess()
        let fault =
            #"[{"match": {"method": "POST"}, "fault": {"kind": "latency", "milliseconds": 60000}}]"#
        _ = try await server.send("POST", "/_sim/faults", fault)
        await #expect(throws: HTTPError.self) {
            try await server.send("POST", "/v1/customers", key: "k", totalSeconds: 0.3)
        }
        let second = try await server.send("POST", "/v1/customers", key: "k")
        #expect(second.status == 409)
        _ = try await server.send("POST", "/_sim/clock", #"{"advance_seconds": 60}"#)
        let third = try await server.send("POST", "/v1/customers", key: "k")
        #expect(third.headers["Idempotent-Replayed"] == "true")
    }

    @Test(arguments: [SIGTERM, SIGINT])
    func `a signal ends it well, even while answers are held back`(signal: Int32) async throws {
        let server = try ServerProcess(["--latency-ms", "60000"])
        await #expect(throws: HTTPError.self) {
            try await server.send("POST", "/v1/customers", totalSeconds: 0.3)
        }
        #expect(server.end(signal) == 0)
    }

    @Test(arguments: [
        (["--port", "70000"], "port"), (["--webhook-url", "http://127.0.0.1/"], "webhook-secret"),
        (["--latency-ms", "-1"], "latency"), (["--state", "/nowhere/file"], "cannot be opened"),
        (["--unknown"], "Unknown option"), (["--secret-key", ""], "secret-key"),
    ])
    func `a start that cannot be is refused in words`(
        arguments: [String], word: String
    ) throws {
        let result = try ServerProcess.run(arguments)
        #expect(result.status != 0)
        #expect(result.text.contains(word), "\(result.text)")
    }

    @Test func `a port that is taken is named`() throws {
        let server = try ServerProcess()
        let port = String(server.url.split(separator: ":").last ?? "")
        let result = try ServerProcess.run(["--port", port])
        #expect(result.status != 0)
        #expect(result.text.contains(port), "\(result.text)")
    }

    @Test func `events are sent signed to the address that was named, and again after a failure`()
        async throws
    {
        let receiver = try Receiver(statuses: ["500 Oops", "200 OK"])
        let server = try ServerProcess([
            "--webhook-url", receiver.url, "--webhook-secret", "whsec_1",
        ])
        let customer = try await server.send("POST", "/v1/customers")
        var requests = receiver.requests.makeAsyncIterator()
        let first = try #require(await requests.next())
        let pending = try await server.send("GET", "/v1/events?delivery_success=false")
        #expect(pending.json["data"]?.elements?.count == 1)
        _ = try await server.send("POST", "/_sim/clock", #"{"advance_seconds": 60}"#)
        let second = try #require(await requests.next())
        #expect(second.body == first.body)
        let event = try JSONValue(second.body)
        #expect(event["type"]?.text == "customer.created")
        #expect(event["data"]?["object"]?["id"] == customer.json["id"])
        let time = try #require(second.signature.dropFirst(2).split(separator: ",").first)
        let expected = WebhookSignature.header(
            body: second.body, secrets: ["whsec_1"], time: try #require(Int(time)))
        #expect(second.signature == expected)
    }
}
