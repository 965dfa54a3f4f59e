internal import Ledger

/// The body of a call to a Slack incoming webhook.
///
/// Limits: 50 blocks, 150 characters in a header, 3000 in a section.
/// Source: docs.slack.dev/reference/block-kit/blocks.
enum SlackMessage {
    static let maximumBlocks = 50
    static let maximumHeader = 150
    static let maximumSection = 3000

    static func body(_ message: AlertMessage) -> JSON {
        let summary = AlertText.summary(message.notes)
        var blocks: [JSON] = [
            .object([
                ("type", .string("header")),
                (
                    "text",
                    .object([
                        ("type", .string("plain_text")),
                        ("text", .string(summary.cut(to: maximumHeader))),
                    ])
                ),
            ])
        ]
        for note in message.notes.prefix(maximumBlocks - 1) { blocks.append(section(note)) }
        return .object([
            // For notifications, and for readers that show no blocks.
            ("text", .string(escaped(summary).cut(to: maximumSection))),
            ("blocks", .array(blocks)),
        ])
    }

    private static func section(_ note: AlertNote) -> JSON {
        let text = AlertText(note)
        var lines = ["*\(escaped(text.title))*"]
        lines += text.facts.map { "\(escaped($0.name)): \(escaped($0.value))" }
        if let next = text.next { lines.append("→ \(escaped(next))") }
        return .object([
            ("type", .string("section")),
            (
                "text",
                .object([
                    ("type", .string("mrkdwn")),
                    ("text", .string(lines.joined(separator: "\n").cut(to: maximumSection))),
                ])
            ),
        ])
    }

    /// Control characters of mrkdwn. Source: docs.slack.dev/messaging/formatting-message-text.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
