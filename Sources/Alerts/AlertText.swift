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
        var body =
            (try? JSONDecoder().decode([String: AlertValue].self, from: Data(alert.body.utf8)))
            ?? [:]
        let action = body.removeValue(forKey: "recommended_action")?.text
        next = body.removeValue(forKey: "next")?.text ?? action
        let currency = body["currency"]?.text.flatMap { Currency($0) }
        // It stands beside the amounts.
        if currency != nil, body.keys.contains(where: { $0.hasSuffix(Self.minor) }) {
            body["currency"] = nil
        }
        facts =
            body.sorted { $0.key < $1.key }.compactMap { Self.fact($0.key, $0.value, currency) }
            + [(name: "at", value: "\(note.at)")]
    }

    private static let minor = "_minor"

    private static func fact(
        _ name: String, _ value: AlertValue, _ currency: Currency?
    ) -> (name: String, value: String)? {
        if case .null = value { return nil }
        if name.hasSuffix(minor), let money = value.money(in: currency) {
            return (String(name.dropLast(minor.count)).replacing("_", with: " "), money)
        }
        return (name.replacing("_", with: " "), value.words)
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
