import Foundation
import Testing

@testable import Usage

struct ImportLineReaderTests {
    /// Reads a text back from a file, in chunks of this size.
    private func lines(of bytes: [UInt8], chunkBytes: Int) throws -> [InputLine] {
        let path = NSTemporaryDirectory() + "lines-\(UUID().uuidString)"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let file = try #require(FileHandle(forReadingAtPath: path))
        var reader = LineReader(descriptor: file.fileDescriptor, chunkBytes: chunkBytes)
        var lines: [InputLine] = []
        while let line = try reader.next() { lines.append(line) }
        return lines
    }

    @Test(arguments: [1, 2, 3, 7, 64, 1 << 18])
    func `lines are the same whatever the chunk`(chunkBytes: Int) throws {
        let lines = try lines(
            of: Array("one\n\ntwo\r\n\u{0}three\nlast".utf8), chunkBytes: chunkBytes)
        #expect(
            lines.map { String(decoding: $0.bytes, as: UTF8.self) }
                == ["one", "", "two\r", "\u{0}three", "last"])
        #expect(lines.map(\.number) == [1, 2, 3, 4, 5])
        #expect(lines.map(\.isTerminated) == [true, true, true, true, false])
    }

    @Test(arguments: ["", "\n", "a\n", "a"])
    func `the end of the input is no line`(text: String) throws {
        let lines = try lines(of: Array(text.utf8), chunkBytes: 4)
        #expect(lines.count == (text.isEmpty ? 0 : 1))
        #expect(lines.last?.isTerminated ?? true == text.hasSuffix("\n") || text.isEmpty)
    }

    @Test func `a line over 1 MiB is cut and the next one is whole`() throws {
        let limit = LineReader.maxLineBytes
        let bytes =
            [UInt8](repeating: 0x61, count: limit) + [0x0A]
            + [UInt8](repeating: 0x62, count: limit + 1) + Array("\nnext\n".utf8)
        let lines = try lines(of: bytes, chunkBytes: 100_000)
        #expect(lines.map(\.byteCount) == [limit, limit + 1, 4])
        #expect(lines.map(\.bytes.count) == [limit, limit, 4])
        #expect(lines.map(\.isTooLong) == [false, true, false])
    }

    @Test func `a pipe is read to its end`() throws {
        let pipe = Pipe()
        try pipe.fileHandleForWriting.write(contentsOf: Data("a\nb".utf8))
        try pipe.fileHandleForWriting.close()
        var reader = LineReader(descriptor: pipe.fileHandleForReading.fileDescriptor)
        #expect(try reader.next() == inputLine("a"))
        #expect(try reader.next() == inputLine("b", number: 2, isTerminated: false))
        #expect(try reader.next() == nil)
    }

    @Test func `a descriptor that cannot be read is an error with the system's reason`() throws {
        var reader = LineReader(descriptor: -1)
        do {
            _ = try reader.next()
            Issue.record("read a line from nowhere")
        } catch {
            #expect(error.linesRead == 0)
            #expect(error.description.contains("Bad file descriptor"))
        }
    }
}
