internal import HTTP

/// What went wrong between us and ClickHouse.
package struct ClickHouseError: Error, Sendable, CustomStringConvertible {
    package enum Code: Sendable, Equatable {
        /// The URL of the server cannot be used.
        case configuration
        /// The server could not be reached, or the connection broke.
        case unreachable
        /// The server refused user or password.
        case authentication
        /// The server refused or ended the query; its own error code (`system.errors`).
        case server(code: Int)
        /// The answer ended before it was complete.
        case truncated
        /// The answer is not what was asked for: a column is missing, a value cannot be read.
        case decoding
        case cancelled
    }

    package let code: Code
    package let message: String
    package let queryID: String?
    package let underlying: (any Error)?

    package var description: String {
        "ClickHouse: \(message)" + (queryID.map { " (query \($0))" } ?? "")
    }

    static func configuration(_ message: String) -> Self {
        Self(code: .configuration, message: message, queryID: nil, underlying: nil)
    }

    static func transport(_ error: HTTPError, queryID: String) -> Self {
        let code: Code =
            switch error.code {
            case .cancelled: .cancelled
            case .truncated: .truncated
            case .invalidRequest: .configuration
            default: .unreachable
            }
        return Self(code: code, message: "\(error)", queryID: queryID, underlying: error)
    }

    static func truncated(_ what: String, queryID: String) -> Self {
        Self(
            code: .truncated, message: "the answer broke off: \(what)", queryID: queryID,
            underlying: nil)
    }

    package static func decoding(_ what: String) -> Self {
        Self(code: .decoding, message: what, queryID: nil, underlying: nil)
    }

    /// A proxy, or something else in the server's place, refused the request.
    static func notClickHouse(status: Int, queryID: String) -> Self {
        Self(
            code: .unreachable,
            message: "answered with HTTP status \(status), and not by ClickHouse",
            queryID: queryID, underlying: nil)
    }

    /// From the server's own words: `Code: 62. DB::Exception: Syntax error: ... (SYNTAX_ERROR)`.
    static func server(code: Int?, text: String, queryID: String) -> Self {
        let number = code ?? exceptionCode(in: text) ?? 0
        let text = text.split(separator: "\n").first.map(String.init) ?? text
        let message = String(text.prefix(1000))
        switch number {
        case 516, 192, 193, 194:
            return Self(
                code: .authentication,
                message: "user or password refused; check CLICKHOUSE_URL (code \(number))",
                queryID: queryID, underlying: nil)
        case _ where dataErrors.contains(number):
            // The server quotes what it cannot read, which is somebody's data.
            let row = text.firstMatch(of: /at row (\d+)/).map { " (at row \($0.1))" } ?? ""
            return Self(
                code: .server(code: number),
                message:
                    "Code: \(number). DB::Exception: the data cannot be read as what it should be\(row)",
                queryID: queryID, underlying: nil)
        default:
            return Self(
                code: .server(code: number), message: message, queryID: queryID, underlying: nil)
        }
    }

    /// CANNOT_PARSE_TEXT, _ESCAPE_SEQUENCE, _QUOTED_STRING, _INPUT_ASSERTION_FAILED, _DATE, _DATETIME,
    /// _NUMBER, CANNOT_READ_ALL_DATA, INCORRECT_DATA.
    private static let dataErrors: Set<Int> = [6, 25, 26, 27, 33, 38, 41, 72, 117]

    /// The number in `Code: N. DB::Exception`, if the text holds one.
    static func exceptionCode(in text: String) -> Int? {
        text.firstMatch(of: exceptionStart).flatMap { Int($0.1) }
    }

    static var exceptionStart: Regex<(Substring, Substring)> { /Code: (\d+)\. DB::/ }
}
