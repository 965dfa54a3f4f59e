internal import Digest
internal import Ledger

/// An event of PagerDuty's Events API v2.
/// Source: developer.pagerduty.com/docs/events-api-v2-overview.
enum PagerDutyEvent {
    static let base = "https://events.pagerduty.com"
    static let path = "/v2/enqueue"
    static let maximumSummary = 1024
    static let maximumKey = 255

    static func body(_ note: AlertNote, routingKey: String, source: String) -> JSON {
        let alert = note.alert
        var members: [(String, JSON)] = [
            ("routing_key", .string(routingKey)),
            ("event_action", .string(note.action.rawValue)),
            ("dedup_key", .string(dedupKey(alert.key, source: source))),
        ]
        if note.action == .trigger {
            let text = AlertText(note)
            let summary = [text.title, text.next].compactMap(\.self).joined(separator: " - ")
            members += [
                ("client", .string("MeterFlow")),
                (
                    "payload",
                    .object([
                        ("summary", .string(summary.cut(to: maximumSummary))),
                        ("source", .string(source)),
                        // Ours are three of its four words.
                        ("severity", .string(alert.severity.rawValue)),
                        ("timestamp", .string("\(note.at)")),
                        ("component", .string(alert.subject)),
                        ("class", .string(alert.kind)),
                        ("custom_details", .raw(alert.body)),
                    ])
                ),
            ]
        }
        return .object(members)
    }

    /// The same for every event of an alert: PagerDuty folds them into one incident.
    static func dedupKey(_ key: String, source: String) -> String {
        let plain = "\(source)/\(key)"
        return plain.utf8.count <= maximumKey ? plain : "\(source)/\(SHA256.hex(Array(key.utf8)))"
    }
}
