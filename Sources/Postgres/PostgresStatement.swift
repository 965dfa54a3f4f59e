/// A statement and the values bound to its `$1`, `$2`, …
package struct PostgresStatement: Sendable {
    package let sql: String
    package let parameters: [(any PostgresEncodable)?]

    package init(_ sql: String, _ parameters: [(any PostgresEncodable)?] = []) {
        self.sql = sql
        self.parameters = parameters
    }
}

/// Parameters in the shape libpq takes: pointers, types, lengths and formats side by side.
struct EncodedParameters {
    private static let byteaType: UInt32 = 17

    private var bytes: [UInt8] = []
    /// Where each parameter starts in `bytes`; nil is NULL.
    private var starts: [Int?] = []
    private var types: [UInt32] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    /// - Throws: `usage` for a text with a NUL character, which C would silently cut off.
    init(_ statement: PostgresStatement) throws(PostgresError) {
        for (index, parameter) in statement.parameters.enumerated() {
            switch parameter?.postgresParameter ?? .null {
            case .null:
                append(start: nil, length: 0, type: 0, format: 0)
            case .text(let text):
                let start = bytes.count
                bytes.append(contentsOf: text.utf8)
                guard !bytes[start...].contains(0) else {
                    throw .usage(
                        "parameter $\(index + 1) holds a NUL character, which no text may",
                        statement: label(of: statement.sql))
                }
                append(start: start, length: bytes.count - start, type: 0, format: 0)
                bytes.append(0)
            case .bytes(let value):
                append(
                    start: bytes.count, length: value.count, type: Self.byteaType, format: 1)
                bytes.append(contentsOf: value)
                bytes.append(0)
            }
        }
    }

    private mutating func append(start: Int?, length: Int, type: UInt32, format: Int32) {
        starts.append(start)
        types.append(type)
        lengths.append(Int32(length))
        formats.append(format)
    }

    /// Lends the arrays for the time of one call into libpq.
    func withPointers<R>(
        _ body: (
            _ count: Int32, _ types: [UInt32], _ values: [UnsafePointer<CChar>?],
            _ lengths: [Int32], _ formats: [Int32]
        ) -> R
    ) -> R {
        bytes.withUnsafeBytes { buffer in
            let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
            let values = starts.map { start in start.flatMap { base?.advanced(by: $0) } }
            return body(Int32(starts.count), types, values, lengths, formats)
        }
    }
}
