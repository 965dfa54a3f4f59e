internal import Ledger

/// The body of a call to a Slack incoming webhook.
///
/// Limits: 50 blocks, 150 characters in a header, 3000 in a section.
/// Source: docs.slack.dev/reference/block-kit/blocks.
/// From some 13,200 characters over all blocks on it refuses (msg_blocks_too_long), and does not say how it
/// counts. Source: github.com/slackapi/bolt-js/issues/2509.
enum SlackMessage {
    static let maximumBlocks = 50
    static let maximumHeader = 150
    static let maximumSection = 3000
    static let maximumText = 10_000
    /// What of it is kept for naming the alerts that find no room.
    private static let namesText = 1500

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
        var room = maximumText - maximumHeader - namesText
        for (index, note) in message.notes.enumerated() {
            let text = words(note).cut(to: maximumSection)
            // The last block is for those that are only named.
            guard text.utf16.count <= room, blocks.count < maximumBlocks - 1 else {
                blocks.append(section(names(message.notes[index...])))
                break
            }
            blocks.append(section(text))
            room -= text.utf16.count
        }
        return .object([
            // For notifications, and for readers that show no blocks.
            ("text", .string(escaped(summary).cut(to: maximumSection))),
            ("blocks", .array(blocks)),
        ])
    }

    private static func words(_ note: AlertNote) -> String {
        let text = AlertText(note)
        var lines = ["*\(escaped(text.title))*"]
        lines += text.facts.map { "\(escaped($0.name)): \(escaped($0.value))" }
        if let next = text.next { lines.append("→ \(escaped(next))") }
        return lines.joined(separator: "\n")
    }

    private static func names(_ notes: ArraySlice<AlertNote>) -> String {
        let titles = notes.map { escaped(AlertText($0).title) }
        return (["*and \(notes.count) more, in full by* `jobs alerts list`"] + titles)
            .joined(separator: "\n").cut(to: namesText)
    }

    private static func section(_ text: String) -> JSON {
        .object([
            ("type", .string("section")),
            ("text", .object([("type", .string("mrkdwn")), ("text", .string(text))])),
        ])
    }

    /// Control characters of mrkdwn. Source: docs.slack.dev/messaging/formatting-message-text.
    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
    }
}
