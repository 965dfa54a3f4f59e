/// Header fields in the order in which they were sent; names compare without case.
///
/// Its description names the fields and hides the values, since one of them is usually a secret.
package struct HTTPHeaders: Sendable, CustomStringConvertible, ExpressibleByDictionaryLiteral {
    /// The fields, in order; a name may occur more than once.
    package private(set) var fields: [(name: String, value: String)]

    package init(_ fields: [(name: String, value: String)] = []) {
        self.fields = fields
    }

    package init(dictionaryLiteral elements: (String, String)...) {
        fields = elements.map { (name: $0.0, value: $0.1) }
    }

    /// The first value of the field. Setting replaces every value of that name; `nil` removes them.
    package subscript(name: String) -> String? {
        get { fields.first { Self.isSame($0.name, name) }?.value }
        set {
            fields.removeAll { Self.isSame($0.name, name) }
            if let newValue { fields.append((name: name, value: newValue)) }
        }
    }

    /// Every value of the field, in order (`Set-Cookie`, `Warning`).
    package func values(of name: String) -> [String] {
        fields.filter { Self.isSame($0.name, name) }.map(\.value)
    }

    /// Adds a field after the others and keeps those of the same name.
    package mutating func append(_ name: String, _ value: String) {
        fields.append((name: name, value: value))
    }

    /// Continues the last value: a line that begins with white space (RFC 9112, 5.2).
    mutating func continueLast(with text: String) {
        guard let last = fields.indices.last else { return }
        fields[last].value += " " + text
    }

    package var description: String {
        "[" + fields.map { "\($0.name): …" }.joined(separator: ", ") + "]"
    }

    private static func isSame(_ left: String, _ right: String) -> Bool {
        left.utf8.elementsEqual(right.utf8) { lowercased($0) == lowercased($1) }
    }

    private static func lowercased(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }
}
