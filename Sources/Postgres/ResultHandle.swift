internal import CLibpq

/// The one owner of a `PGresult`.
struct ResultHandle: ~Copyable {
    let pointer: OpaquePointer

    deinit {
        PQclear(pointer)
    }

    var status: ExecStatusType { PQresultStatus(pointer) }

    /// `INSERT`, `COMMIT`, …: the command without its counts.
    var command: String {
        let tag = String(cString: PQcmdStatus(pointer))
        return tag.split(separator: " ").first.map(String.init) ?? tag
    }

    var affectedRows: Int { Int(String(cString: PQcmdTuples(pointer))) ?? 0 }

    /// Copies the rows out of libpq.
    func copied(statement: String) -> PostgresResult {
        let rows = PQntuples(pointer)
        let columns = PQnfields(pointer)
        let names = (0..<columns).map { String(cString: PQfname(pointer, $0)) }
        var bytes: [UInt8] = []
        var starts: [Int] = []
        starts.reserveCapacity(Int(rows) * Int(columns) + 1)
        for row in 0..<rows {
            for column in 0..<columns {
                if PQgetisnull(pointer, row, column) == 1 {
                    starts.append(~bytes.count)
                } else {
                    starts.append(bytes.count)
                    let length = Int(PQgetlength(pointer, row, column))
                    let cell = UnsafeRawBufferPointer(
                        start: PQgetvalue(pointer, row, column), count: length)
                    bytes.append(contentsOf: cell)
                }
            }
        }
        starts.append(bytes.count)
        let table = ResultTable(statement: statement, names: names, bytes: bytes, starts: starts)
        return PostgresResult(
            rows: (0..<Int(rows)).map { PostgresRow(table: table, index: $0) },
            affectedRows: affectedRows)
    }

    // MARK: Errors

    /// The `PG_DIAG_` codes, which are character macros that Swift does not import.
    enum Field: UnicodeScalar {
        case severity = "V"
        case sqlState = "C"
        case message = "M"
        case detail = "D"
        case hint = "H"
        case table = "t"
        case constraint = "n"
    }

    static func field(_ field: Field, of result: OpaquePointer) -> String? {
        PQresultErrorField(result, Int32(field.rawValue.value)).map { String(cString: $0) }
    }

    /// Whether the server ends the session with this error.
    var isFatal: Bool {
        let severity = Self.field(.severity, of: pointer)
        return severity == "FATAL" || severity == "PANIC"
    }

    /// The server's error, under the name of the statement that caused it.
    func error(statement: String?) -> PostgresError {
        guard let sqlState = Self.field(.sqlState, of: pointer) else {
            // Made by libpq itself: the connection broke.
            let text = String(cString: PQresultErrorMessage(pointer))
            let line = text.split(whereSeparator: \.isNewline).first.map(String.init)
            return .connectionLost(line ?? "the server hung up", statement: statement)
        }
        let message = Self.field(.message, of: pointer) ?? "no message"
        var error = PostgresError(
            .server(sqlState), PostgresError.withoutValues(message, sqlState: sqlState),
            statement: statement)
        error.sqlState = sqlState
        error.detail = Self.field(.detail, of: pointer)
        error.hint = Self.field(.hint, of: pointer)
        error.table = Self.field(.table, of: pointer)
        error.constraint = Self.field(.constraint, of: pointer)
        if isFatal { error.code = .connectionLost }
        return error
    }
}
