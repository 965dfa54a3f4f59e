/// A row of a CSV file, by the names of its columns.
package struct CSVRow: Hashable, Sendable {
    /// The line on which the row begins, from 1; a quoted field may span several.
    package let lineNumber: Int
    private let columns: [String: Int]
    private let fields: [String]

    init(lineNumber: Int, columns: [String: Int], fields: [String]) {
        self.lineNumber = lineNumber
        self.columns = columns
        self.fields = fields
    }

    /// The field in a column; nil if the file does not have the column.
    package subscript(column: String) -> String? { columns[column].map { fields[$0] } }
}

/// Why a file is no CSV with the columns that are asked for, and where.
package struct CSVError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Fault: Hashable, Sendable {
        case empty
        case notUTF8
        case strayQuote
        case strayCarriageReturn
        case unterminatedQuote
        case raggedRow(fields: Int, expected: Int)
        case unknownColumn(String, known: [String])
        case missingColumn(String)
        case duplicateColumn(String)
    }

    package let fault: Fault
    /// From 1.
    package let lineNumber: Int

    package var description: String { "line \(lineNumber): \(reason)" }

    private var reason: String {
        switch fault {
        case .empty: "there is no header; write the names of the columns first"
        case .notUTF8: "the text is not UTF-8; save the file as UTF-8"
        case .strayQuote:
            "a quote stands inside a field; put the field in quotes and double those in it"
        case .strayCarriageReturn:
            "a carriage return ends no line; save the file with LF or CRLF line ends"
        case .unterminatedQuote: "the quote that opens here is not closed"
        case .raggedRow(let fields, let expected):
            "the row has \(fields) fields, the header \(expected); add or remove commas"
        case .unknownColumn(let name, let known):
            "the column \"\(excerpt(name))\" is not known; known are"
                + " \(known.joined(separator: ", "))"
        case .missingColumn(let name): "the column \"\(name)\" is missing; add it"
        case .duplicateColumn(let name):
            "the column \"\(excerpt(name))\" stands twice; remove one"
        }
    }
}

/// Reads CSV by RFC 4180 with a header, in UTF-8; a lone LF ends a line too, a byte order mark is
/// passed over, and so are empty lines.
package struct CSVReader {
    private let bytes: ArraySlice<UInt8>
    private var position: Int
    private var lineNumber = 1

    /// All rows of a file.
    ///
    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - required: columns that the header must name; the order is free.
    ///   - optional: columns that it may name. Any other is an error: a typing mistake in an
    ///     optional column would else go unnoticed.
    package static func rows(
        in bytes: [UInt8], required: [String], optional: [String] = []
    ) throws(CSVError) -> [CSVRow] {
        var reader = CSVReader(bytes)
        guard let header = try reader.nextRecord() else { throw reader.failure(.empty) }
        let columns = try columns(header, required: required, optional: optional)
        var rows: [CSVRow] = []
        while let record = try reader.nextRecord() {
            guard record.fields.count == header.fields.count else {
                throw CSVError(
                    fault: .raggedRow(fields: record.fields.count, expected: header.fields.count),
                    lineNumber: record.lineNumber)
            }
            rows.append(
                CSVRow(lineNumber: record.lineNumber, columns: columns, fields: record.fields))
        }
        return rows
    }

    private struct Record {
        let lineNumber: Int
        var fields: [String] = []
    }

    private init(_ bytes: [UInt8]) {
        self.bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        position = self.bytes.startIndex
    }

    private static func columns(
        _ header: Record, required: [String], optional: [String]
    ) throws(CSVError) -> [String: Int] {
        let known = required + optional
        var columns: [String: Int] = [:]
        func failure(_ fault: CSVError.Fault) -> CSVError {
            CSVError(fault: fault, lineNumber: header.lineNumber)
        }
        for (index, name) in header.fields.enumerated() {
            guard known.contains(name) else { throw failure(.unknownColumn(name, known: known)) }
            guard columns.updateValue(index, forKey: name) == nil else {
                throw failure(.duplicateColumn(name))
            }
        }
        for name in required where columns[name] == nil { throw failure(.missingColumn(name)) }
        return columns
    }

    private mutating func nextRecord() throws(CSVError) -> Record? {
        while try takeLineEnd() {}
        guard position < bytes.endIndex else { return nil }
        var record = Record(lineNumber: lineNumber)
        while true {
            record.fields.append(try nextField())
            if position == bytes.endIndex { return record }
            if try takeLineEnd() { return record }
            position += 1  // the comma
        }
    }

    /// Reads a field up to the comma, line end or end of the file behind it.
    private mutating func nextField() throws(CSVError) -> String {
        if position < bytes.endIndex, bytes[position] == UInt8(ascii: "\"") {
            return try quotedField()
        }
        let start = position
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: ","), 0x0A, 0x0D: return try text(bytes[start..<position])
            case UInt8(ascii: "\""): throw failure(.strayQuote)
            default: position += 1
            }
        }
        return try text(bytes[start..<position])
    }

    private mutating func quotedField() throws(CSVError) -> String {
        let opening = lineNumber
        var content: [UInt8] = []
        position += 1
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                guard position < bytes.endIndex else { return try text(content[...]) }
                switch bytes[position] {
                case UInt8(ascii: ","), 0x0A, 0x0D: return try text(content[...])
                case UInt8(ascii: "\""): position += 1
                default: throw failure(.strayQuote)
                }
            } else if byte == 0x0A {
                lineNumber += 1
            }
            content.append(byte)
        }
        throw CSVError(fault: .unterminatedQuote, lineNumber: opening)
    }

    private mutating func takeLineEnd() throws(CSVError) -> Bool {
        guard position < bytes.endIndex else { return false }
        if bytes[position] == 0x0D {
            guard position + 1 < bytes.endIndex, bytes[position + 1] == 0x0A else {
                throw failure(.strayCarriageReturn)
            }
            position += 1
        }
        guard bytes[position] == 0x0A else { return false }
        position += 1
        lineNumber += 1
        return true
    }

    private func text(_ utf8: ArraySlice<UInt8>) throws(CSVError) -> String {
        guard let text = String(validating: utf8, as: UTF8.self) else { throw failure(.notUTF8) }
        return text
    }

    private func failure(_ fault: CSVError.Fault) -> CSVError {
        CSVError(fault: fault, lineNumber: lineNumber)
    }
}
