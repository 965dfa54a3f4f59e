/// A row of an answer; values are read by the name of their column.
package struct ClickHouseRow: Sendable {
    let columns: ClickHouseColumns
    let fields: [ArraySlice<UInt8>]

    /// - Throws: `ClickHouseError` (decoding) if there is no such column, or it is NULL.
    package func string(_ column: String) throws(ClickHouseError) -> String {
        guard let text = try optionalString(column) else {
            throw .decoding("\(column) is NULL")
        }
        return text
    }

    package func optionalString(_ column: String) throws(ClickHouseError) -> String? {
        guard let index = columns.indices[column] else {
            throw .decoding("the answer has no column \(column)")
        }
        let field = fields[index]
        if field.elementsEqual([UInt8(ascii: "\\"), UInt8(ascii: "N")]) { return nil }
        return String(decoding: TabSeparated.unescape(field), as: UTF8.self)
    }

    package func int64(_ column: String) throws(ClickHouseError) -> Int64 {
        guard let number = Int64(try string(column)) else {
            throw .decoding("\(column) is no 64-bit integer")
        }
        return number
    }
}

struct ClickHouseColumns: Sendable {
    let indices: [String: Int]

    init(names: [String]) {
        indices = Dictionary(
            zip(names, names.indices), uniquingKeysWith: { first, _ in first })
    }

    var count: Int { indices.count }
}

/// Reads TabSeparatedWithNames from pieces of any size, and finds an error in the middle of it.
///
/// The server has sent status 200 by the time a query fails in mid-answer. It then writes the exception
/// into the body: since 25.11 between two lines `__exception__` with a tag announced in the header,
/// before that as a bare line `Code: N. DB::Exception: ...`.
struct TabSeparated {
    private var columns: ClickHouseColumns?
    private var pending: [UInt8] = []
    private var exception: String?

    static let exceptionMarker = Array("__exception__".utf8)

    /// Takes the next piece, and answers the rows that it completes.
    mutating func read(_ chunk: [UInt8]) throws(ClickHouseError) -> [ClickHouseRow] {
        var rows: [ClickHouseRow] = []
        pending += chunk
        var start = pending.startIndex
        while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = pending[start..<end]
            start = end + 1
            if let row = try readLine(line) { rows.append(row) }
        }
        pending.removeSubrange(..<start)
        if exception != nil {
            exception?.append(String(decoding: pending, as: UTF8.self))
            pending = []
        }
        return rows
    }

    /// The exception that the server wrote into the answer, if it did.
    var serverException: String? {
        if let exception { return exception }
        let rest = String(decoding: pending, as: UTF8.self)
        return ClickHouseError.exceptionCode(in: rest) == nil ? nil : rest
    }

    /// Whether the answer ended where a row ended, with its header read.
    var isComplete: Bool { pending.isEmpty && columns != nil }

    private mutating func readLine(
        _ line: ArraySlice<UInt8>
    ) throws(ClickHouseError) -> ClickHouseRow? {
        if exception != nil {
            exception?.append(String(decoding: line, as: UTF8.self) + "\n")
            return nil
        }
        if line.starts(with: Self.exceptionMarker) || Self.isBareException(line) {
            exception =
                line.starts(with: Self.exceptionMarker)
                ? "" : String(decoding: line, as: UTF8.self)
            return nil
        }
        let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
        guard let columns else {
            self.columns = ClickHouseColumns(
                names: fields.map { String(decoding: Self.unescape($0), as: UTF8.self) })
            return nil
        }
        // A line that is only "\r" stands before the marker of an exception.
        if line.elementsEqual([UInt8(ascii: "\r")]) && columns.count != 1 { return nil }
        guard fields.count == columns.count else {
            throw ClickHouseError.decoding(
                "a row of the answer has \(fields.count) values for \(columns.count) columns")
        }
        return ClickHouseRow(columns: columns, fields: fields)
    }

    private static func isBareException(_ line: ArraySlice<UInt8>) -> Bool {
        line.starts(with: "Code: ".utf8)
            && ClickHouseError.exceptionCode(in: String(decoding: line, as: UTF8.self)) != nil
    }

    static func unescape(_ field: ArraySlice<UInt8>) -> [UInt8] {
        guard field.contains(UInt8(ascii: "\\")) else { return Array(field) }
        var result: [UInt8] = []
        var isEscaped = false
        for byte in field {
            guard isEscaped else {
                if byte == UInt8(ascii: "\\") { isEscaped = true } else { result.append(byte) }
                continue
            }
            isEscaped = false
            switch byte {
            case UInt8(ascii: "b"): result.append(8)
            case UInt8(ascii: "f"): result.append(12)
            case UInt8(ascii: "n"): result.append(10)
            case UInt8(ascii: "r"): result.append(13)
            case UInt8(ascii: "t"): result.append(9)
            case UInt8(ascii: "0"): result.append(0)
            default: result.append(byte)
            }
        }
        return result
    }
}
