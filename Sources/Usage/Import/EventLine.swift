/// A line of an event file: one JSON object with `transaction_id`, `customer_id`, `event_type`,
/// `timestamp` in milliseconds since 1970 UTC, and `properties`, which may be left out.
package enum EventLine {
    /// - Parameters:
    ///   - nowMilliseconds: the clock against which the timestamp is judged, since 1970 UTC.
    ///   - allowBackfill: whether events over 30 days old are taken.
    package static func parse(
        _ line: InputLine, nowMilliseconds: Int64, allowBackfill: Bool
    ) throws(Rejection) -> UsageEvent {
        guard !line.isTooLong else { throw .lineTooLong }
        let document = try line.jsonObject(line.content)
        let fields = try Fields(document)
        let timestamp = try milliseconds(fields.timestamp, in: document)
        guard timestamp <= nowMilliseconds + EventRules.maxFutureMilliseconds else {
            throw .inFuture
        }
        guard allowBackfill || timestamp >= nowMilliseconds - EventRules.maxAgeMilliseconds else {
            throw .tooOld
        }
        return UsageEvent(
            transactionID: try identifier("transaction_id", fields.transactionID, in: document),
            customerID: try identifier("customer_id", fields.customerID, in: document),
            eventType: try identifier("event_type", fields.eventType, in: document),
            timestampMilliseconds: timestamp,
            properties: try properties(fields.properties, in: document))
    }

    /// The places of the five members.
    private struct Fields {
        let transactionID: Int
        let customerID: Int
        let eventType: Int
        let timestamp: Int
        let properties: Int?

        init(_ document: JSONDocument) throws(Rejection) {
            var found: [String: Int] = [:]
            for member in document.children(of: 0) {
                let key = document.key(of: member)
                switch key {
                case "transaction_id", "customer_id", "event_type", "timestamp", "properties":
                    found[key] = member
                default: throw .unknownField(key)
                }
            }
            func required(_ name: String) throws(Rejection) -> Int {
                guard let member = found[name] else { throw .missingField(name) }
                return member
            }
            transactionID = try required("transaction_id")
            customerID = try required("customer_id")
            eventType = try required("event_type")
            timestamp = try required("timestamp")
            properties = found["properties"]
        }
    }

    private static func identifier(
        _ field: String, _ member: Int, in document: JSONDocument
    ) throws(Rejection) -> String {
        guard document.nodes[member].kind == .string else {
            throw .wrongType(field: field, expected: "a string")
        }
        let value = document.stringBytes(at: member)
        guard EventRules.isIdentifier(value) else { throw .badIdentifier(field: field) }
        return String(decoding: value, as: UTF8.self)
    }

    private static func milliseconds(
        _ member: Int, in document: JSONDocument
    ) throws(Rejection) -> Int64 {
        let text = document.raw(at: member)
        let digits = text.first == UInt8(ascii: "-") ? text.dropFirst() : text
        guard document.nodes[member].kind == .number, digits.allSatisfy(\.isDigit) else {
            throw .wrongType(
                field: "timestamp", expected: "a whole number of milliseconds since 1970 UTC")
        }
        guard digits.count == text.count else {
            throw .badTimestamp(field: "timestamp", .beforeEpoch)
        }
        do {
            return try CivilTime.supported(digits.decimalValue ?? .max)
        } catch {
            throw .badTimestamp(field: "timestamp", error)
        }
    }

    private static func properties(
        _ member: Int?, in document: JSONDocument
    ) throws(Rejection) -> [UInt8] {
        guard let member else { return Array("{}".utf8) }
        guard document.nodes[member].kind == .object else {
            throw .wrongType(field: "properties", expected: "an object")
        }
        let limit = EventRules.maxStringCharacters
        for node in member..<document.nodes[member].end
        where document.nodes[node].kind == .string
            && document.nodes[node].span.count - 2 > limit
        {
            guard document.string(at: node).unicodeScalars.count <= limit else {
                let key =
                    document.nodes[node].keySpan == nil ? "in an array" : document.key(of: node)
                throw .stringTooLong(field: key)
            }
        }
        return ExactNumbers.preserve(in: document, at: member)
    }
}

/// Imports an event file.
package struct EventImporter: LineImporter {
    package private(set) var counts = ImportCounts()
    private let nowMilliseconds: Int64
    private let allowBackfill: Bool

    package init(nowMilliseconds: Int64, allowBackfill: Bool) {
        self.nowMilliseconds = nowMilliseconds
        self.allowBackfill = allowBackfill
    }

    package mutating func feed(_ line: InputLine) -> ImportOutcome {
        let outcome = outcome(of: line)
        counts.add(outcome)
        return outcome
    }

    private func outcome(of line: InputLine) -> ImportOutcome {
        guard line.isTooLong || !line.content.isEmpty else { return .blank }
        do {
            return .event(
                try EventLine.parse(
                    line, nowMilliseconds: nowMilliseconds, allowBackfill: allowBackfill))
        } catch {
            return line.rejected(error)
        }
    }
}
