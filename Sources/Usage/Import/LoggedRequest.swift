/// What was asked for, as an access log tells it.
struct LoggedRequest {
    let method: [UInt8]
    /// The path without the query string; well-formed UTF-8 of at most 1,000 characters.
    ///
    /// A longer one is cut, and each run of bytes that is no UTF-8 becomes U+FFFD.
    let endpoint: [UInt8]
    /// Behind the first `?`, without it; nil if there is none.
    let query: ArraySlice<UInt8>?

    /// - Parameter target: a path with its query string, if it has one.
    init(method: [UInt8], target: ArraySlice<UInt8>) {
        let mark = target.firstIndex(of: UInt8(ascii: "?"))
        self.method = Self.cut(method[...])
        endpoint = Self.cut(target[..<(mark ?? target.endIndex)])
        query = mark.map { target[($0 + 1)...] }
    }

    /// Reads the request line of a text log.
    ///
    /// A client may send anything at all: what is no `METHOD TARGET [HTTP/x.y]` was a request
    /// too, and has the method `-` and the text as the log has it for an endpoint.
    init(line: ArraySlice<UInt8>) {
        guard let space = line.firstIndex(of: UInt8(ascii: " ")),
            Self.isMethod(line[..<space])
        else {
            self.init(malformed: line)
            return
        }
        var target = line[(space + 1)...]
        if let version = target.lastIndex(of: UInt8(ascii: " ")),
            target[version...].starts(with: " HTTP/".utf8)
        {
            target = target[..<version]
        } else if target.first != UInt8(ascii: "/") {
            // HTTP/0.9 had no version, but always a path.
            self.init(malformed: line)
            return
        }
        self.init(method: Array(line[..<space]), target: Self.unescape(target))
    }

    private init(malformed line: ArraySlice<UInt8>) {
        method = [UInt8(ascii: "-")]
        endpoint = Self.cut(line)
        query = nil
    }

    /// The values of a parameter of the query string, percent-decoded (`+` is a space: WHATWG URL,
    /// application/x-www-form-urlencoded).
    func values(ofParameter name: String) -> [[UInt8]] {
        guard let query else { return [] }
        let name = Array(name.utf8)
        return query.split(separator: UInt8(ascii: "&")).compactMap { parameter in
            let nameEnd = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.endIndex
            guard Self.percentDecode(parameter[..<nameEnd]) == name else { return nil }
            return Self.percentDecode(parameter[nameEnd...].dropFirst())
        }
    }

    /// The event's properties.
    func properties(status: Int, bytes: Int64) -> [UInt8] {
        var json: [UInt8] = []
        json.reserveCapacity(64 + method.count + endpoint.count)
        json.append(contentsOf: #"{"status":"#.utf8)
        json.appendDecimal(status, digits: 1)
        json.append(contentsOf: #","bytes":"#.utf8)
        json.appendDecimal(Int(bytes), digits: 1)
        json.append(contentsOf: #","method":"#.utf8)
        JSONString.append(method[...], to: &json)
        json.append(contentsOf: #","endpoint":"#.utf8)
        JSONString.append(endpoint[...], to: &json)
        json.append(UInt8(ascii: "}"))
        return json
    }

    /// RFC 9110 section 9.1 allows more; servers know upper-case words, some with a hyphen.
    private static func isMethod(_ text: ArraySlice<UInt8>) -> Bool {
        guard 1...32 ~= text.count, text.first != UInt8(ascii: "-") else { return false }
        return text.allSatisfy {
            UInt8(ascii: "A")...UInt8(ascii: "Z") ~= $0 || $0 == UInt8(ascii: "-")
                || $0 == UInt8(ascii: "_")
        }
    }

    private static func cut(_ text: ArraySlice<UInt8>) -> [UInt8] {
        let limit = EventRules.maxStringCharacters
        if text.count <= limit, text.allSatisfy({ $0 < 0x80 }) { return Array(text) }
        let repaired = String(decoding: text, as: UTF8.self).unicodeScalars
        return Array(String(String.UnicodeScalarView(repaired.prefix(limit))).utf8)
    }

    /// Undoes `\"`, `\\`, `\xHH` and the escapes of C, as mod_log_config writes them.
    private static func unescape(_ text: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        guard text.contains(UInt8(ascii: "\\")) else { return text }
        var plain: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\"), let escape = rest.popFirst() else {
                plain.append(byte)
                continue
            }
            switch escape {
            case UInt8(ascii: "b"): plain.append(0x08)
            case UInt8(ascii: "t"): plain.append(0x09)
            case UInt8(ascii: "n"): plain.append(0x0A)
            case UInt8(ascii: "v"): plain.append(0x0B)
            case UInt8(ascii: "f"): plain.append(0x0C)
            case UInt8(ascii: "r"): plain.append(0x0D)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): plain.append(escape)
            case UInt8(ascii: "x"):
                if let value = takeHexByte(&rest) {
                    plain.append(value)
                } else {
                    plain.append(contentsOf: [byte, escape])
                }
            default: plain.append(contentsOf: [byte, escape])
            }
        }
        return plain[...]
    }

    private static func percentDecode(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var plain: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"): plain.append(takeHexByte(&rest) ?? byte)
            case UInt8(ascii: "+"): plain.append(UInt8(ascii: " "))
            default: plain.append(byte)
            }
        }
        return plain
    }

    private static func takeHexByte(_ rest: inout ArraySlice<UInt8>) -> UInt8? {
        guard rest.count >= 2, let high = rest[rest.startIndex].hexValue,
            let low = rest[rest.startIndex + 1].hexValue
        else { return nil }
        rest = rest.dropFirst(2)
        return high << 4 | low
    }
}
