import Testing

@testable import ClickHouse

/// Answers that end badly, as the servers of different ages end them.
@Suite struct BrokenAnswerTests {
    static let tag = "qwertyuiopasdfgh"
    static let message =
        "Code: 395. DB::Exception: Value passed to 'throwIf' is non-zero. "
        + "(FUNCTION_THROW_IF_ARGUMENT_VALUE_IS_NON_ZERO) (version 26.9.2.1)"

    /// As since 25.11 (WriteBufferFromHTTPServerResponse::cancelWithException).
    static func framed(_ message: String = message, tag: String = tag) -> String {
        "\r\n__exception__\r\n\(tag)\r\n\(message)\n\(message.utf8.count + 1) \(tag)\r\n__exception__\r\n"
    }

    struct Broken: Sendable, CustomTestStringConvertible {
        var what: String
        var tag: String?
        var body: String
        /// Of the rows that are whole.
        var rows: [[String]]

        var testDescription: String { what }
    }

    static let answers: [Broken] = {
        let header = "n\ttext\n"
        let rows = [["1", "a\tb"], ["2", "c"]]
        let whole = header + "1\ta\\tb\n2\tc\n"
        let bare = message + "\n"
        return [
            Broken(what: "framed", tag: tag, body: whole + framed(), rows: rows),
            Broken(what: "framed, no rows", tag: tag, body: header + framed(), rows: []),
            Broken(what: "framed, nothing at all", tag: tag, body: framed(), rows: []),
            Broken(what: "framed, half a row", tag: tag, body: whole + "3" + framed(), rows: rows),
            Broken(
                what: "framed, a cut value", tag: tag, body: whole + "3\tdd" + framed(), rows: rows),
            Broken(
                what: "framed, a cut escape", tag: tag, body: whole + "3\td\\" + framed(),
                rows: rows),
            Broken(
                what: "framed, many lines", tag: tag,
                body: whole + framed(message + "\nmore\tlines\n\nand more"), rows: rows),
            Broken(what: "framed, tag not announced", tag: nil, body: whole + framed(), rows: rows),
            Broken(what: "bare", tag: nil, body: whole + bare, rows: rows),
            Broken(what: "bare, no rows", tag: nil, body: header + bare, rows: []),
            Broken(what: "bare, nothing at all", tag: nil, body: bare, rows: []),
            Broken(
                what: "bare, without its line's end", tag: nil, body: whole + message, rows: rows),
            Broken(what: "bare, half a row", tag: nil, body: whole + "3" + bare, rows: rows),
            Broken(what: "bare, a cut value", tag: nil, body: whole + "3\tdd" + bare, rows: rows),
            Broken(
                what: "bare, many lines", tag: nil,
                body: whole + "Code: 395. DB::Exception: one\n2\ttwo\n(version 23.8.1.1)\n",
                rows: rows),
        ]
    }()

    @Test(arguments: answers)
    func `an exception is found, and the rows before it, wherever the pieces are cut`(
        _ answer: Broken
    ) throws {
        let bytes = Array(answer.body.utf8)
        var ways = (0...bytes.count).map { [Array(bytes[..<$0]), Array(bytes[$0...])] }
        ways.append(bytes.map { [$0] })
        for pieces in ways {
            let (reader, rows) = try read(pieces, tag: answer.tag)
            let exception = try #require(reader.serverException)
            #expect(exception.hasPrefix("Code: 395. DB::Exception: "))
            #expect(!exception.contains(Self.tag))
            #expect(!reader.isComplete)
            #expect(rows == answer.rows)
        }
    }

    @Test(arguments: answers)
    func `an answer that breaks off within the exception is never complete`(_ answer: Broken) throws
    {
        let bytes = Array(answer.body.utf8)
        let start = try #require(
            bytes.indices.first {
                String(decoding: bytes[$0...], as: UTF8.self).hasPrefix("Code: 395")
            })
        for end in (start + 1)..<bytes.count {
            let (reader, _) = try read([Array(bytes[..<end])], tag: answer.tag)
            #expect(!reader.isComplete)
        }
    }

    @Test func `an answer is complete only where a row ends`() throws {
        let body = Array("n\ttext\n1\ta\n2\tb\n".utf8)
        for end in 0...body.count {
            let (reader, rows) = try read([Array(body[..<end])], tag: Self.tag)
            #expect(reader.isComplete == [7, 11, 15].contains(end))
            #expect(rows.count == (end < 11 ? 0 : end < 15 ? 1 : 2))
            #expect(reader.serverException == nil)
        }
    }

    @Test func `a frame with another tag than the announced is no exception, but no answer either`()
        throws
    {
        let body = "n\ttext\n1\ta\n" + Self.framed(tag: "zxcvbnmasdfghjkl")
        let (reader, rows) = try read([Array(body.utf8)], tag: Self.tag)
        #expect(reader.serverException == nil)
        #expect(!reader.isComplete)
        #expect(rows == [["1", "a"]])
    }

    @Test(arguments: [
        message, "Code: 60. DB::Exception: x", "__exception__", tag, "x " + message,
        "Code: 60. DB::Exception: x. (UNKNOWN_TABLE) (version 23.8.1.1 (official build))",
    ])
    func `where a tag was announced, rows may read like exceptions`(_ text: String) throws {
        for body in ["a\n\(text)\n\(text)\n", "a\tb\n\(text)\t\(text)\n\(text)\t\(text)\n"] {
            let (reader, rows) = try read([Array(body.utf8)], tag: Self.tag)
            #expect(reader.isComplete)
            #expect(reader.serverException == nil)
            #expect(rows.count == 2)
            #expect(rows.joined().allSatisfy { $0 == text })
        }
        // Breaking off behind such a text is breaking off, not the error that the text tells of.
        let (reader, _) = try read([Array("a\n\(text)".utf8)], tag: Self.tag)
        #expect(reader.serverException == nil)
        #expect(!reader.isComplete)
    }

    @Test func `an older server's row may read like an exception if it has more columns`() throws {
        let body = "a\tb\nCode: 60. DB::Exception: x\t1\n2\tCode: 60. DB::Exception: x\n3\t4\n"
        let (reader, rows) = try read([Array(body.utf8)], tag: nil)
        #expect(reader.isComplete)
        #expect(rows.map { $0[0] } == ["Code: 60. DB::Exception: x", "2", "3"])
        // One column leaves a doubt, and in doubt it is an error.
        let (doubt, none) = try read([Array("a\nCode: 60. DB::Exception: x\n".utf8)], tag: nil)
        #expect(doubt.serverException == "Code: 60. DB::Exception: x\n")
        #expect(none.isEmpty)
    }

    @Test func `a row with too many or too few values is an error`() {
        for line in ["1", "1\t2\t3", ""] {
            let error = #expect(throws: ClickHouseError.self) {
                _ = try read([Array("a\tb\n\(line)\n".utf8)], tag: Self.tag)
            }
            #expect(error?.code == .decoding)
        }
    }

    @Test func `what follows an exception is not kept without limit`() throws {
        var reader = TabSeparated(exceptionTag: Self.tag)
        _ = try reader.read(Array(("a\n" + Self.framed()).utf8))
        for _ in 0..<64 { _ = try reader.read([UInt8](repeating: 120, count: 1 << 20)) }
        #expect(try #require(reader.serverException).utf8.count < 1 << 17)
    }

    private func read(
        _ pieces: [[UInt8]], tag: String?
    ) throws -> (reader: TabSeparated, rows: [[String]]) {
        var reader = TabSeparated(exceptionTag: tag)
        var rows: [[String]] = []
        for piece in pieces {
            for row in try reader.read(piece) {
                rows.append(
                    row.fields.map { String(decoding: TabSeparated.unescape($0), as: UTF8.self) })
            }
        }
        return (reader, rows)
    }
}
