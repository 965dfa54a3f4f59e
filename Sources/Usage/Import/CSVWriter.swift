/// Writes CSV with the quoting of RFC 4180.
///
/// Rows end with LF, as other tools of a shell pipeline expect, unless CRLF is asked for.
package struct CSVWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private let lineEnd: String
    private var isRowStarted = false

    package init(lineEnd: String = "\n") { self.lineEnd = lineEnd }

    /// Adds a text to the row.
    ///
    /// A spreadsheet would run a text that begins like a formula: an apostrophe goes before it
    /// (OWASP, "CSV Injection").
    package mutating func text(_ text: String) {
        switch text.utf8.first {
        case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D:
            field("'" + text)
        default: field(text)
        }
    }

    /// Adds a number to the row, as it is written: a negative one stays a number.
    ///
    /// - Parameter decimal: an optional minus, digits, and optionally a point and digits.
    package mutating func number(_ decimal: String) {
        precondition(Self.isPlainDecimal(decimal), "not a plain decimal")
        field(decimal)
    }

    package mutating func number(_ integer: some BinaryInteger) { number(String(integer)) }

    /// Adds an empty field to the row.
    package mutating func empty() { field("") }

    package mutating func endRow() {
        bytes.append(contentsOf: lineEnd.utf8)
        isRowStarted = false
    }

    /// Gives up the bytes written so far, for the caller to pass on.
    package mutating func takeBytes() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    private mutating func field(_ text: String) {
        if isRowStarted { bytes.append(UInt8(ascii: ",")) }
        isRowStarted = true
        let quote = UInt8(ascii: "\"")
        let needsQuotes = text.utf8.contains {
            $0 == quote || $0 == UInt8(ascii: ",") || $0 == 0x0A || $0 == 0x0D
        }
        guard needsQuotes else {
            bytes.append(contentsOf: text.utf8)
            return
        }
        bytes.append(quote)
        for byte in text.utf8 {
            if byte == quote { bytes.append(quote) }
            bytes.append(byte)
        }
        bytes.append(quote)
    }

    private static func isPlainDecimal(_ text: String) -> Bool {
        var rest = Substring(text).utf8
        if rest.first == UInt8(ascii: "-") { rest = rest.dropFirst() }
        let parts = rest.split(
            separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(\.isDigit) }
    }
}
