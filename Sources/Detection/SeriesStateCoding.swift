extension SeriesState {
    /// Bytes of an encoded state, whatever the series.
    package static let encodedBytes = 600
    private static let formatVersion: UInt8 = 1

    /// The state as bytes: fields in a fixed order, little endian, floats as IEEE 754 binary.
    package func encoded() -> [UInt8] {
        var bytes: [UInt8] = []
        encode(into: &bytes)
        return bytes
    }

    /// Appends the same bytes.
    func encode(into output: inout [UInt8]) {
        let start = output.count
        output.append(contentsOf: repeatElement(0, count: Self.encodedBytes))
        output.withUnsafeMutableBytes { output in
            var bytes = ByteWriter(bytes: output, position: start)
            write(to: &bytes)
            precondition(bytes.position == start + Self.encodedBytes)
        }
    }

    private func write(to bytes: inout ByteWriter) {
        bytes.append(Self.formatVersion)
        bytes.append(
            UInt8(hasBaseline ? 1 : 0) | UInt8(quantiles.isCount ? 2 : 0)
                | UInt8(episode.latest == nil ? 0 : 4))
        bytes.append(UInt16(0))
        bytes.append(Int32(truncatingIfNeeded: firstHour.index))
        bytes.append(Int32(truncatingIfNeeded: lastHour.index))
        bytes.append(variance.unit.bitPattern)
        bytes.append(variance.dispersion.bitPattern)
        bytes.append(noise)
        bytes.append(tail)
        bytes.append(persistence)
        bytes.append(levelNoise)
        bytes.append(shapeNoise)
        bytes.append(centreError)
        for season in centres.indices { bytes.append(centres[season]) }
        for slot in residuals.steps.indices { bytes.append(residuals.steps[slot]) }
        for slot in recent.indices { bytes.append(recent[slot]) }
        let (levels, totals) = (quantiles.fields, dailyTotals.fields)
        for field in levels.indices { bytes.append(levels[field]) }
        for field in totals.indices { bytes.append(totals[field]) }
        for slot in episode.scores.indices { bytes.append(episode.scores[slot]) }
        bytes.append(Int32(truncatingIfNeeded: episode.latest?.number ?? 0))
        bytes.append(Int32(truncatingIfNeeded: episode.latest?.first.index ?? 0))
        bytes.append(Int32(truncatingIfNeeded: episode.latest?.last.index ?? 0))
        bytes.append(episode.latest?.peak ?? 0)
    }

    /// Reads what `encoded` wrote; nil for anything else, such as another version's.
    package init?(encoded: some Collection<UInt8>) {
        let state = encoded.withContiguousStorageIfAvailable {
            Self(bytes: UnsafeRawBufferPointer($0))
        }
        guard let read = state ?? Array(encoded).withUnsafeBytes(Self.init(bytes:)) else {
            return nil
        }
        self = read
    }

    private init?(bytes: UnsafeRawBufferPointer) {
        guard bytes.count == Self.encodedBytes else { return nil }
        var bytes = ByteReader(bytes: bytes)
        guard bytes.next(UInt8.self) == Self.formatVersion else { return nil }
        let flags = bytes.next(UInt8.self)
        _ = bytes.next(UInt16.self)
        self.init(first: Hour(Int(bytes.next(Int32.self))))
        lastHour = Hour(Int(bytes.next(Int32.self)))
        hasBaseline = flags & 1 != 0
        variance.unit = Double(bitPattern: bytes.next(UInt64.self))
        variance.dispersion = Double(bitPattern: bytes.next(UInt64.self))
        noise = bytes.nextFloat()
        tail = bytes.nextFloat()
        persistence = bytes.nextFloat()
        levelNoise = bytes.nextFloat()
        shapeNoise = bytes.nextFloat()
        centreError = bytes.nextFloat()
        for season in centres.indices { centres[season] = bytes.nextFloat() }
        for slot in residuals.steps.indices { residuals.steps[slot] = bytes.next(Int16.self) }
        for slot in recent.indices { recent[slot] = bytes.nextFloat() }
        quantiles = QuantileTail(
            isCount: flags & 2 != 0, fields: [7 of Float] { _ in bytes.nextFloat() })
        dailyTotals = DailyTotals(fields: [6 of Float] { _ in bytes.nextFloat() })
        for slot in episode.scores.indices { episode.scores[slot] = bytes.next(UInt16.self) }
        let number = Int(bytes.next(Int32.self))
        let (first, last) = (bytes.next(Int32.self), bytes.next(Int32.self))
        let peak = bytes.nextFloat()
        if flags & 4 != 0 {
            episode.latest = .init(
                number: number, first: Hour(Int(first)), last: Hour(Int(last)), peak: peak)
        }
        weigh()
    }
}

/// Puts integers and floats one behind the other, into bytes that are known to be enough.
private struct ByteWriter {
    let bytes: UnsafeMutableRawBufferPointer
    private(set) var position: Int

    init(bytes: UnsafeMutableRawBufferPointer, position: Int) {
        (self.bytes, self.position) = (bytes, position)
    }

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        bytes.storeBytes(of: value.littleEndian, toByteOffset: position, as: Value.self)
        position += MemoryLayout<Value>.size
    }

    mutating func append(_ value: Float) { append(value.bitPattern) }
}

/// Takes integers off the front of bytes that are known to be enough.
private struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func next<Value: FixedWidthInteger>(_: Value.Type) -> Value {
        defer { position += MemoryLayout<Value>.size }
        return Value(
            littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: Value.self))
    }

    mutating func nextFloat() -> Float { Float(bitPattern: next(UInt32.self)) }
}
