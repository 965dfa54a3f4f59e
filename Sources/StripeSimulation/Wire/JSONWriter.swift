/// Writes JSON straight into bytes, fields in the order in which they are named.
package struct JSONWriter {
    package private(set) var bytes: [UInt8] = []
    /// True when the next value of the innermost object or array needs a comma before it.
    private var needsComma = false

    package init() {
        bytes.reserveCapacity(1_024)
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    package mutating func object(_ fields: (inout JSONWriter) -> Void) {
        surround(UInt8(ascii: "{"), UInt8(ascii: "}"), fields)
    }

    package mutating func array(_ elements: (inout JSONWriter) -> Void) {
        surround(UInt8(ascii: "["), UInt8(ascii: "]"), elements)
    }

    package mutating func object(_ name: StaticString, _ fields: (inout JSONWriter) -> Void) {
        key(name)
        object(fields)
    }

    package mutating func array(_ name: StaticString, _ elements: (inout JSONWriter) -> Void) {
        key(name)
        array(elements)
    }

    package mutating func field(_ name: StaticString, _ value: String?) {
        key(name)
        optional(value)
    }

    package mutating func field(_ name: StaticString, _ value: Int?) {
        key(name)
        if let value { integer(value) } else { null() }
    }

    package mutating func field(_ name: StaticString, _ value: Bool) {
        key(name)
        literal(value ? "true" : "false")
    }

    package mutating func null(_ name: StaticString) {
        key(name)
        null()
    }

    /// Several fields that have no value.
    package mutating func nulls(_ names: StaticString...) {
        for name in names { null(name) }
    }

    package mutating func optional(_ value: String?) {
        if let value { string(value) } else { null() }
    }

    package mutating func null() { literal("null") }

    package mutating func integer(_ value: Int) { literal(String(value)) }

    package mutating func string(_ value: String) {
        separate()
        quote(value)
        needsComma = true
    }

    /// The name of the value that comes next. A name in the source needs no escape.
    package mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes += UnsafeBufferPointer(start: name.utf8Start, count: name.utf8CodeUnitCount)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A name that is known only when it is written.
    package mutating func key(named name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    private mutating func literal(_ text: String) {
        separate()
        bytes += text.utf8
        needsComma = true
    }

    private mutating func surround(
        _ open: UInt8, _ close: UInt8, _ content: (inout JSONWriter) -> Void
    ) {
        separate()
        bytes.append(open)
        needsComma = false
        content(&self)
        bytes.append(close)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.contains(where: Self.needsEscape) {
            for byte in text.utf8 { escape(byte) }
        } else {
            bytes += text.utf8
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        guard Self.needsEscape(byte) else { return bytes.append(byte) }
        guard byte < 0x20 else {
            bytes += [UInt8(ascii: "\\"), byte]
            return
        }
        let digits = Array("0123456789abcdef".utf8)
        bytes += Array("\\u00".utf8) + [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }
}
