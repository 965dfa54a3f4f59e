/// A line of the common or the combined log format, cut into its fields.
///
/// Apache HTTP Server 2.4, mod_log_config; nginx, ngx_http_log_module.
struct TextLogLine {
    let host: ArraySlice<UInt8>
    let user: ArraySlice<UInt8>
    let timestampMilliseconds: Int64
    /// The request line, escaped as it stands in the log.
    let request: ArraySlice<UInt8>
    let status: Int
    /// 0 for `-`, which is what the common format writes when no body was sent.
    let bytes: Int64
    let tail: Tail

    /// What stands behind the bytes.
    enum Tail {
        case nothing
        /// Not both of referrer and user agent, each in closed quotes.
        case cut
        /// Referrer and user agent, and nothing else.
        case closed
        /// More fields behind the user agent.
        case furtherFields
    }

    init(_ line: [UInt8]) throws(Rejection) {
        var rest = line[...]
        guard let host = Self.takeToken(&rest), !host.isEmpty else { throw .malformedLine(.host) }
        // A name of a user may hold spaces; the date's bracket ends it.
        guard Self.takeToken(&rest) != nil, let user = Self.takeUser(&rest), !user.isEmpty else {
            throw .malformedLine(.user)
        }
        guard rest.count > 28, rest[rest.startIndex + 26] == UInt8(ascii: "]"),
            rest[rest.startIndex + 27] == UInt8(ascii: " ")
        else { throw .malformedLine(.time) }
        timestampMilliseconds = try Self.milliseconds(rest.prefix(26))
        rest = rest.dropFirst(28)

        guard let request = Self.takeQuoted(&rest), rest.first == UInt8(ascii: " ") else {
            throw .malformedLine(.request)
        }
        rest = rest.dropFirst()
        guard let statusText = Self.takeToken(&rest), let status = Self.status(statusText) else {
            throw .malformedLine(.status)
        }
        let bytesText = rest.prefix { $0 != UInt8(ascii: " ") }
        guard let bytes = Self.bytes(bytesText) else { throw .malformedLine(.bytes) }
        self.host = host
        self.user = user
        self.request = request
        self.status = status
        self.bytes = bytes
        tail = Self.tail(rest[bytesText.endIndex...])
    }

    /// Three digits from 100 to 599.
    static func status(_ text: ArraySlice<UInt8>) -> Int? {
        guard text.count == 3, let status = text.decimalValue, 100...599 ~= status else {
            return nil
        }
        return Int(status)
    }

    /// A whole number, or `-` for 0.
    static func bytes(_ text: ArraySlice<UInt8>) -> Int64? {
        text.count == 1 && text.first == UInt8(ascii: "-") ? 0 : text.decimalValue
    }

    private static func milliseconds(_ date: ArraySlice<UInt8>) throws(Rejection) -> Int64 {
        do {
            return try TimestampFormat.clf.milliseconds(date)
        } catch .notInFormat {
            throw .malformedLine(.time)
        } catch {
            throw .badTimestamp(field: "time", error)
        }
    }

    private static func tail(_ text: ArraySlice<UInt8>) -> Tail {
        var rest = text
        guard rest.first == UInt8(ascii: " ") else { return .nothing }
        rest = rest.dropFirst()
        guard takeQuoted(&rest) != nil, rest.first == UInt8(ascii: " ") else { return .cut }
        rest = rest.dropFirst()
        guard takeQuoted(&rest) != nil else { return .cut }
        return rest.isEmpty ? .closed : .furtherFields
    }

    /// Takes the bytes before the next space, and the space.
    private static func takeToken(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard let space = rest.firstIndex(of: UInt8(ascii: " ")) else { return nil }
        defer { rest = rest[(space + 1)...] }
        return rest[..<space]
    }

    /// Takes the bytes before ` [`, and the two.
    private static func takeUser(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        var index = rest.startIndex
        while index + 1 < rest.endIndex {
            if rest[index] == UInt8(ascii: " "), rest[index + 1] == UInt8(ascii: "[") {
                defer { rest = rest[(index + 2)...] }
                return rest[..<index]
            }
            index += 1
        }
        return nil
    }

    /// Takes a text in quotes, in which a backslash keeps the next byte from closing it.
    private static func takeQuoted(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        guard rest.first == UInt8(ascii: "\"") else { return nil }
        var index = rest.startIndex + 1
        while index < rest.endIndex {
            switch rest[index] {
            case UInt8(ascii: "\""):
                defer { rest = rest[(index + 1)...] }
                return rest[(rest.startIndex + 1)..<index]
            case UInt8(ascii: "\\"): index += 2
            default: index += 1
            }
        }
        return nil
    }
}
