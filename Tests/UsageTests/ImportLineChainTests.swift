import Testing

@testable import Usage

struct ImportLineChainTests {
    private static let base = #"h - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 12"#

    private func combined(_ number: Int, more: String = "") -> String {
        Self.base + #" "-" "agent \#(number)""# + more
    }

    private func ids(_ file: String, source: String = "") -> [String?] {
        var importer = accessLogImporter(source: source)
        return feed(file, to: &importer).map { $0.event?.transactionID }
    }

    @Test func `an identifier is al_ and 130 bits of the hash in base32`() {
        // 0x00 44 32 14 c7 42 54 b6 35 cf 84 65 3a 56 d7 c6 75 be 77 df counts up in groups of 5 bits.
        let counting: [UInt8] = [
            0x00, 0x44, 0x32, 0x14, 0xC7, 0x42, 0x54, 0xB6, 0x35, 0xCF, 0x84, 0x65, 0x3A, 0x56,
            0xD7,
            0xC6, 0x75, 0xBE, 0x77, 0xDF,
        ]
        let chain = LineChain(source: "") { _ in counting }
        #expect(chain.transactionID == "al_abcdefghijklmnopqrstuvwxyz")
        let ones = LineChain(source: "") { _ in [UInt8](repeating: 0xFF, count: 17) }
        #expect(ones.transactionID == "al_" + String(repeating: "7", count: 26))
    }

    @Test func `each link is the hash of the link before and the line`() throws {
        let first = testHash(testHash(Array("web-1".utf8)) + Array(combined(1).utf8))
        var importer = accessLogImporter(source: "web-1")
        let outcomes = feed(combined(1) + "\r\n" + combined(2) + "\n", to: &importer)
        let second = testHash(first + Array(combined(2).utf8))
        for (outcome, link) in zip(outcomes, [first, second]) {
            let id = try #require(outcome.event?.transactionID)
            #expect(id == LineChain(source: "") { _ in link }.transactionID)
            #expect(EventRules.isIdentifier(id.utf8))
        }
    }

    @Test func `the same file again, grown or with other line ends has the same identifiers`() {
        let lines = (1...5).map { combined($0) + "\n" }
        let whole = ids(lines.joined())
        #expect(ids(lines.joined()) == whole)
        #expect(ids(lines[..<3].joined()) == Array(whole[..<3]))
        #expect(ids(lines.joined().replacing("\n", with: "\r\n")) == whole)
        #expect(ids(String(lines.joined().dropLast())) == whole)
    }

    @Test func `equal lines in one file are two requests`() {
        #expect(Set(ids(combined(1) + "\n" + combined(1) + "\n")).count == 2)
    }

    @Test func `equal lines in files that begin differently never collide`() {
        let one = ids(combined(1) + "\n" + combined(3) + "\n")
        let two = ids(combined(2) + "\n" + combined(3) + "\n")
        #expect(Set(one + two).count == 4)
    }

    @Test func `another source gives other identifiers`() {
        let file = combined(1) + "\n"
        #expect(ids(file, source: "a") != ids(file, source: "b"))
        #expect(ids(file, source: "") != ids(file, source: "a"))
    }

    @Test(arguments: ["\n", "garbage\n", "{}\n"])
    func `a line that is no event moves the ones behind it too`(line: String) {
        let alone = ids(combined(1) + "\n" + combined(2) + "\n")
        let behind = ids(combined(1) + "\n" + line + combined(2) + "\n")
        #expect(behind[0] == alone[0])
        #expect(behind[1] == nil)
        #expect(behind[2] != alone[1])
    }

    @Test func `a line too long counts with its start and its length`() {
        func id(start: String, byteCount: Int) -> String? {
            var importer = accessLogImporter(.combined)
            let long = InputLine(number: 1, bytes: Array(start.utf8), byteCount: byteCount)
            #expect(importer.feed(long).code == "line_too_long")
            return importer.feed(inputLine(combined(1), number: 2)).event?.transactionID
        }
        let all = [
            id(start: "a", byteCount: 9), id(start: "b", byteCount: 9),
            id(start: "a", byteCount: 10),
        ]
        #expect(Set(all).count == 3)
        #expect(id(start: "a", byteCount: 9) == all[0])
    }

    // MARK: A last line without a newline

    @Test func `a last combined line that is closed is taken, and has the same identifier later`() {
        let early = ids(combined(1) + "\n" + combined(2))
        #expect(early[1] != nil)
        #expect(early == ids(combined(1) + "\n" + combined(2) + "\n"))
        #expect(ids(combined(1))[0] != nil)
    }

    @Test(arguments: [
        #" "-" "agent"#, #" "-" "agent \""#, #" "-""#, #" "-" "#, #" "-"#, " ", "",
    ])
    func `a last line that may be cut off waits`(tail: String) {
        var importer = accessLogImporter(.combined)
        let outcome = feed(combined(1) + "\n" + Self.base + tail, to: &importer)[1]
        #expect(outcome.code == "incomplete_last_line")
    }

    @Test func `a last line waits if the lines before it go on behind the user agent`() {
        var importer = accessLogImporter()
        let outcomes = feed(combined(1, more: " 0.005") + "\n" + combined(2), to: &importer)
        #expect(outcomes.map(\.code) == [nil, "incomplete_last_line"])
    }

    @Test(arguments: [base, base + #" "-" "agent""#, "h - - [17/May"])
    func `a last common line always waits`(line: String) {
        var importer = accessLogImporter(.common)
        #expect(feed(Self.base + "\n" + line, to: &importer)[1].code == "incomplete_last_line")
    }
}
