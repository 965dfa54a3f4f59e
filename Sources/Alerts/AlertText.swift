internal import Exact
internal import Foundation
internal import Ledger

/// An alert in words, for the channels that people read.
struct AlertText {
    let title: String
    /// What is known, most of it from the alert's body: a name and a value each.
    let facts: [(name: String, value: String)]
    let next: String?

    init(_ note: AlertNote) {
        let alert = note.alert
        let mark =
            switch note.action {
            case .trigger: alert.severity.rawValue
            case .acknowledge: "acknowledged"
            case .resolve: "resolved"
            }
        title =
            "[\(mark)] \(alert.kind.replacing("_", with: " ")): \(alert.subject)"
        let parsed = try? JSONSerialization.jsonObject(with: Data(alert.body.utf8))
        var body = parsed as? [String: Any] ?? [:]
        let action = body.removeValue(forKey: "recommended_action") as? String
        next = body.removeValue(forKey: "next") as? String ?? action
        if let minor = body["amount_minor"] as? Int64,
            let currency = (body["currency"] as? String).flatMap({ Currency($0) })
        {
            body["amount_minor"] = nil
            body["currency"] = nil
            body["amount"] = "\(currency.format(minor)) \(currency.code.uppercased())"
        }
        facts =
            body.filter { !($0.value is NSNull) }.sorted { $0.key < $1.key }
            .map { ($0.key.replacing("_", with: " "), "\($0.value)") } + [("at", "\(note.at)")]
    }

    /// Of a message: what its first line says.
    static func summary(_ notes: [AlertNote]) -> String {
        guard notes.count > 1, let first = notes.first else {
            return notes.first.map { AlertText($0).title } ?? ""
        }
        return "\(notes.count) alerts, first \(AlertText(first).title)"
    }
}

extension String {
    /// At most so many UTF-16 units, the way the services count, with a mark where something is left out.
    func cut(to units: Int) -> String {
        guard utf16.count > units else { return self }
        var text = ""
        var used = 1
        for character in self {
            used += character.utf16.count
            if used > units { break }
            text.append(character)
        }
        return text + "…"
    }
}
