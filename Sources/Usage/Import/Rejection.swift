/// Why a line is not taken as an event.
///
/// The sentences name fields, never values: a log's customer may be an API key.
package enum Rejection: Error, Hashable, Sendable, CustomStringConvertible {
    case badJSON(JSONError)
    case notAnObject
    case unknownField(String)
    case missingField(String)
    case wrongType(field: String, expected: String)
    case badIdentifier(field: String)
    case stringTooLong(field: String)
    case badTimestamp(field: String, TimestampFault)
    case inFuture
    case tooOld
    case malformedLine(LogField)
    case missingCustomer(source: String)
    case ambiguousCustomer(source: String)
    case lineTooLong
    case incompleteLastLine

    /// The part of an access-log line that cannot be read.
    package enum LogField: String, Hashable, Sendable {
        case host, user, time, request, status, bytes
    }

    /// Stable across versions: counts and scripts go by it.
    package var code: String {
        switch self {
        case .badJSON(let error):
            if case .duplicateKey = error.fault { "duplicate_key" } else { "bad_json" }
        case .notAnObject: "not_an_object"
        case .unknownField: "unknown_field"
        case .missingField: "missing_field"
        case .wrongType: "wrong_type"
        case .badIdentifier: "bad_identifier"
        case .stringTooLong: "string_too_long"
        case .badTimestamp(_, .leapSecond): "leap_second"
        case .badTimestamp: "bad_timestamp"
        case .inFuture: "in_future"
        case .tooOld: "too_old"
        case .malformedLine: "malformed_line"
        case .missingCustomer: "missing_customer"
        case .ambiguousCustomer: "ambiguous_customer"
        case .lineTooLong: "line_too_long"
        case .incompleteLastLine: "incomplete_last_line"
        }
    }

    /// What is wrong, and what to do about it.
    package var description: String {
        switch self {
        case .badJSON(let error):
            return "\(error); write one valid JSON object a line"
        case .notAnObject:
            return "the line is JSON but no object; write one object a line"
        case .unknownField(let name):
            return "the field \(quoted(name)) is not known; remove it, or move it into properties"
        case .missingField(let name):
            return "the field \(quoted(name)) is missing; add it, or map the field to another one"
        case .wrongType(let field, let expected):
            return "the field \(quoted(field)) must be \(expected)"
        case .badIdentifier(let field):
            return "the \(quoted(field)) must be 1 to \(EventRules.maxIdentifierCharacters)"
                + " letters, digits, '-', '_', '.' or ':'; rename it at its source"
        case .stringTooLong(let field):
            return "the string \(quoted(field)) in properties is longer than"
                + " \(EventRules.maxStringCharacters) characters; shorten it"
        case .badTimestamp(let field, let fault):
            return "the \(quoted(field)) \(sentence(fault))"
        case .inFuture:
            return "the event is more than 5 minutes in the future; set the sender's clock,"
                + " and check that the timestamp is in the unit that is expected"
        case .tooOld:
            return "the event is more than 30 days old; if it is meant to be late,"
                + " pass --allow-backfill"
        case .malformedLine(let field):
            return "the \(field.rawValue) cannot be read; \(advice(field))"
        case .missingCustomer(let source):
            return "the line names no customer in \(quoted(source)); choose another customer"
                + " field if such requests are to be billed"
        case .ambiguousCustomer(let source):
            return "\(quoted(source)) stands twice in the request, and which of them the server"
                + " took is not known; choose another customer field"
        case .lineTooLong:
            return "the line is longer than \(LineReader.maxLineBytes) bytes; split it"
        case .incompleteLastLine:
            return "the last line has no newline and may be cut off: the writer may still be at"
                + " it; importing the file again later takes it up"
        }
    }

    private func quoted(_ name: String) -> String { "\"\(excerpt(name))\"" }

    private func sentence(_ fault: TimestampFault) -> String {
        switch fault {
        case .notInFormat: "is not in the format that is expected; name the format it is in"
        case .noSuchInstant: "is a date, time or offset that does not exist; correct it"
        case .leapSecond: "is a leap second, for which there is no instant; write second 59"
        case .beforeEpoch: "is before 1970; check its unit"
        case .tooLate: "is after the year 2299; check its unit"
        }
    }

    private func advice(_ field: LogField) -> String {
        switch field {
        case .host, .user: "name the format that the log is in"
        case .time: "it must look like [17/May/2015:10:05:03 +0000]"
        case .request: "it must stand in quotes, with quotes in it written as \\\""
        case .status: "it must be three digits from 100 to 599"
        case .bytes: "it must be a whole number or '-', followed in the combined format by more"
        }
    }
}
