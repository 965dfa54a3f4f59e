/// Reads RowBinary: values one after another, integers little endian, lengths as LEB128.
///
/// https://clickhouse.com/docs/interfaces/formats/RowBinary
package struct RowBinaryReader: ~Copyable {
    @usableFromInline let bytes: [UInt8]
    @usableFromInline var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }

    @inlinable package mutating func integer<Value: FixedWidthInteger>(
        _: Value.Type = Value.self
    ) throws(ClickHouseError) -> Value {
        let start = try skip(MemoryLayout<Value>.size)
        return bytes.withUnsafeBytes {
            Value(littleEndian: $0.loadUnaligned(fromByteOffset: start, as: Value.self))
        }
    }

    package mutating func double() throws(ClickHouseError) -> Double {
        Double(bitPattern: try integer())
    }

    /// A `String`'s bytes.
    package mutating func text() throws(ClickHouseError) -> ArraySlice<UInt8> {
        let count = try length()
        let start = try skip(count)
        return bytes[start..<start + count]
    }

    /// How many bytes, or elements of an array, follow.
    package mutating func length() throws(ClickHouseError) -> Int {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        while true {
            let byte = UInt64(try integer(UInt8.self))
            guard shift < 63 else { throw .decoding("a length of the answer is none") }
            value |= (byte & 0x7F) << shift
            if byte < 0x80 { return Int(truncatingIfNeeded: value) }
            shift += 7
        }
    }

    @usableFromInline mutating func skip(_ count: Int) throws(ClickHouseError) -> Int {
        guard count >= 0, count <= bytes.count - position else {
            throw .decoding("the answer ends in the middle of a row")
        }
        defer { position += count }
        return position
    }
}

/// Writes RowBinary for an insert.
package struct RowBinaryWriter: Sendable {
    @usableFromInline package private(set) var bytes: [UInt8] = []

    package init() {}

    /// Makes room for so many bytes more.
    package mutating func reserve(_ count: Int) { bytes.reserveCapacity(bytes.count + count) }

    @inlinable package mutating func integer(_ value: some FixedWidthInteger) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func double(_ value: Double) { integer(value.bitPattern) }

    @inlinable package mutating func text(_ value: some Collection<UInt8>) {
        length(value.count)
        bytes.append(contentsOf: value)
    }

    /// Values that are written already.
    package mutating func append(_ values: [UInt8]) { bytes += values }

    package mutating func length(_ count: Int) {
        var rest = UInt64(count)
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}
