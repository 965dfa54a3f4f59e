/// One thing that a customer did, as a row of the table `events`.
package struct UsageEvent: Hashable, Sendable {
    /// Unique among the events of its customer, whoever sends it and however often.
    package let transactionID: String
    package let customerID: String
    package let eventType: String
    /// When it happened, in milliseconds since 1970 UTC.
    package let timestampMilliseconds: Int64
    /// The text of a JSON object.
    package let properties: [UInt8]

    /// - Parameter timestampMilliseconds: from 1970 to the end of 2299; the parsers refuse others.
    package init(
        transactionID: String, customerID: String, eventType: String,
        timestampMilliseconds: Int64, properties: [UInt8]
    ) {
        precondition(CivilTime.supportedMilliseconds.contains(timestampMilliseconds))
        self.transactionID = transactionID
        self.customerID = customerID
        self.eventType = eventType
        self.timestampMilliseconds = timestampMilliseconds
        self.properties = properties
    }

    /// Appends the event as one line of ClickHouse's JSONEachRow.
    ///
    /// Both times are written as `YYYY-MM-DD hh:mm:ss.mmm` in UTC, which a `DateTime64(3, 'UTC')`
    /// reads exactly and under every `date_time_input_format`; a number of seconds with less than
    /// five digits would be read as a year.
    ///
    /// - Parameter ingestedAtMilliseconds: when it is written to the table, since 1970 UTC.
    package func appendJSONEachRow(
        to rows: inout [UInt8], ingestedAtMilliseconds: Int64
    ) {
        rows.append(contentsOf: #"{"transaction_id":"#.utf8)
        JSONString.append(transactionID, to: &rows)
        rows.append(contentsOf: #","customer_id":"#.utf8)
        JSONString.append(customerID, to: &rows)
        rows.append(contentsOf: #","event_type":"#.utf8)
        JSONString.append(eventType, to: &rows)
        rows.append(contentsOf: #","timestamp":""#.utf8)
        CivilTime.append(timestampMilliseconds, to: &rows)
        rows.append(contentsOf: #"","properties":"#.utf8)
        JSONString.append(properties[...], to: &rows)
        rows.append(contentsOf: #","ingested_at":""#.utf8)
        CivilTime.append(ingestedAtMilliseconds, to: &rows)
        rows.append(contentsOf: "\"}\n".utf8)
    }
}

/// What an event must keep to, whatever it is read from.
package enum EventRules {
    package static let maxIdentifierCharacters = 128
    /// In Unicode scalars, as ClickHouse's `lengthUTF8` counts.
    package static let maxStringCharacters = 1000
    /// How far a sender's clock may run ahead.
    package static let maxFutureMilliseconds: Int64 = 5 * 60 * 1000
    /// How old an event may be unless a backfill is asked for.
    package static let maxAgeMilliseconds: Int64 = 30 * 24 * 60 * 60 * 1000

    /// Whether a text may be a transaction's, a customer's or an event type's identifier: 1 to 128
    /// ASCII letters, digits, `-`, `_`, `.` or `:`.
    package static func isIdentifier(_ utf8: some Collection<UInt8>) -> Bool {
        guard 1...maxIdentifierCharacters ~= utf8.count else { return false }
        return utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: ":"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "."):
                true
            default: false
            }
        }
    }
}
