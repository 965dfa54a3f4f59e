/// Writes rows for `COPY … FROM STDIN` in Postgres' text format.
///
/// https://www.postgresql.org/docs/15/sql-copy.html, "Text Format".
package struct PostgresCopyEncoder: Sendable {
    /// What was written since the last `take`.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Appends a row; nil is NULL.
    package mutating func row(_ fields: [String?]) {
        for (index, field) in fields.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "\t")) }
            guard let field else {
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(UInt8(ascii: "N"))
                continue
            }
            for byte in field.utf8 { append(byte) }
        }
        bytes.append(UInt8(ascii: "\n"))
    }

    /// Hands over what was written and starts anew.
    package mutating func take() -> [UInt8] {
        defer { bytes = [] }
        return bytes
    }

    private mutating func append(_ byte: UInt8) {
        let letter: UInt8
        switch byte {
        case UInt8(ascii: "\\"): letter = UInt8(ascii: "\\")
        case UInt8(ascii: "\t"): letter = UInt8(ascii: "t")
        case UInt8(ascii: "\n"): letter = UInt8(ascii: "n")
        case UInt8(ascii: "\r"): letter = UInt8(ascii: "r")
        default:
            bytes.append(byte)
            return
        }
        bytes.append(UInt8(ascii: "\\"))
        bytes.append(letter)
    }
}
