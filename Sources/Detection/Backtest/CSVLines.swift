internal import Usage

/// Takes CSV with a header line by line, for files too large to hold: fields may be quoted, but not
/// contain line ends.
struct CSVLines {
    private let names: [String]
    /// For each name, where its column stands in the file; nil before the header.
    private var positions: [Int]?
    private var columnCount = 0
    private var fields: [ArraySlice<UInt8>] = []
    private var lastLine = 1

    init(_ names: [String]) {
        self.names = names
    }

    /// The fields of a line in the order of the names; nil for the header and an empty line.
    mutating func fields(_ line: InputLine) throws -> [ArraySlice<UInt8>]? {
        lastLine = line.number
        guard !line.isTooLong else { throw failure("the line is too long") }
        var bytes = line.bytes[...]
        if line.number == 1, bytes.starts(with: [0xEF, 0xBB, 0xBF]) { bytes = bytes.dropFirst(3) }
        if bytes.last == 0x0D { bytes = bytes.dropLast() }
        if bytes.isEmpty { return nil }
        try split(bytes)
        guard let positions else {
            try takeHeader()
            return nil
        }
        guard fields.count == columnCount else {
            throw failure("the row has \(fields.count) fields, the header \(columnCount)")
        }
        return positions.map { fields[$0] }
    }

    func finish() throws {
        guard positions != nil else {
            throw failure("there is no header; write \(names.joined(separator: ",")) first")
        }
    }

    private mutating func takeHeader() throws {
        let header = fields.map { String(decoding: $0, as: UTF8.self) }
        columnCount = header.count
        positions = try names.map { name in
            let places = header.indices.filter { header[$0] == name }
            guard places.count == 1 else {
                throw SeriesFileError(
                    lineNumber: lastLine, column: name,
                    reason: places.isEmpty ? "is missing; add it" : "stands twice; remove one")
            }
            return places[0]
        }
    }

    private mutating func split(_ bytes: ArraySlice<UInt8>) throws {
        fields.removeAll(keepingCapacity: true)
        var start = bytes.startIndex
        var position = start
        while position < bytes.endIndex {
            switch bytes[position] {
            case UInt8(ascii: ","):
                fields.append(bytes[start..<position])
                position += 1
                start = position
            case UInt8(ascii: "\""):
                guard position == start else { throw failure("a quote stands inside a field") }
                position = try takeQuoted(bytes, position + 1)
                if position == bytes.endIndex { return }
                position += 1
                start = position
            default: position += 1
            }
        }
        fields.append(bytes[start...])
    }

    /// Appends the quoted field that begins here, and returns where its comma stands.
    private mutating func takeQuoted(_ bytes: ArraySlice<UInt8>, _ start: Int) throws -> Int {
        var content: [UInt8] = []
        var position = start
        while position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") {
                let next = position < bytes.endIndex ? bytes[position] : UInt8(ascii: ",")
                if next == UInt8(ascii: ",") {
                    fields.append(content[...])
                    return position
                }
                guard next == byte else { throw failure("a quote stands inside a field") }
                position += 1
            }
            content.append(byte)
        }
        throw failure("the quote that opens here is not closed")
    }

    private func failure(_ reason: String) -> SeriesFileError {
        SeriesFileError(lineNumber: lastLine, column: nil, reason: reason)
    }
}
