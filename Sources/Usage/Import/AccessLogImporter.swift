/// How an access log is to be read.
package struct AccessLogOptions: Hashable, Sendable {
    package var format: AccessLogFormat
    package var customer: AccessLogCustomer
    /// Tells apart logs that may begin with the same lines; the same for every import of one log.
    package var source: String

    package init(
        format: AccessLogFormat = .automatic, customer: AccessLogCustomer = .automatic,
        source: String = ""
    ) {
        self.format = format
        self.customer = customer
        self.source = source
    }
}

/// Imports an access log: every request is one event `api_request`, whatever its status, with the
/// properties `status`, `bytes`, `method` and `endpoint`.
///
/// One importer reads one file, from its start: the identifiers are derived from all lines before.
/// There is no limit to the age of a request. A last line without a newline is taken only if it is
/// complete beyond doubt: a JSON object that is closed, or a combined line that ends with the user
/// agent's closing quote in a file in which no line goes on behind it.
package struct AccessLogImporter: LineImporter {
    package static let eventType = "api_request"

    package private(set) var counts = ImportCounts()
    /// `.automatic` until a line has told.
    package private(set) var format: AccessLogFormat
    private let customer: AccessLogCustomer
    private let nowMilliseconds: Int64
    private var chain: LineChain
    private var hasFurtherFields = false

    /// - Parameters:
    ///   - nowMilliseconds: since 1970 UTC; a request over 5 minutes later is rejected.
    ///   - hash: a cryptographic hash of at least 17 bytes, such as SHA-256. Another hash gives
    ///     other identifiers, and so every request once more.
    package init(
        options: AccessLogOptions, nowMilliseconds: Int64,
        hash: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) {
        format = options.format
        customer = options.customer
        self.nowMilliseconds = nowMilliseconds
        chain = LineChain(source: options.source, hash: hash)
    }

    package mutating func feed(_ line: InputLine) -> ImportOutcome {
        let outcome = outcome(of: line)
        counts.add(outcome)
        return outcome
    }

    private mutating func outcome(of line: InputLine) -> ImportOutcome {
        guard !line.isTooLong else {
            chain.advance(overStart: line.bytes, byteCount: line.byteCount)
            return line.rejected(.lineTooLong)
        }
        let content = line.content
        chain.advance(over: content)
        guard !content.isEmpty else { return .blank }
        do {
            return .event(try event(of: line, content))
        } catch {
            return line.rejected(error)
        }
    }

    private mutating func event(
        of line: InputLine, _ content: [UInt8]
    ) throws(Rejection) -> UsageEvent {
        if format == .automatic, content.first == UInt8(ascii: "{") {
            format = .json(.awsAPIGateway)
        }
        let event =
            if case .json(let mapping) = format {
                try jsonEvent(try line.jsonObject(content), mapping)
            } else {
                try textEvent(content, isTerminated: line.isTerminated)
            }
        guard
            event.timestampMilliseconds <= nowMilliseconds + EventRules.maxFutureMilliseconds
        else { throw .inFuture }
        return event
    }

    // MARK: Text

    private mutating func textEvent(
        _ content: [UInt8], isTerminated: Bool
    ) throws(Rejection) -> UsageEvent {
        let line: TextLogLine
        do {
            line = try TextLogLine(content)
        } catch {
            throw isTerminated ? error : .incompleteLastLine
        }
        if format == .automatic { format = line.tail == .nothing ? .common : .combined }
        if line.tail == .furtherFields { hasFurtherFields = true }
        guard isTerminated || (format == .combined && line.tail == .closed && !hasFurtherFields)
        else { throw .incompleteLastLine }
        guard format != .combined || line.tail != .nothing else { throw .malformedLine(.bytes) }

        let request = LoggedRequest(line: line.request)
        return UsageEvent(
            transactionID: chain.transactionID,
            customerID: try customerID(of: line, request),
            eventType: Self.eventType,
            timestampMilliseconds: line.timestampMilliseconds,
            properties: request.properties(status: line.status, bytes: line.bytes))
    }

    private func customerID(
        of line: TextLogLine, _ request: LoggedRequest
    ) throws(Rejection) -> String {
        switch customer {
        case .automatic, .host: try identifier(line.host, source: "host")
        case .user: try identifier(line.user, source: "user")
        case .query(let name): try customerID(inParameter: name, of: request)
        }
    }

    // MARK: JSON

    private func jsonEvent(
        _ document: JSONDocument, _ mapping: JSONLogMapping
    ) throws(Rejection) -> UsageEvent {
        let line = try JSONLogLine(document, mapping: mapping)
        return UsageEvent(
            transactionID: transactionID(of: line),
            customerID: try customerID(of: line, mapping),
            eventType: Self.eventType,
            timestampMilliseconds: line.timestampMilliseconds,
            properties: line.request.properties(status: line.status, bytes: line.bytes))
    }

    private func transactionID(of line: JSONLogLine) -> String {
        guard let id = line.id else { return chain.transactionID }
        return EventRules.isIdentifier(id)
            ? String(decoding: id, as: UTF8.self) : chain.transactionID(for: id)
    }

    private func customerID(
        of line: JSONLogLine, _ mapping: JSONLogMapping
    ) throws(Rejection) -> String {
        switch customer {
        case .automatic:
            try identifier((line.customer ?? [])[...], source: mapping.customer.text)
        case .host: throw .missingCustomer(source: "host")
        case .user: throw .missingCustomer(source: "user")
        case .query(let name): try customerID(inParameter: name, of: line.request)
        }
    }

    // MARK: Customers

    private func customerID(
        inParameter name: String, of request: LoggedRequest
    ) throws(Rejection) -> String {
        let values = request.values(ofParameter: name)
        guard values.count <= 1 else { throw .ambiguousCustomer(source: "query:" + name) }
        return try identifier((values.first ?? [])[...], source: "query:" + name)
    }

    /// A hyphen would be an identifier, but in a log it says that there is none.
    private func identifier(
        _ value: ArraySlice<UInt8>, source: String
    ) throws(Rejection) -> String {
        guard !value.isEmpty, value != [UInt8(ascii: "-")] else {
            throw .missingCustomer(source: source)
        }
        guard EventRules.isIdentifier(value) else { throw .badIdentifier(field: source) }
        return String(decoding: value, as: UTF8.self)
    }
}
