/// What one statement answered.
package struct PostgresResult: Sendable {
    package let rows: [PostgresRow]
    /// Rows inserted, updated, deleted, selected or copied, as the server counted them.
    package let affectedRows: Int
}

/// One row; its values are read by their column's name.
package struct PostgresRow: Sendable {
    let table: ResultTable
    let index: Int

    /// Reads a column. NULL needs an Optional.
    ///
    /// - Throws: `decoding`, naming the column and the statement, never the value.
    package func decode<T: PostgresDecodable>(
        _ column: String, as type: T.Type = T.self
    ) throws(PostgresError) -> T {
        func failure(_ problem: String) -> PostgresError {
            .decoding(column, problem, statement: table.statement)
        }
        guard let position = table.positions[column] else { throw failure("is not in the result") }
        guard position >= 0 else { throw failure("is in the result twice") }
        guard let text = table.text(row: index, column: position) else {
            guard let null = T.decodedNull else { throw failure("is NULL, not \(T.self)") }
            return null
        }
        guard let value = T.decoded(fromPostgresText: text) else {
            throw failure("does not read as \(T.self)")
        }
        return value
    }
}

/// The cells of a result, copied out of libpq into one buffer that its rows share.
final class ResultTable: Sendable {
    let statement: String
    /// Where a column stands; -1 if two have that name.
    let positions: [String: Int]
    private let columns: Int
    private let bytes: [UInt8]
    /// Per cell its first byte; one more at the end. The complement (a negative number) is NULL.
    private let starts: [Int]

    init(statement: String, names: [String], bytes: [UInt8], starts: [Int]) {
        self.statement = statement
        self.columns = names.count
        self.bytes = bytes
        self.starts = starts
        positions = Dictionary(
            names.enumerated().map { ($1, $0) }, uniquingKeysWith: { _, _ in -1 })
    }

    func text(row: Int, column: Int) -> ArraySlice<UInt8>? {
        let cell = row * columns + column
        let start = starts[cell]
        guard start >= 0 else { return nil }
        let end = starts[cell + 1]
        return bytes[start..<(end >= 0 ? end : ~end)]
    }
}
