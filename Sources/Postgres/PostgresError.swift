/// What went wrong between us and Postgres, in words that are safe to log.
///
/// `description` never holds a parameter, a column's value or the URL. Postgres puts row values into
/// DETAIL ("Key (email)=(x) already exists") and, for data exceptions, between quotes into the
/// message: the first stands apart in `detail`, the second is cut out.
package struct PostgresError: Error, Sendable {
    package enum Code: Sendable, Hashable {
        /// No session could be opened: unreachable, refused, or the database does not exist.
        case connect
        /// The server did not accept who we are.
        case authentication
        /// The session died. Outside a transaction, whether the statement took effect is unknown.
        case connectionLost
        /// The server refused the statement; the SQLSTATE says why.
        case server(String)
        /// Our task was cancelled, and the statement with it.
        case cancelled
        /// Our deadline passed.
        case timeout
        /// A column is missing, NULL where it must not be, or does not read as the type asked for.
        case decoding
        /// The session died while it committed: look before doing the work again.
        case commitOutcomeUnknown
        /// The connection or the pool was closed by us.
        case closed
        /// The database's schema is not the one this program knows.
        case schema
        /// A mistake of the caller.
        case usage
    }

    package var code: Code
    /// What happened, without values.
    package var message: String
    /// The server's five characters, also where `code` says something more precise.
    package var sqlState: String?
    /// The server's DETAIL. **Holds row values: never print or log it.**
    package var detail: String?
    package var hint: String?
    package var constraint: String?
    package var table: String?
    /// The statement's first line.
    package var statement: String?

    init(_ code: Code, _ message: String, statement: String? = nil) {
        self.code = code
        self.message = message
        self.statement = statement
    }
}

extension PostgresError: CustomStringConvertible, CustomReflectable {
    package var description: String {
        var text = "postgres: \(message)"
        if let sqlState { text += " [\(sqlState)]" }
        if let constraint { text += ", constraint \(constraint)" }
        if let table { text += ", table \(table)" }
        if let hint { text += "; hint: \(hint)" }
        if let statement { text += "; in: \(statement)" }
        return text
    }

    /// Keeps `dump` and a failed expectation from printing `detail`.
    package var customMirror: Mirror {
        Mirror(self, children: ["description": description])
    }
}

extension PostgresError {
    static func connect(_ message: String) -> PostgresError {
        PostgresError(.connect, "cannot connect: \(message)")
    }

    static func connectionLost(_ message: String, statement: String? = nil) -> PostgresError {
        PostgresError(.connectionLost, "the connection is lost: \(message)", statement: statement)
    }

    static func interrupted(_ code: Code, statement: String?) -> PostgresError {
        let message =
            code == .timeout
            ? "no answer within the deadline" : "the task that asked for it was cancelled"
        return PostgresError(code, message, statement: statement)
    }

    static func commitOutcomeUnknown(_ cause: PostgresError) -> PostgresError {
        var error = cause
        error.code = .commitOutcomeUnknown
        error.message = "whether the transaction was committed is unknown: \(cause.message)"
        return error
    }

    static func closed(_ what: String) -> PostgresError {
        PostgresError(.closed, "the \(what) is closed")
    }

    static func usage(_ message: String, statement: String? = nil) -> PostgresError {
        PostgresError(.usage, message, statement: statement)
    }

    static func decoding(_ column: String, _ problem: String, statement: String) -> PostgresError {
        PostgresError(.decoding, "column \"\(column)\" \(problem)", statement: statement)
    }

    /// A value inside quotes belongs to the row, not to the log: only SQLSTATE class 22 does that.
    static func withoutValues(_ message: String, sqlState: String) -> String {
        guard sqlState.hasPrefix("22"), let first = message.firstIndex(of: "\""),
            let last = message.lastIndex(of: "\""), first < last
        else { return message }
        return message[...first] + "…" + message[last...]
    }
}

/// The name under which a statement appears in errors: its first line with text in it.
func label(of sql: String) -> String {
    let line = sql.split(whereSeparator: \.isNewline).first { line in
        line.contains { !$0.isWhitespace }
    }
    guard let line else { return "(empty)" }
    let text = line.drop { $0.isWhitespace }
    return text.count > 100 ? text.prefix(99) + "…" : String(text)
}
