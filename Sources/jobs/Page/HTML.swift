internal import Exact

/// HTML. What stands in an interpolation is escaped, unless it is HTML itself.
struct HTML: ExpressibleByStringInterpolation, Sendable {
    private(set) var text: String

    init(stringLiteral text: String) {
        self.text = text
    }

    init(stringInterpolation: Interpolation) {
        text = stringInterpolation.text
    }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {}

        mutating func appendLiteral(_ literal: String) {
            text += literal
        }

        mutating func appendInterpolation(_ value: some CustomStringConvertible) {
            text += HTML.escaped(value.description)
        }

        mutating func appendInterpolation(_ html: HTML) {
            text += html.text
        }

        mutating func appendInterpolation(_ parts: [HTML]) {
            for part in parts { text += part.text }
        }
    }

    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { Self.special.contains($0) }) else { return text }
        return text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("'", with: "&#39;")
    }

    private static let special = Set("&<>\"'".utf8)

    /// A table, which scrolls by itself on a small screen.
    ///
    /// - Parameter numbers: the columns that are aligned to the right.
    static func table(
        _ caption: String, _ head: [String], _ rows: [[HTML]], numbers: Set<Int> = []
    ) -> HTML {
        let heads: [HTML] = head.enumerated().map { index, name in
            "<th scope=\"col\"\(alignment(index, numbers))>\(name)</th>"
        }
        let body: [HTML] = rows.map { cells in
            let cells: [HTML] = cells.enumerated().map { index, cell in
                "<td\(alignment(index, numbers))>\(cell)</td>"
            }
            return "<tr>\(cells)</tr>\n"
        }
        return """
            <div class="scroll" role="region" aria-label="\(caption)" tabindex="0"><table>
            <caption><h2>\(caption)</h2></caption><thead><tr>\(heads)</tr></thead>
            <tbody>\(body)</tbody></table></div>

            """
    }

    private static func alignment(_ column: Int, _ numbers: Set<Int>) -> HTML {
        numbers.contains(column) ? " class=\"n\"" : ""
    }

    /// What is wider than a phone scrolls by itself.
    static func plot(_ label: String, width: Int, height: Int, _ parts: [HTML]) -> HTML {
        """
        <div class="scroll" role="region" aria-label="\(label)" tabindex="0">\
        <svg viewBox="0 0 \(width) \(height)" role="img" aria-label="\(label)">\(parts)</svg></div>

        """
    }

    /// To the second, in UTC.
    static func time(_ instant: Instant?) -> HTML {
        guard let instant else { return "" }
        let text = "\(Instant(milliseconds: instant.unixSeconds * 1000))"
        return "<time datetime=\"\(text)\">\(text.replacing("T", with: " ").dropLast())</time>"
    }

    /// A measured number that the ledger keeps as a text.
    static func measured(_ number: String) -> HTML {
        .text(Double(number).map(shortened))
    }

    /// A text as an HTML; nothing is nothing.
    static func text(_ value: (some CustomStringConvertible)?) -> HTML {
        guard let value else { return "" }
        return "\(value)"
    }
}
