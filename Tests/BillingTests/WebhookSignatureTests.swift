import Billing
import Digest
import Glibc
import Ledger
import TestSupport
import Testing

struct WebhookSignatureTests {
    /// Made with Stripe's own library (`stripe` 16.1.0 from PyPI, `WebhookSignature._compute_signature`), whose
    /// `verify_header` takes each of them.
    private static let vectors: [(secret: String, time: Int64, body: String, code: String)] = [
        (
            "whsec_test_secret", 1_795_000_000, #"{"id":"evt_1","object":"event"}"#,
            "72c734d12afd8ad76cc934b45f99c9c5ab4584de0d79a5457c49d3d1ac7c56c0"
        ),
        (
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 1_614_556_800,
            "{\n  \"id\": \"evt_test_webhook\",\n  \"object\": \"event\"\n}",
            "4e88dd19376a9948a83d8fe8610a835a39e1dde8c2de3478fbf7a89d90a80195"
        ),
        (
            "whsec_ü", 1_700_000_001, #"{"name":"Zoë 🧾","amount":1250}"#,
            "6fe0285d34253ba2ebd6551652a44cf877fd39dfb11902fe0ee3f1202fc7b6c1"
        ),
        (
            "whsec_empty", 1, "",
            "1e8199df46f7393ec2afd920565ff6f97199d225560a56f46736eb6c67e11275"
        ),
        (
            "whsec_long", 4_102_444_800, #"{"x":"\#(String(repeating: "a", count: 200))"}"#,
            "1a54ba3737280cf87db6af52c26c4c03070abfd7296064c1a224d7d7a6b6dc21"
        ),
    ]
    private static let secret = vectors[0].secret
    private static let time = vectors[0].time
    private static let body = Array(vectors[0].body.utf8)
    private static let code = vectors[0].code
    private static let zeros = String(repeating: "0", count: 64)

    private func refusal(
        _ header: String?, secrets: [String] = [secret], body: [UInt8] = body, now: Int64 = time
    ) -> WebhookRefusal? {
        do throws(WebhookRefusal) {
            try WebhookSignature(secrets: secrets).verify(header: header, body: body, now: now)
            return nil
        } catch {
            return error
        }
    }

    @Test func `what Stripe's own library signs is taken`() {
        for vector in Self.vectors {
            let header = "t=\(vector.time),v1=\(vector.code)"
            let body = Array(vector.body.utf8)
            #expect(
                refusal(header, secrets: [vector.secret], body: body, now: vector.time) == nil)
            #expect(
                refusal(header, secrets: [vector.secret], body: body + [32], now: vector.time)
                    == .wrongSignature)
        }
    }

    @Test(
        arguments: [
            ("t=\(time),v1=\(code)", nil),
            ("v1=\(code),t=\(time)", nil),
            ("t=\(time),v1=\(zeros),v1=\(code)", nil),
            ("t=\(time),v1=\(code),v1=\(zeros),v0=\(zeros),v2=x", nil),
            ("t=\(time),v1=short,v1=\(code)", nil),
            // Only v1 counts, and only as Stripe writes it.
            ("t=\(time),v0=\(code)", .wrongSignature),
            ("t=\(time),v1=\(code.uppercased())", .wrongSignature),
            ("t=\(time),v1=\(zeros)", .wrongSignature),
            ("t=\(time),v1=\(code.dropLast())", .wrongSignature),
            ("t=\(time),v1=\(code)0", .wrongSignature),
            ("t=\(time),v1=", .wrongSignature),
            ("t=\(time)", .wrongSignature),
            ("t=\(time + 1),v1=\(code)", .wrongSignature),
            ("", .noSignature),
            ("v1=\(code)", .malformedSignature),
            ("t=,v1=\(code)", .malformedSignature),
            ("t=x,v1=\(code)", .malformedSignature),
            ("t=-\(time),v1=\(code)", .malformedSignature),
            ("t=+\(time),v1=\(code)", .malformedSignature),
            ("t=0\(time),v1=\(code)", .malformedSignature),
            ("t=99999999999999999999,v1=\(code)", .malformedSignature),
            ("t=\(time),t=\(time),v1=\(code)", .malformedSignature),
            ("t=\(time),v1=\(code),foo", .malformedSignature),
            ("t=\(time),v1=\(code),", .malformedSignature),
            ("t=\(time),v1=\(code),x=" + String(repeating: "y", count: 5000), .malformedSignature),
            (
                "t=\(time)" + String(repeating: ",v1=\(zeros)", count: 17) + ",v1=\(code)",
                .malformedSignature
            ),
        ] as [(String, WebhookRefusal?)])
    func `a header is judged by what it says`(header: String, expected: WebhookRefusal?) {
        #expect(refusal(header) == expected)
    }

    @Test func `a missing header is refused`() {
        #expect(refusal(nil) == .noSignature)
    }

    @Test(
        arguments: [
            (0, nil), (300, nil), (301, .stale), (86_400 * 416, .stale), (-300, nil),
            (-301, .fromTheFuture),
        ] as [(Int64, WebhookRefusal?)])
    func `five minutes are tolerated, both ways`(age: Int64, expected: WebhookRefusal?) {
        #expect(refusal("t=\(Self.time),v1=\(Self.code)", now: Self.time + age) == expected)
    }

    @Test func `any signature by any current secret is enough`() {
        let header = "t=\(Self.time),v1=\(Self.zeros),v1=\(Self.code)"
        #expect(refusal(header, secrets: ["whsec_new", Self.secret]) == nil)
        #expect(refusal(header, secrets: [Self.secret, "whsec_new"]) == nil)
        #expect(refusal(header, secrets: ["whsec_new"]) == .wrongSignature)
        #expect(refusal(header, secrets: []) == .wrongSignature)
        // The prefix is a part of the key.
        #expect(refusal(header, secrets: ["test_secret"]) == .wrongSignature)
    }

    @Test(arguments: [
        #"{"id":"evt_1","object":"event","type":"a","livemode":false}"#,
        #"{"id":"","object":"event","type":"a","livemode":false,"data":{"object":{"id":"in_1"}}}"#,
        #"{"id":"evt\u0000","object":"event","type":"a","livemode":false,"data":{"object":{}}}"#,
        #"{"id":"evt 1","object":"event","type":"a","livemode":false,"data":{"object":{}}}"#,
        #"{"id":"evt_1","object":"event","type":"a","livemode":"no","data":{"object":{}}}"#,
        #"{"id":"evt_1","object":"invoice","type":"a","livemode":false,"data":{"object":{}}}"#,
        #"{"id":1,"object":"event","type":"a","livemode":false,"data":{"object":{}}}"#,
        "[]", "null", "", "{", "\u{FEFF}{}",
        String(repeating: "[", count: 100_000),
    ])
    func `what is no event is refused, however well it is signed`(text: String) {
        #expect(throws: WebhookRefusal.unreadable) { try ReceivedEvent(payload: Array(text.utf8)) }
    }

    @Test func `snapshots and thin events are read`() throws {
        let snapshot = try ReceivedEvent(
            payload: Array(
                #"{"id":"evt_1","object":"event","api_version":"2026-10-28.endive","type":"invoice.paid","livemode":true,"account":"acct_2","data":{"object":{"id":"in_1","invoice":7}}}"#
                    .utf8))
        #expect(snapshot.id == "evt_1")
        #expect(snapshot.type == "invoice.paid")
        #expect(snapshot.objectID == "in_1")
        #expect(snapshot.isLive)
        #expect(snapshot.account == "acct_2")
        let thin = try ReceivedEvent(
            payload: Array(
                #"{"id":"evt_2","object":"v2.core.event","type":"v1.invoice.paid","livemode":false,"created":"2026-10-31T00:00:00Z","related_object":{"id":"in_1","type":"invoice","url":"/v1/invoices/in_1"}}"#
                    .utf8))
        #expect(thin.type == "invoice.paid")
        #expect(thin.objectID == "in_1")
        #expect(thin.apiVersion == nil)
    }

    /// Whatever comes, it is judged, and nothing that was changed is taken. `FUZZ_ROUNDS` says how often.
    @Test func `changed headers and bodies are refused, and nothing crashes`() {
        let rounds = getenv("FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 20_000
        var numbers = SeededNumbers(seed: 20_261_122 + UInt64(rounds))
        let header = Array("t=\(Self.time),v1=\(Self.code)".utf8)
        let event = Array(
            #"{"id":"evt_1","object":"event","type":"invoice.paid","livemode":false,"data":{"object":{"id":"in_1","metadata":{"a":"b"},"attempt_count":1}}}"#
                .utf8)
        for _ in 0..<rounds {
            let changed = String(decoding: mutate(header, &numbers), as: UTF8.self)
            let body = mutate(Self.body, &numbers)
            if body != Self.body {
                #expect(refusal("t=\(Self.time),v1=\(Self.code)", body: body) == .wrongSignature)
            }
            // A header may be changed where it says nothing; then what it says is still right.
            if refusal(changed) == nil {
                #expect(changed.contains("v1=\(Self.code)"))
                #expect(changed.contains("t=\(Self.time)"))
            }
            _ = try? ReceivedEvent(payload: mutate(event, &numbers))
        }
    }

    private func mutate(_ bytes: [UInt8], _ numbers: inout SeededNumbers) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &numbers) where !bytes.isEmpty {
            let index = Int.random(in: bytes.indices, using: &numbers)
            switch Int.random(in: 0..<5, using: &numbers) {
            case 0: bytes[index] = UInt8.random(in: 0...255, using: &numbers)
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(UInt8.random(in: 0...255, using: &numbers), at: index)
            case 3: bytes += bytes[index...]
            default: bytes.removeLast(bytes.count - index)
            }
        }
        return bytes
    }
}
