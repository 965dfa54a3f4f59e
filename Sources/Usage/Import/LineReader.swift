#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#elseif canImport(Darwin)
    import Darwin
#endif

/// One line of an input, as the bytes stand in it.
package struct InputLine: Hashable, Sendable {
    /// The line's number in its input, from 1.
    package let number: Int
    /// The bytes before the newline; a carriage return is still there. At most
    /// `LineReader.maxLineBytes` of them are kept.
    package let bytes: [UInt8]
    /// The length of the whole line in bytes, also of a line too long to keep.
    package let byteCount: Int
    /// False for the last line of an input that does not end with a newline: whoever writes the
    /// file may still be at it.
    package let isTerminated: Bool

    /// Whether bytes of the line are missing here.
    package var isTooLong: Bool { byteCount > bytes.count }

    package init(number: Int, bytes: [UInt8], byteCount: Int? = nil, isTerminated: Bool = true) {
        self.number = number
        self.bytes = bytes
        self.byteCount = byteCount ?? bytes.count
        self.isTerminated = isTerminated
    }
}

/// The system would not give the next bytes of an input.
package struct LineReaderError: Error, Hashable, CustomStringConvertible {
    /// The value of `errno`.
    package let code: Int32
    /// The number of lines read before.
    package let linesRead: Int

    package var description: String {
        let reason = String(cString: strerror(code))
        return "reading failed after line \(linesRead): \(reason); import it again from the start"
            + " (what was taken up already is not taken twice)"
    }
}

/// Reads lines from a file descriptor, in large chunks and constant memory.
///
/// The descriptor stays the caller's, to open and to close. Reading blocks: do it on a thread or
/// an executor where that is allowed.
package struct LineReader: ~Copyable {
    /// The longest line that is kept whole; of a longer one the rest is skipped.
    package static let maxLineBytes = 1 << 20

    private let descriptor: Int32
    private var buffer: [UInt8]
    private var unread = 0..<0
    private var linesRead = 0

    /// - Parameters:
    ///   - descriptor: an open file, pipe or terminal; 0 is the standard input.
    ///   - chunkBytes: how much one system call asks for.
    package init(descriptor: Int32, chunkBytes: Int = 1 << 18) {
        precondition(chunkBytes > 0)
        self.descriptor = descriptor
        self.buffer = [UInt8](repeating: 0, count: chunkBytes)
    }

    /// The next line, or nil at the end of the input.
    package mutating func next() throws(LineReaderError) -> InputLine? {
        var kept: [UInt8] = []
        var byteCount = 0
        while true {
            let newline = firstNewline()
            let piece = unread.lowerBound..<(newline ?? unread.upperBound)
            let room = Self.maxLineBytes - kept.count
            kept.append(contentsOf: buffer[piece.prefix(room)])
            byteCount += piece.count
            if let newline {
                unread = (newline + 1)..<unread.upperBound
                return line(kept, byteCount, isTerminated: true)
            }
            guard try refill() else {
                return byteCount == 0 ? nil : line(kept, byteCount, isTerminated: false)
            }
        }
    }

    private mutating func line(
        _ bytes: [UInt8], _ byteCount: Int, isTerminated: Bool
    ) -> InputLine {
        linesRead += 1
        return InputLine(
            number: linesRead, bytes: bytes, byteCount: byteCount, isTerminated: isTerminated)
    }

    private func firstNewline() -> Int? {
        let range = unread
        return buffer.withUnsafeBytes { buffer in
            guard let base = buffer.baseAddress,
                let found = memchr(base + range.lowerBound, 0x0A, range.count)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    /// Reads the next chunk; false at the end of the input.
    private mutating func refill() throws(LineReaderError) -> Bool {
        unread = 0..<0
        while true {
            let count = buffer.withUnsafeMutableBytes {
                read(descriptor, $0.baseAddress, $0.count)
            }
            if count >= 0 {
                unread = 0..<count
                return count > 0
            }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                // A terminal that another program made non-blocking: wait for it.
                var waiting = pollfd(descriptor: descriptor)
                _ = poll(&waiting, 1, -1)
            case let code:
                throw LineReaderError(code: code, linesRead: linesRead)
            }
        }
    }
}

extension pollfd {
    fileprivate init(descriptor: Int32) {
        self.init(fd: descriptor, events: Int16(POLLIN), revents: 0)
    }
}
