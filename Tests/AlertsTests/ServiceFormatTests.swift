import Exact
import Foundation
import Ledger
import Testing

@testable import Alerts

/// What is sent keeps to what the services publish.
struct ServiceFormatTests {
    private static func note(
        _ action: AlertNote.Action = .trigger, key: String = "payment_failed:inv_1:1",
        kind: String = "payment_failed", severity: Alert.Severity = .warning,
        subject: String = "inv_1",
        body: String = #"{"amount_minor":1250,"currency":"usd","next":"call <them> & ask"}"#
    ) -> AlertNote {
        AlertNote(
            action: action,
            alert: Alert(key: key, kind: kind, severity: severity, subject: subject, body: body),
            at: Instant(milliseconds: 1_793_491_200_000))
    }

    private static func message(_ notes: [AlertNote]) -> AlertMessage {
        AlertMessage(
            id: 7, createdAt: Instant(milliseconds: 1_793_491_200_000), notes: notes)
    }

    private static func object(_ json: JSON) throws -> [String: Any] {
        try #require(
            try JSONSerialization.jsonObject(with: Data(json.bytes)) as? [String: Any])
    }

    /// A body with quotes, control characters and more text than any service takes.
    private static let long =
        #"{"text":"\"\u0001 \n"#
        + String(repeating: "<&🧾", count: 4000)
        + #"","next":"\#(String(repeating: "y", count: 9000))"}"#

    /// What Slack shows of alerts, block by block; each is what its reference allows.
    private static func slack(_ notes: [AlertNote]) throws -> [String] {
        let object = try object(SlackMessage.body(message(notes)))
        #expect(Set(object.keys) == ["text", "blocks"])
        let fallback = try #require(object["text"] as? String)
        #expect(!fallback.isEmpty && fallback.utf16.count <= 3000)
        let blocks = try #require(object["blocks"] as? [[String: Any]])
        #expect((2...50).contains(blocks.count))
        return try blocks.enumerated().map { index, block in
            #expect(Set(block.keys) == ["type", "text"])
            let content = try #require(block["text"] as? [String: Any])
            #expect(Set(content.keys) == ["type", "text"])
            let text = try #require(content["text"] as? String)
            #expect(block["type"] as? String == (index == 0 ? "header" : "section"))
            #expect(content["type"] as? String == (index == 0 ? "plain_text" : "mrkdwn"))
            #expect(!text.isEmpty && text.utf16.count <= (index == 0 ? 150 : 3000))
            return text
        }
    }

    @Test(arguments: [1, 2, 20, 60])
    func `a message to Slack keeps to its limits, and counts what finds no room`(
        count: Int
    ) throws {
        let notes = (0..<count).map { _ in
            Self.note(subject: String(repeating: "s", count: 400), body: Self.long)
        }
        let blocks = try Self.slack(notes)
        #expect(blocks.reduce(0) { $0 + $1.utf16.count } <= 10_000)
        let last = try #require(blocks.last)
        if count <= 2 {
            #expect(blocks.count == count + 1)
        } else {
            #expect(last.hasPrefix("*and \(count - blocks.count + 2) more"))
            #expect(last.contains("[warning] payment failed: sss"))
        }
    }

    @Test(arguments: [20, 60])
    func `alerts of the usual length are told to Slack in full, as far as there are blocks`(
        count: Int
    ) throws {
        let blocks = try Self.slack((0..<count).map { Self.note(subject: "inv_\($0)") })
        let told = min(count, 48)
        for number in 0..<told {
            #expect(blocks[number + 1].hasPrefix("*[warning] payment failed: inv_\(number)*\n"))
        }
        #expect(blocks.count == (count > told ? told + 2 : told + 1))
        if count > told { #expect(blocks.last?.hasPrefix("*and \(count - told) more") == true) }
    }

    @Test func `what an alert knows is written as people write it`() {
        let body = #"""
            {"causes":{"late":3,"stray_draft":1},"difference_minor":{"?":7,"jpy":-500,"usd":250},
            "owed_minor":99,"drifts":4,"is_new":true,"score":1.5,"names":["ann","bob"],"nothing":null}
            """#
        #expect(
            AlertText(Self.note(body: body)).facts.map { "\($0.name) = \($0.value)" } == [
                "causes = late: 3, stray draft: 1",
                "difference = 7 minor units of ?, -500 JPY, 2.50 USD", "drifts = 4",
                "is new = yes", "names = ann, bob", "owed minor = 99", "score = 1.5",
                "at = 2026-11-01T00:00:00Z",
            ])
        let amounts = #"{"currency":"eur","due_minor":100,"paid_minor":5}"#
        #expect(
            AlertText(Self.note(body: amounts)).facts.map { "\($0.name) = \($0.value)" } == [
                "due = 1.00 EUR", "paid = 0.05 EUR", "at = 2026-11-01T00:00:00Z",
            ])
    }

    @Test func `Slack's control characters are escaped`() throws {
        let text = SlackMessage.body(Self.message([Self.note()])).text
        #expect(text.contains("→ call &lt;them&gt; &amp; ask"))
        #expect(text.contains("amount: 12.50 USD"))
        #expect(!text.contains("<them>"))
    }

    @Test(arguments: Alert.Severity.allCases)
    func `a trigger for PagerDuty has what its schema demands`(severity: Alert.Severity) throws {
        let long = String(repeating: "k", count: 1000)
        let routingKey = String(repeating: "0f", count: 16)
        let object = try Self.object(
            PagerDutyEvent.body(
                Self.note(key: long, severity: severity, subject: long, body: Self.long),
                routingKey: routingKey, source: "meterflow-a"))
        #expect(
            Set(object.keys) == ["routing_key", "event_action", "dedup_key", "client", "payload"])
        #expect(object["routing_key"] as? String == routingKey)
        #expect(object["event_action"] as? String == "trigger")
        #expect(object["client"] as? String == "MeterFlow")
        let key = try #require(object["dedup_key"] as? String)
        #expect(!key.isEmpty && key.utf8.count <= 255)
        let payload = try #require(object["payload"] as? [String: Any])
        #expect(
            Set(payload.keys) == [
                "summary", "source", "severity", "timestamp", "component", "class",
                "custom_details",
            ])
        #expect(payload["component"] as? String == long)
        #expect(payload["class"] as? String == "payment_failed")
        let summary = try #require(payload["summary"] as? String)
        #expect(!summary.isEmpty && summary.utf16.count <= 1024)
        #expect(payload["source"] as? String == "meterflow-a")
        #expect(
            ["critical", "error", "warning", "info"].contains(payload["severity"] as? String ?? ""))
        #expect(payload["severity"] as? String == severity.rawValue)
        #expect(payload["custom_details"] is [String: Any])
        #expect(payload["timestamp"] as? String == "2026-11-01T00:00:00Z")
    }

    @Test(arguments: AlertNote.Action.allCases)
    func `all events of an alert have one dedup_key, and others another`(
        action: AlertNote.Action
    ) throws {
        for key in ["a:1", String(repeating: "a", count: 300)] {
            let trigger = PagerDutyEvent.dedupKey(key, source: "s")
            let object = try Self.object(
                PagerDutyEvent.body(Self.note(action, key: key), routingKey: "R", source: "s"))
            #expect(object["dedup_key"] as? String == trigger)
            #expect(["trigger", "acknowledge", "resolve"].contains(action.rawValue))
            #expect(object["event_action"] as? String == action.rawValue)
            #expect(object["routing_key"] as? String == "R")
            #expect((object["payload"] == nil) == (action != .trigger))
            #expect(PagerDutyEvent.dedupKey(key + "b", source: "s") != trigger)
            #expect(PagerDutyEvent.dedupKey(key, source: "t") != trigger)
        }
    }

    @Test func `nothing in an alert can end a header of its mail`() throws {
        let note = Self.note(subject: "x\r\nBcc: thief@example.com\r\n\r\n<script>é")
        let mail = MailMessage(
            sender: "a@example.com", recipients: ["b@example.com", "c@example.com"],
            message: Self.message([note]), source: "meterflow-a")
        let text = String(decoding: mail.bytes, as: UTF8.self)
        let head = try #require(text.split(separator: "\r\n\r\n", maxSplits: 1).first)
        #expect(!text.contains("thief") && !text.contains("<script>"))
        #expect(head.utf8.allSatisfy { $0 < 0x80 })
        #expect(head.contains("Message-ID: <alert-7.meterflow-a@example.com>"))
        #expect(head.contains("Date: Sun, 01 Nov 2026 00:00:00 +0000"))
        #expect(head.contains("To: <b@example.com>,\r\n <c@example.com>"))
        for line in text.components(separatedBy: "\r\n") { #expect(line.utf8.count <= 998) }
        // Its HTML part shows what the alert says, and runs nothing of it.
        let html = try #require(text.components(separatedBy: "\r\n\r\n").dropFirst(3).first)
        let data = try #require(
            Data(
                base64Encoded: String(html.prefix { $0 != "-" }), options: .ignoreUnknownCharacters)
        )
        #expect(String(decoding: data, as: UTF8.self).contains("&lt;script&gt;é"))
    }

    @Test func `a mail that is sent again has the same Message-ID`() {
        func mail(_ attempts: Int) -> String {
            MailMessage(
                sender: "a@example.com", recipients: ["b@example.com"],
                message: AlertMessage(
                    id: 9, createdAt: Instant(milliseconds: 0), notes: [Self.note()],
                    attempts: attempts),
                source: "s"
            ).messageID
        }
        #expect(mail(1) == mail(2))
    }

    /// By `printf '5.{}' | openssl dgst -sha256 -hmac secret`.
    @Test func `a webhook is signed over its time and body`() {
        #expect(
            WebhookCall.signature(of: Array("{}".utf8), secret: "secret", at: 5)
                == "t=5,v1=f18d2fcd9a24151471e3e2d71bc7ce901fb7b89b341918a08f95e9ffc497ea26")
    }

    @Test(arguments: [
        ("22:00-07:00", "UTC", "2026-11-01T21:59:59Z", false),
        ("22:00-07:00", "UTC", "2026-11-01T22:00:00Z", true),
        ("22:00-07:00", "UTC", "2026-11-01T06:59:59Z", true),
        ("22:00-07:00", "UTC", "2026-11-01T07:00:00Z", false),
        ("12:00-13:30", "UTC", "2026-11-01T13:29:00Z", true),
        ("12:00-13:30", "UTC", "2026-11-01T13:30:00Z", false),
        // Summer time ended in the night before; half hours count.
        ("22:00-07:00", "Europe/Berlin", "2026-10-24T20:00:00Z", true),
        ("22:00-07:00", "Europe/Berlin", "2026-10-25T20:00:00Z", false),
        ("22:00-07:00", "Asia/Kolkata", "2026-11-01T16:30:00Z", true),
        ("22:00-07:00", "Asia/Kolkata", "2026-11-01T16:29:00Z", false),
    ])
    func `quiet hours are by the wall clock`(
        text: String, zone: String, at: String, isQuiet: Bool
    ) throws {
        let hours = try #require(QuietHours(text, zone: zone))
        let date = try Date(at, strategy: .iso8601)
        let instant = Instant(milliseconds: Int64(date.timeIntervalSince1970) * 1000)
        #expect(hours.contains(instant) == isQuiet)
    }

    @Test(arguments: ["", "22-07", "24:00-07:00", "22:60-07:00", "07:00-07:00", "22:00-07:00x"])
    func `what are no hours is refused`(text: String) {
        #expect(QuietHours(text, zone: "UTC") == nil)
        #expect(QuietHours("22:00-07:00", zone: "Mars/Phobos") == nil)
    }

    @Test func `a route hears what all of its conditions accept`() {
        var match = AlertRoute.Match()
        func accepts(customer: String? = "ann", jobs: [String] = []) -> Bool {
            match.accepts(severity: .warning, kind: "k", customer: customer, jobs: jobs)
        }
        #expect(accepts(customer: nil))
        match.severities = [.critical, .warning]
        match.kinds = ["k", "l"]
        match.customers = ["ann"]
        #expect(accepts())
        #expect(!accepts(customer: "bob") && !accepts(customer: nil))
        match.jobs = ["bill"]
        #expect(!accepts() && accepts(jobs: ["reconcile", "bill"]))
        match.severities = [.info]
        #expect(!accepts(jobs: ["bill"]))
    }

    @Test func `the runbook says what every kind of alert means, and knows no other`() throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../docs/runbook.md")
        let text = try String(contentsOf: file, encoding: .utf8)
        let sections = text.components(separatedBy: "\n## ")
        let section = try #require(sections.first { $0.hasPrefix("Alerts, by kind") })
        let rows = section.split(separator: "\n").filter { $0.hasPrefix("| `") }
        let kinds = rows.flatMap { row in
            row.split(separator: "|")[0].matches(of: #/`([a-z_]+)`/#).map { String($0.1) }
        }
        #expect(kinds.sorted() == Alert.jobs.keys.sorted())
    }
}
