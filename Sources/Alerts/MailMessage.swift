internal import Exact
internal import Foundation
internal import Ledger

/// A mail with a plain and an HTML part (RFC 5322, 2045 to 2047).
struct MailMessage {
    let sender: String
    let recipients: [String]
    let message: AlertMessage
    let source: String

    /// The same however often it is sent, so that mailboxes can tell a repetition.
    var messageID: String {
        let host = sender.split(separator: "@").last.map(String.init) ?? "localhost"
        return "<alert-\(message.id).\(source)@\(host)>"
    }

    var bytes: [UInt8] {
        let boundary = "=_meterflow_\(message.id)"
        let headers = [
            "From: MeterFlow <\(sender)>",
            "To: " + recipients.map { "<\($0)>" }.joined(separator: ",\r\n "),
            "Subject: \(Self.encoded(AlertText.summary(message.notes).cut(to: 200)))",
            "Date: \(Self.date(message.createdAt))", "Message-ID: \(messageID)",
            "Auto-Submitted: auto-generated", "MIME-Version: 1.0",
            "Content-Type: multipart/alternative; boundary=\"\(boundary)\"",
        ]
        let parts = [("text/plain", plain), ("text/html", html)].map { type, text in
            "--\(boundary)\r\nContent-Type: \(type); charset=utf-8\r\n"
                + "Content-Transfer-Encoding: base64\r\n\r\n\(Self.base64(text))\r\n"
        }
        let text =
            headers.joined(separator: "\r\n") + "\r\n\r\n" + parts.joined() + "--\(boundary)--\r\n"
        return Array(text.utf8)
    }

    private var plain: String {
        message.notes.map { note in
            let text = AlertText(note)
            let facts = text.facts.map { "  \($0.name): \($0.value)" }
            return ([text.title] + facts + (text.next.map { ["  next: \($0)"] } ?? []))
                .joined(separator: "\r\n")
        }.joined(separator: "\r\n\r\n") + "\r\n"
    }

    private var html: String {
        let sections = message.notes.map { note in
            let text = AlertText(note)
            let rows = text.facts.map {
                "<tr><th align=\"left\">\(Self.escaped($0.name))</th><td>\(Self.escaped($0.value))</td></tr>"
            }
            let next = text.next.map { "<p><strong>Next:</strong> \(Self.escaped($0))</p>" } ?? ""
            return "<h2>\(Self.escaped(text.title))</h2><table>\(rows.joined())</table>\(next)"
        }
        return
            "<!DOCTYPE html><html lang=\"en\"><body>\(sections.joined(separator: "<hr>"))</body></html>"
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
    }

    /// A header's text: encoded words of at most 75 characters, so that nothing in it can end the header.
    private static func encoded(_ text: String) -> String {
        var words: [String] = []
        var word: [UInt8] = []
        func end() { words.append("=?UTF-8?B?\(Data(word).base64EncodedString())?=") }
        for character in text {
            let bytes = Array(String(character).utf8)
            if word.count + bytes.count > 45 {
                end()
                word = []
            }
            word += bytes
        }
        end()
        return words.joined(separator: "\r\n ")
    }

    private static func base64(_ text: String) -> String {
        Data(text.utf8).base64EncodedString(
            options: [.lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed])
    }

    private static func date(_ instant: Instant) -> String {
        let format = DateFormatter()
        format.locale = Locale(identifier: "en_US_POSIX")
        format.timeZone = TimeZone(secondsFromGMT: 0)
        format.dateFormat = "EEE, dd MMM yyyy HH:mm:ss '+0000'"
        return format.string(from: Date(timeIntervalSince1970: Double(instant.unixSeconds)))
    }
}
