internal import Usage

/// Why a file of series cannot be read, and where.
package struct SeriesFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// From 1.
    package let lineNumber: Int
    /// Nil if it is about the whole line.
    package let column: String?
    package let reason: String

    package var description: String {
        "line \(lineNumber)" + (column.map { ", column \($0)" } ?? "") + ": \(reason)"
    }
}

/// Hourly series by name, in the order in which they first appear.
///
/// A file is taken as dense: an hour without rows is missing, and a zero is a zero. Rows of one hour are
/// summed. Where a series has several rows an hour, its last hour is missing if it has fewer rows than
/// most before it: it was not over when the file was written.
package struct SeriesFile: Sendable {
    package struct Series: Sendable {
        package let name: String
        package fileprivate(set) var firstHour = Hour(0)
        fileprivate var sums: [Double] = []
        fileprivate var rows: [UInt32] = []

        /// From the first hour with rows to the last; nil where an hour is missing.
        package var hours: Range<Int> { sums.indices }

        package subscript(offset: Int) -> Double? { rows[offset] > 0 ? sums[offset] : nil }

        /// Whether an hour has rows, though it may not be complete.
        package func hasRows(_ offset: Int) -> Bool { rows[offset] > 0 }

        /// Whether the hour has rows, but goes on after the file.
        package func isPartial(_ offset: Int) -> Bool {
            offset == rows.count - 1 && rows[offset] < usualRows
        }

        /// Of the hours before the last.
        private(set) fileprivate var usualRows: UInt32 = 1

        fileprivate mutating func finish() {
            let counts = rows.dropLast().filter { $0 > 0 }.sorted()
            if !counts.isEmpty { usualRows = counts[counts.count / 2] }
        }

        /// Adds to an hour; false if it lies absurdly far from the others.
        fileprivate mutating func add(_ value: Double, _ hour: Hour) -> Bool {
            if sums.isEmpty { firstHour = hour }
            var offset = hour - firstHour
            guard abs(offset) < SeriesFile.longestHours,
                sums.count - offset < SeriesFile.longestHours
            else { return false }
            if offset < 0 {
                sums.insert(contentsOf: repeatElement(0, count: -offset), at: 0)
                rows.insert(contentsOf: repeatElement(0, count: -offset), at: 0)
                (firstHour, offset) = (hour, 0)
            }
            if offset >= sums.count {
                let missing = offset + 1 - sums.count
                sums.append(contentsOf: repeatElement(0, count: missing))
                rows.append(contentsOf: repeatElement(0, count: missing))
            }
            sums[offset] += value
            rows[offset] &+= 1
            return sums[offset].isFinite
        }
    }

    /// A series spans at most ten years.
    fileprivate static let longestHours = 10 * 366 * 24

    package private(set) var series: [Series] = []
    private var indexByName: [[UInt8]: Int] = [:]
    private var latest: (name: [UInt8], index: Int)?

    /// Reads `series,timestamp,value`, the columns in any order; timestamps are RFC 3339.
    ///
    /// - Parameter descriptor: read to its end; it stays open.
    package init(descriptor: Int32) throws {
        var reader = LineReader(descriptor: descriptor)
        var table = CSVLines(["series", "timestamp", "value"])
        while let line = try reader.next() {
            guard let fields = try table.fields(line) else { continue }
            let index = try seriesIndex(fields[0], line.number)
            let hour = try Self.hour(fields[1], "timestamp", line.number)
            let value = try Self.value(fields[2], line.number)
            guard series[index].add(value, hour) else {
                throw SeriesFileError(
                    lineNumber: line.number, column: nil,
                    reason: "a series spans at most ten years, and its sums are finite")
            }
        }
        try table.finish()
        for index in series.indices { series[index].finish() }
    }

    private mutating func seriesIndex(_ name: ArraySlice<UInt8>, _ line: Int) throws -> Int {
        if let latest, latest.name.elementsEqual(name) { return latest.index }
        let bytes = Array(name)
        let index: Int
        if let known = indexByName[bytes] {
            index = known
        } else {
            guard !bytes.isEmpty, let text = String(validating: bytes, as: UTF8.self) else {
                throw SeriesFileError(
                    lineNumber: line, column: "series", reason: "is empty or not UTF-8")
            }
            index = series.count
            series.append(Series(name: text))
            indexByName[bytes] = index
        }
        latest = (bytes, index)
        return index
    }

    static func hour(_ text: ArraySlice<UInt8>, _ column: String, _ line: Int) throws -> Hour {
        Hour(Int(try milliseconds(text, column, line) / 3_600_000))
    }

    static func milliseconds(_ text: ArraySlice<UInt8>, _ column: String, _ line: Int) throws
        -> Int64
    {
        do {
            return try TimestampFormat.rfc3339.milliseconds(text)
        } catch {
            throw SeriesFileError(
                lineNumber: line, column: column,
                reason: "is no instant from 1970 on such as 2026-11-22T11:00:00Z")
        }
    }

    /// A plain or scientific decimal; Swift's own reading would also take `nan` and hexadecimals.
    private static func value(_ text: ArraySlice<UInt8>, _ line: Int) throws -> Double {
        let isPlain = text.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "+"),
                UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"):
                true
            default: false
            }
        }
        guard isPlain, let value = Double(String(decoding: text, as: UTF8.self)), value.isFinite
        else {
            throw SeriesFileError(
                lineNumber: line, column: "value", reason: "is no finite number such as 12.5")
        }
        return value
    }
}
