/// How an access log writes a request.
package enum AccessLogFormat: Hashable, Sendable {
    /// Found by the first line that fits one: `{` is `.json` with the mapping of AWS API Gateway,
    /// more behind the bytes is `.combined`, else `.common`.
    case automatic
    /// `host ident user [date] "request" status bytes` of Apache and nginx; more behind the bytes
    /// is not read.
    case common
    /// The common format with the referrer and the user agent behind it; more is not read. Nothing
    /// behind the bytes means that digits of theirs may be missing: such a line is rejected.
    case combined
    /// One JSON object a line.
    case json(JSONLogMapping)
}

/// In which field of a JSON log stands what.
package struct JSONLogMapping: Hashable, Sendable {
    package var customer: JSONPath
    package var time: JSONPath
    package var timeFormat: TimestampFormat
    package var status: JSONPath
    package var bytes: JSONPath
    package var method: JSONPath
    package var endpoint: JSONPath
    /// The request's own identifier, if the log has one that is unique for ever; without it the
    /// place of the line in the file identifies the request.
    package var id: JSONPath?

    package init(
        customer: JSONPath, time: JSONPath, timeFormat: TimestampFormat = .automatic,
        status: JSONPath, bytes: JSONPath, method: JSONPath, endpoint: JSONPath,
        id: JSONPath? = nil
    ) {
        self.customer = customer
        self.time = time
        self.timeFormat = timeFormat
        self.status = status
        self.bytes = bytes
        self.method = method
        self.endpoint = endpoint
        self.id = id
    }

    /// The JSON log format of the Amazon API Gateway Developer Guide, "Set up CloudWatch logging
    /// for REST APIs".
    package static let awsAPIGateway = JSONLogMapping(
        customer: "ip", time: "requestTime", status: "status", bytes: "responseLength",
        method: "httpMethod", endpoint: "resourcePath", id: "requestId")
}

/// The name of a field, or the names on the way to a nested one, as `identity.sourceIp`.
package struct JSONPath: Hashable, Sendable, ExpressibleByStringLiteral {
    package let text: String
    private let whole: [UInt8]
    private let parts: [[UInt8]]

    package init(_ text: String) {
        self.text = text
        whole = Array(text.utf8)
        parts = whole.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            .map(Array.init)
    }

    package init(stringLiteral text: String) { self.init(text) }

    /// The value at the path; a field whose own name has the dots comes before a nested one.
    func find(in document: JSONDocument) -> Int? {
        if let member = document.member(whole, of: 0) { return member }
        guard parts.count > 1 else { return nil }
        var node = 0
        for part in parts {
            guard let next = document.member(part, of: node) else { return nil }
            node = next
        }
        return node
    }
}

/// Who is billed for a request.
package enum AccessLogCustomer: Hashable, Sendable {
    /// The host of a text log, the mapped field of a JSON log.
    case automatic
    /// The remote host of a text log.
    case host
    /// The authenticated user of a text log.
    case user
    /// A parameter of the request's query string.
    case query(String)

    /// Reads the spelling of an option: `host`, `user` or `query:NAME`.
    package init?(_ text: String) {
        switch text {
        case "host": self = .host
        case "user": self = .user
        case let text where text.hasPrefix("query:") && text.utf8.count > 6:
            self = .query(String(text.dropFirst(6)))
        default: return nil
        }
    }
}
