/// Pages that are whole in themselves: no scripts, nothing from elsewhere.
enum HTML {
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;")
            .replacing(">", with: "&gt;").replacing("\"", with: "&quot;")
            .replacing("'", with: "&#39;")
    }

    /// A table; cells are text, and escaped here.
    ///
    /// - Parameter numbers: the columns that are aligned to the right.
    static func table(_ head: [String], _ rows: [[String]], numbers: Set<Int> = []) -> String {
        func row(_ cells: [String], _ tag: String) -> String {
            let cells = cells.enumerated().map { index, cell in
                "<\(tag)\(numbers.contains(index) ? " class=\"n\"" : "")>\(escaped(cell))</\(tag)>"
            }
            return "<tr>\(cells.joined())</tr>"
        }
        let body = rows.map { row($0, "td") }.joined(separator: "\n")
        return "<table><thead>\(row(head, "th"))</thead><tbody>\(body)</tbody></table>"
    }
}
