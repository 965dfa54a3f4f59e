/// JSON strings, to and from UTF-8.
package enum JSONString {
    /// Appends a string in quotes, with the escapes that RFC 8259 demands and no others.
    package static func append(_ text: String, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            if mustEscape(byte) { appendEscape(of: byte, to: &json) } else { json.append(byte) }
        }
        json.append(UInt8(ascii: "\""))
    }

    private static func mustEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    /// - Parameter utf8: well-formed UTF-8.
    package static func append(_ utf8: ArraySlice<UInt8>, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\""))
        var copied = utf8.startIndex
        for (index, byte) in zip(utf8.indices, utf8) where mustEscape(byte) {
            json.append(contentsOf: utf8[copied..<index])
            appendEscape(of: byte, to: &json)
            copied = index + 1
        }
        json.append(contentsOf: utf8[copied...])
        json.append(UInt8(ascii: "\""))
    }

    private static func appendEscape(of byte: UInt8, to json: inout [UInt8]) {
        json.append(UInt8(ascii: "\\"))
        switch byte {
        case 0x08: json.append(UInt8(ascii: "b"))
        case 0x09: json.append(UInt8(ascii: "t"))
        case 0x0A: json.append(UInt8(ascii: "n"))
        case 0x0C: json.append(UInt8(ascii: "f"))
        case 0x0D: json.append(UInt8(ascii: "r"))
        case 0x00..<0x20:
            json.append(contentsOf: "u00".utf8)
            for digit in [byte >> 4, byte & 15] {
                json.append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10)
            }
        default: json.append(byte)
        }
    }

    /// The UTF-8 of a string's content, which the scanner has found well-formed.
    static func decode(_ bytes: [UInt8], in content: Range<Int>) -> [UInt8] {
        guard bytes[content].contains(UInt8(ascii: "\\")) else { return Array(bytes[content]) }
        var text: [UInt8] = []
        text.reserveCapacity(content.count)
        var index = content.lowerBound
        while index < content.upperBound {
            guard bytes[index] == UInt8(ascii: "\\") else {
                text.append(bytes[index])
                index += 1
                continue
            }
            switch bytes[index + 1] {
            case UInt8(ascii: "b"): text.append(0x08)
            case UInt8(ascii: "t"): text.append(0x09)
            case UInt8(ascii: "n"): text.append(0x0A)
            case UInt8(ascii: "f"): text.append(0x0C)
            case UInt8(ascii: "r"): text.append(0x0D)
            case UInt8(ascii: "u"):
                let scalar = unicodeEscape(bytes, at: &index)
                text.append(contentsOf: UTF8.encode(scalar)!)
                continue
            case let byte: text.append(byte)
            }
            index += 2
        }
        return text
    }

    /// Reads `\uXXXX`, or the two of them that make a surrogate pair, and moves behind it.
    private static func unicodeEscape(_ bytes: [UInt8], at index: inout Int) -> Unicode.Scalar {
        func unit() -> UInt32 {
            defer { index += 6 }
            return bytes[(index + 2)..<(index + 6)]
                .reduce(0) { $0 << 4 | UInt32($1.hexValue!) }
        }
        let high = unit()
        guard 0xD800...0xDBFF ~= high else { return Unicode.Scalar(high)! }
        return Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (unit() - 0xDC00))!
    }
}
