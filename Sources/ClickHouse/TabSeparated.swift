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
    let count: Int

    init(names: [String]) {
        indices = Dictionary(
            zip(names, names.indices), uniquingKeysWith: { first, _ in first })
        count = names.count
    }
}

/// Reads TabSeparatedWithNames from pieces of any size, and finds an error in the middle of it.
///
/// The server has sent status 200 by the time a query fails in mid-answer, and writes the exception into
/// the body, perhaps behind half a row. Since 25.11 it frames it:
/// `\r\n__exception__\r\n<tag>\r\n<message>\n<length> <tag>\r\n__exception__\r\n`, the tag announced in a
/// header. No row can be taken for that, since rows escape their `\r`. Older servers write the bare
/// text, `Code: N. DB::Exception: ...`, which a row could contain: it is looked for only where no tag was
/// announced, and in doubt it is an error.
struct TabSeparated {
    private let exceptionTag: String?
    private var columns: ClickHouseColumns?
    private var pending: [UInt8] = []
    /// What stands where the next row should, from the line on in which the exception begins.
    private var ending: [UInt8]?

    private static let maximumEndingBytes = 65_536

    /// - Parameter exceptionTag: the header `X-ClickHouse-Exception-Tag` of the answer.
    init(exceptionTag: String?) {
        self.exceptionTag = exceptionTag
    }

    /// Takes the next piece, and answers the rows that it completes.
    mutating func read(_ chunk: [UInt8]) throws(ClickHouseError) -> [ClickHouseRow] {
        guard ending == nil else {
            keepEnding(chunk[...])
            return []
        }
        var rows: [ClickHouseRow] = []
        pending += chunk
        var start = pending.startIndex
        while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let line = pending[start..<end]
            let fields = line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            if line.last == UInt8(ascii: "\r") || isBareException(line, fields: fields.count) {
                keepEnding(pending[start...])
                start = pending.endIndex
                break
            }
            if let row = try readRow(fields) { rows.append(row) }
            start = end + 1
        }
        pending.removeSubrange(..<start)
        return rows
    }

    /// The exception that the server wrote into the answer, if it did.
    var serverException: String? {
        let lines = (ending ?? pending)
            .split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            .map {
                String(decoding: $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0, as: UTF8.self)
            }
        let text: String
        if let marker = lines.firstIndex(of: "__exception__"),
            let tag = lines[marker...].dropFirst().first,
            exceptionTag == nil || tag == exceptionTag
        {
            text = lines[(marker + 2)...].prefix { !$0.hasSuffix(" \(tag)") }.joined(
                separator: "\n")
        } else if exceptionTag == nil {
            text = lines.joined(separator: "\n")
        } else {
            return nil
        }
        return text.firstRange(of: ClickHouseError.exceptionStart).map {
            String(text[$0.lowerBound...])
        }
    }

    /// Whether the answer ended where a row ended, with its header read.
    var isComplete: Bool { pending.isEmpty && ending == nil && columns != nil }

    private mutating func keepEnding(_ bytes: ArraySlice<UInt8>) {
        let kept = ending ?? []
        ending = kept + bytes.prefix(Self.maximumEndingBytes - kept.count)
    }

    private mutating func readRow(
        _ fields: [ArraySlice<UInt8>]
    ) throws(ClickHouseError) -> ClickHouseRow? {
        guard let columns else {
            self.columns = ClickHouseColumns(
                names: fields.map { String(decoding: Self.unescape($0), as: UTF8.self) })
            return nil
        }
        guard fields.count == columns.count else {
            throw ClickHouseError.decoding(
                "a row of the answer has \(fields.count) values for \(columns.count) columns")
        }
        return ClickHouseRow(columns: columns, fields: fields)
    }

    /// Whether an older server's exception begins in this line: in the place of a row, or behind the
    /// first half of one, where it may complete the number of values.
    private func isBareException(_ line: ArraySlice<UInt8>, fields: Int) -> Bool {
        guard exceptionTag == nil else { return false }
        let text = { String(decoding: line, as: UTF8.self) }
        guard let columns, columns.count == fields else {
            return text().contains(ClickHouseError.exceptionStart)
        }
        if line.last == UInt8(ascii: ")"),
            text().contains(/Code: \d+\. DB::.* \(version [^\t]*\)$/)
        {
            return true
        }
        return fields == 1 && line.starts(with: "Code: ".utf8)
            && text().starts(with: ClickHouseError.exceptionStart)
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
