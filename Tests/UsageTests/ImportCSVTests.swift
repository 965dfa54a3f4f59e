import Testing

@testable import Usage

struct ImportCSVTests {
    private func rows(_ text: String) throws(CSVError) -> [CSVRow] {
        try CSVReader.rows(in: Array(text.utf8), required: ["id", "plan"], optional: ["email"])
    }

    private func error(_ text: String) -> CSVError? {
        do {
            _ = try rows(text)
            return nil
        } catch {
            return error
        }
    }

    @Test(arguments: [
        "id,plan\na,b\n", "id,plan\na,b", "id,plan\r\na,b\r\n", "plan,id\nb,a\n",
        "\u{FEFF}id,plan\na,b\n", "\"id\",\"plan\"\n\"a\",\"b\"", "\n\nid,plan\n\na,b\n\n",
        "\u{FEFF}\"id\",plan\na,b",
    ])
    func `a file is read by the names of its columns`(text: String) throws {
        let rows = try rows(text)
        #expect(rows.count == 1)
        #expect(rows[0]["id"] == "a")
        #expect(rows[0]["plan"] == "b")
        #expect(rows[0]["email"] == nil)
    }

    @Test func `quoted fields hold commas, quotes and line ends`() throws {
        let rows = try rows("id,plan,email\n\"a,\"\"b\"\"\",\"x\r\ny\n\",\nc, d ,\"\"\n")
        #expect(rows.map { $0["id"] } == [#"a,"b""#, "c"])
        #expect(rows.map { $0["plan"] } == ["x\r\ny\n", " d "])
        #expect(rows.map { $0["email"] } == ["", ""])
        #expect(rows.map(\.lineNumber) == [2, 5])
    }

    @Test func `a row may be empty fields only`() throws {
        #expect(try rows("id,plan\n,\n")[0]["plan"] == "")
    }

    @Test(arguments: [
        ("", CSVError.Fault.empty, 1), ("\u{FEFF}", .empty, 1), ("\n\n", .empty, 3),
        ("id,plan\na,b\nc\n", .raggedRow(fields: 1, expected: 2), 3),
        ("id,plan\n\"a\n\",b,c\n", .raggedRow(fields: 3, expected: 2), 2),
        ("id,plan\na,b,\n", .raggedRow(fields: 3, expected: 2), 2),
        ("id,plan\na,b\"c\n", .strayQuote, 2), ("id,plan\na,\"b\"c\n", .strayQuote, 2),
        ("id,plan\na,\"b\" \n", .strayQuote, 2), ("id,plan\n\na,\"b\n\n", .unterminatedQuote, 3),
        ("id,plan\ra,b\r", .strayCarriageReturn, 1), ("id,plan\na,b\r", .strayCarriageReturn, 2),
        ("id,plan,e-mail\n", .unknownColumn("e-mail", known: ["id", "plan", "email"]), 1),
        ("id,plan,\n", .unknownColumn("", known: ["id", "plan", "email"]), 1),
        ("id, plan\n", .unknownColumn(" plan", known: ["id", "plan", "email"]), 1),
        ("\nid,email\n", .missingColumn("plan"), 2), ("id,plan,id\n", .duplicateColumn("id"), 1),
    ])
    func `a file that cannot be trusted names its line`(
        text: String, fault: CSVError.Fault, lineNumber: Int
    ) {
        #expect(error(text) == CSVError(fault: fault, lineNumber: lineNumber))
    }

    @Test func `text that is no UTF-8 is refused`() {
        let bytes = Array("id,plan\na,".utf8) + [0xE9, 0x0A]
        #expect(throws: CSVError(fault: .notUTF8, lineNumber: 2)) {
            try CSVReader.rows(in: bytes, required: ["id", "plan"])
        }
    }

    // MARK: Writing

    private func written(_ cells: [String]) -> String {
        var csv = CSVWriter()
        for cell in cells { csv.text(cell) }
        return String(decoding: csv.bytes, as: UTF8.self)
    }

    @Test(arguments: [
        ("plain", "plain"), ("", ""), ("a,b", #""a,b""#), (#"a"b"#, #""a""b""#),
        ("a\nb", "\"a\nb\""),
        ("a\rb", "\"a\rb\""), (" a ", " a "), ("é", "é"),
    ])
    func `a field is quoted where it must be`(cell: String, expected: String) {
        #expect(written([cell]) == expected)
        #expect(written(["x", cell, "y"]) == "x,\(expected),y")
    }

    @Test(arguments: [
        ("=1+1", "'=1+1"), ("+1", "'+1"), ("-1", "'-1"), ("@a", "'@a"), ("\ta", "'\ta"),
        ("\ra", "\"'\ra\""), ("=a,\"b\"", "\"'=a,\"\"b\"\"\""), ("a=1", "a=1"), ("'a", "'a"),
    ])
    func `a text cannot be run as a formula`(cell: String, expected: String) {
        #expect(written([cell]) == expected)
    }

    @Test func `a number stays a number`() {
        var csv = CSVWriter()
        csv.number(-5)
        csv.number("-0.25")
        csv.empty()
        csv.number(Int64.max)
        csv.endRow()
        csv.text("next")
        csv.endRow()
        #expect(csv.takeBytes() == Array("-5,-0.25,,9223372036854775807\nnext\n".utf8))
        #expect(csv.takeBytes().isEmpty)
    }

    @Test func `a text passed for a number is a bug of ours`() async {
        await #expect(processExitsWith: .failure) {
            var csv = CSVWriter()
            csv.number("-cmd|' /C calc'!A0")
        }
    }

    @Test func `rows may end with CRLF, and read back the same`() throws {
        var csv = CSVWriter(lineEnd: "\r\n")
        let table = [["id", "plan"], ["a,\"b\"\r\n", ""], ["é", "c"]]
        for row in table {
            for cell in row { csv.text(cell) }
            csv.endRow()
        }
        let rows = try CSVReader.rows(in: csv.bytes, required: ["id", "plan"])
        #expect(
            rows.map { [$0["id"] ?? "none", $0["plan"] ?? "none"] } == Array(table.dropFirst()))
    }
}
