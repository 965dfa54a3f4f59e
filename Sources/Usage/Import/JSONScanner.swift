/// Reads one JSON text by the letter of RFC 8259, over bytes.
///
/// Stricter than the RFC in two points: a key that stands twice in an object is an error (readers
/// disagree which one counts), and so is half of a surrogate pair (it has no UTF-8).
package struct JSONScanner {
    /// How deep objects and arrays may nest.
    package static let maxDepth = 64

    private let bytes: [UInt8]
    private var position = 0
    private var depth = 0
    private var nodes: [JSONNode] = []

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        nodes.reserveCapacity(16)
    }

    /// The places of all values in a text that holds exactly one JSON value.
    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONDocument {
        var scanner = JSONScanner(bytes: bytes)
        scanner.skipWhitespace()
        try scanner.scanValue(keySpan: nil, isKeyEscaped: false)
        scanner.skipWhitespace()
        guard scanner.position == bytes.count else { throw scanner.failure(.trailingBytes) }
        return JSONDocument(bytes: bytes, nodes: scanner.nodes)
    }

    // MARK: Values

    private mutating func scanValue(
        keySpan: Range<Int>?, isKeyEscaped: Bool
    ) throws(JSONError) {
        let start = position
        let kind = try nextKind()
        let index = nodes.count
        nodes.append(
            JSONNode(
                kind: kind, span: start..<start, keySpan: keySpan, isKeyEscaped: isKeyEscaped,
                end: index + 1))
        switch kind {
        case .string: _ = try scanString()
        case .number: try scanNumber()
        case .true: try scanLiteral("true")
        case .false: try scanLiteral("false")
        case .null: try scanLiteral("null")
        case .object: try scanObject(at: index)
        case .array: try scanArray()
        }
        nodes[index].span = start..<position
        nodes[index].end = nodes.count
    }

    private func nextKind() throws(JSONError) -> JSONKind {
        switch try current() {
        case UInt8(ascii: "\""): .string
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): .number
        case UInt8(ascii: "t"): .true
        case UInt8(ascii: "f"): .false
        case UInt8(ascii: "n"): .null
        case UInt8(ascii: "{"): .object
        case UInt8(ascii: "["): .array
        default: throw failure(.unexpectedByte)
        }
    }

    private mutating func scanObject(at index: Int) throws(JSONError) {
        try open()
        if try current() != UInt8(ascii: "}") {
            repeat {
                skipWhitespace()
                guard try current() == UInt8(ascii: "\"") else { throw failure(.unexpectedByte) }
                let start = position
                let isEscaped = try scanString()
                let keySpan = (start + 1)..<(position - 1)
                skipWhitespace()
                guard try current() == UInt8(ascii: ":") else { throw failure(.unexpectedByte) }
                position += 1
                skipWhitespace()
                try scanValue(keySpan: keySpan, isKeyEscaped: isEscaped)
                skipWhitespace()
            } while try takeComma()
        }
        try close(UInt8(ascii: "}"))
        nodes[index].end = nodes.count
        try refuseDuplicateKeys(at: index)
    }

    private mutating func scanArray() throws(JSONError) {
        try open()
        if try current() != UInt8(ascii: "]") {
            repeat {
                skipWhitespace()
                try scanValue(keySpan: nil, isKeyEscaped: false)
                skipWhitespace()
            } while try takeComma()
        }
        try close(UInt8(ascii: "]"))
    }

    private mutating func open() throws(JSONError) {
        depth += 1
        guard depth <= Self.maxDepth else { throw failure(.tooDeep) }
        position += 1
        skipWhitespace()
    }

    private mutating func close(_ bracket: UInt8) throws(JSONError) {
        guard try current() == bracket else { throw failure(.unexpectedByte) }
        position += 1
        depth -= 1
    }

    private mutating func takeComma() throws(JSONError) -> Bool {
        guard try current() == UInt8(ascii: ",") else { return false }
        position += 1
        return true
    }

    private mutating func scanLiteral(_ literal: StaticString) throws(JSONError) {
        for offset in 0..<literal.utf8CodeUnitCount {
            guard try current() == literal.utf8Start[offset] else {
                throw failure(.unexpectedByte)
            }
            position += 1
        }
    }

    /// RFC 8259 section 6: no leading zero, no leading plus, digits on both sides of the point.
    private mutating func scanNumber() throws(JSONError) {
        if try current() == UInt8(ascii: "-") { position += 1 }
        if try current() == UInt8(ascii: "0") {
            position += 1
            if position < bytes.count, bytes[position].isDigit { throw failure(.badNumber) }
        } else {
            try scanDigits()
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            try scanDigits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            let sign = try current()
            if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { position += 1 }
            try scanDigits()
        }
    }

    private mutating func scanDigits() throws(JSONError) {
        guard try current().isDigit else { throw failure(.badNumber) }
        while position < bytes.count, bytes[position].isDigit { position += 1 }
    }

    /// Passes a string with its quotes; true if there was an escape in it.
    private mutating func scanString() throws(JSONError) -> Bool {
        position += 1
        var isEscaped = false
        while true {
            let byte = try current()
            switch byte {
            case UInt8(ascii: "\""):
                position += 1
                return isEscaped
            case UInt8(ascii: "\\"):
                isEscaped = true
                position += 1
                try scanEscape()
            case 0x20..<0x80:
                position += 1
            case 0x80...:
                try scanMultiByte()
            default:
                throw failure(.controlCharacter)
            }
        }
    }

    private mutating func scanEscape() throws(JSONError) {
        switch try current() {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
            UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            position += 1
        case UInt8(ascii: "u"):
            let start = position - 1
            let unit = try scanHexUnit()
            guard 0xD800...0xDFFF ~= unit else { return }
            let lone = JSONError(fault: .loneSurrogate, offset: start)
            guard unit < 0xDC00 else { throw lone }
            guard try current() == UInt8(ascii: "\\") else { throw lone }
            position += 1
            guard try current() == UInt8(ascii: "u") else { throw lone }
            guard 0xDC00...0xDFFF ~= (try scanHexUnit()) else { throw lone }
        default:
            throw failure(.badEscape)
        }
    }

    /// Passes `uXXXX`.
    private mutating func scanHexUnit() throws(JSONError) -> UInt16 {
        position += 1
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = try current().hexValue else { throw failure(.badEscape) }
            unit = unit << 4 | UInt16(digit)
            position += 1
        }
        return unit
    }

    /// Passes one scalar of two to four bytes; the ranges are table 3-7 of the Unicode Standard.
    private mutating func scanMultiByte() throws(JSONError) {
        let second: ClosedRange<UInt8>
        let count: Int
        switch bytes[position] {
        case 0xC2...0xDF: (second, count) = (0x80...0xBF, 2)
        case 0xE0: (second, count) = (0xA0...0xBF, 3)
        case 0xE1...0xEC, 0xEE...0xEF: (second, count) = (0x80...0xBF, 3)
        case 0xED: (second, count) = (0x80...0x9F, 3)
        case 0xF0: (second, count) = (0x90...0xBF, 4)
        case 0xF1...0xF3: (second, count) = (0x80...0xBF, 4)
        case 0xF4: (second, count) = (0x80...0x8F, 4)
        default: throw failure(.invalidUTF8)
        }
        for offset in 1..<count {
            position += 1
            let allowed = offset == 1 ? second : 0x80...0xBF
            guard allowed ~= (try current()) else { throw failure(.invalidUTF8) }
        }
        position += 1
    }

    // MARK: Keys

    private func refuseDuplicateKeys(at index: Int) throws(JSONError) {
        let object = JSONDocument(bytes: bytes, nodes: nodes)
        let members = Array(object.children(of: index))
        var isPlain = members.count <= 16
        for member in members where nodes[member].isKeyEscaped { isPlain = false }
        let duplicate =
            isPlain
            ? firstPlainDuplicate(members)
            : firstDuplicate(members, keyOf: object.keyBytes(of:))
        guard let duplicate else { return }
        throw JSONError(
            fault: .duplicateKey(object.key(of: duplicate)),
            offset: nodes[duplicate].keySpan?.lowerBound ?? position)
    }

    private func firstPlainDuplicate(_ members: [Int]) -> Int? {
        for (later, member) in members.enumerated() {
            guard let span = nodes[member].keySpan else { continue }
            for earlier in members[..<later] {
                guard let other = nodes[earlier].keySpan, other.count == span.count else {
                    continue
                }
                if bytes[other].elementsEqual(bytes[span]) { return member }
            }
        }
        return nil
    }

    private func firstDuplicate(_ members: [Int], keyOf: (Int) -> [UInt8]) -> Int? {
        var seen: Set<[UInt8]> = []
        return members.first { !seen.insert(keyOf($0)).inserted }
    }

    // MARK: Bytes

    private func current() throws(JSONError) -> UInt8 {
        guard position < bytes.count else { throw failure(.unexpectedEnd) }
        return bytes[position]
    }

    private mutating func skipWhitespace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0A, 0x0D: position += 1
            default: return
            }
        }
    }

    private func failure(_ fault: JSONError.Fault) -> JSONError {
        JSONError(fault: fault, offset: position)
    }
}
