/// One question: the text, and everything that is passed to it.
///
/// Values are bound (`{name:Type}` in the text), never written into the text.
package struct ClickHouseQuery: Sendable {
    package var sql: String
    package var parameters: [String: ClickHouseValue]
    /// Settings of this query alone, such as `max_memory_usage` (bytes).
    package var settings: [String: String]
    /// Whether the server may work on it for more than five minutes without a word.
    package var mayTakeLong = false

    package init(
        _ sql: String, parameters: [String: ClickHouseValue] = [:], settings: [String: String] = [:]
    ) {
        self.sql = sql
        self.parameters = parameters
        self.settings = settings
    }
}

/// A value bound to a query. The type that the text names must fit: `String`, `Int64`, `Array(String)`, `Array(Int64)`.
package enum ClickHouseValue: Sendable, Equatable {
    case string(String)
    case integer(Int64)
    case strings([String])
    case integers([Int64])

    /// As a query parameter is written: escaped as in TabSeparated, strings within arrays in quotes too.
    var parameterText: String {
        switch self {
        case .string(let text): Self.escaped(text, quote: false)
        case .integer(let number): String(number)
        case .integers(let numbers):
            "[" + numbers.map(String.init).joined(separator: ",") + "]"
        case .strings(let texts):
            "[" + texts.map { "'\(Self.escaped($0, quote: true))'" }.joined(separator: ",") + "]"
        }
    }

    private static func escaped(_ text: String, quote: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\t": result += "\\t"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\0": result += "\\0"
            case "'" where quote: result += "\\'"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
