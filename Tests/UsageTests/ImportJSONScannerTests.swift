import Testing

@testable import Usage

struct ImportJSONScannerTests {
    private func fault(_ bytes: [UInt8]) -> JSONError.Fault? {
        do {
            _ = try JSONScanner.parse(bytes)
            return nil
        } catch {
            return error.fault
        }
    }

    private func fault(_ text: String) -> JSONError.Fault? { fault(Array(text.utf8)) }

    @Test(arguments: [
        "0", "-0", "10.25", "1e5", "1E+5", "-1.5e-10", "true", "false", "null", #""""#, "[]", "{}",
        " \t\r\n[1, 2 ,3 ] ", #"{"a":{"b":[{}]}}"#, #""\u00e9\uD83D\uDE00\/""#, "\"\u{7f}é😀\"",
        #"{"":1}"#,
    ])
    func `a JSON text is accepted`(text: String) {
        #expect(fault(text) == nil)
    }

    @Test(arguments: [
        ("", JSONError.Fault.unexpectedEnd), (" ", .unexpectedEnd), ("{", .unexpectedEnd),
        (#"{"a""#, .unexpectedEnd), (#"{"a":"#, .unexpectedEnd), ("[1,", .unexpectedEnd),
        ("tru", .unexpectedEnd), ("-", .unexpectedEnd), ("1.", .unexpectedEnd),
        ("1e", .unexpectedEnd), (#""abc"#, .unexpectedEnd), (#""\"#, .unexpectedEnd),
        (#""\u12"#, .unexpectedEnd),
        ("[1,]", .unexpectedByte), (#"{"a":1,}"#, .unexpectedByte), ("[1 2]", .unexpectedByte),
        ("{a:1}", .unexpectedByte), (#"{"a" 1}"#, .unexpectedByte), ("'a'", .unexpectedByte),
        ("True", .unexpectedByte), ("trux", .unexpectedByte), ("NaN", .unexpectedByte),
        ("+1", .unexpectedByte), (".5", .unexpectedByte), ("[1}", .unexpectedByte),
        ("\u{FEFF}1", .unexpectedByte),
        ("01", .badNumber), ("-01", .badNumber), ("1.e5", .badNumber), ("-a", .badNumber),
        ("1 2", .trailingBytes), ("{}}", .trailingBytes), ("nullx", .trailingBytes),
        ("\"a\nb\"", .controlCharacter), ("\"\u{0}\"", .controlCharacter),
        (#""\x41""#, .badEscape), (#""\u12G4""#, .badEscape),
        (#""\uD800""#, .loneSurrogate), (#""\uDC00\uD800""#, .loneSurrogate),
        (#""\uD800\n""#, .loneSurrogate), (#""\uD800\u0041""#, .loneSurrogate),
    ])
    func `what is no JSON text is refused`(text: String, fault expected: JSONError.Fault) {
        #expect(fault(text) == expected)
    }

    @Test(
        arguments: [
            [0x80], [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80],
            [0xF0, 0x80, 0x80, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80],
            [0xC3, 0x28],
            [0xE2, 0x82, 0x28], [0xFF],
        ] as [[UInt8]])
    func `bytes that are no UTF-8 are refused`(bytes: [UInt8]) {
        #expect(fault([0x22] + bytes + [0x22]) == .invalidUTF8)
    }

    @Test func `64 levels are read and the 65th is refused`() {
        func nested(_ levels: Int) -> String {
            String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        }
        #expect(fault(nested(64)) == nil)
        #expect(fault(nested(65)) == .tooDeep)
    }

    @Test(arguments: [
        (#"{"a":1,"b":2,"a":3}"#, "a"), (#"{"x":{"é":1,"\u00e9":2}}"#, "é"),
        (#"[{"k":1,"k":1}]"#, "k"),
        ("{" + (0..<40).map { #""k\#($0 % 39)":0"# }.joined(separator: ",") + "}", "k0"),
    ])
    func `a key that stands twice in one object is named`(text: String, key: String) {
        #expect(fault(text) == .duplicateKey(key))
    }

    @Test func `keys that only look alike are two keys`() {
        // One scalar, and a letter with a combining accent: equal for String, not for ClickHouse.
        #expect(fault("{\"\u{e9}\":1,\"e\u{301}\":2}") == nil)
        #expect(fault(#"{"a":{"b":1},"b":{"b":1}}"#) == nil)
    }

    @Test func `members keep their order, kind and raw text`() throws {
        let text =
            #" { "s" : "x\ny" , "n":1.50e+1,"t":true,"f":false,"z":null,"o":{"q":1},"a":[1, 2] } "#
        let document = try JSONScanner.parse(Array(text.utf8))
        let members = Array(document.children(of: 0))
        #expect(members.map(document.key(of:)) == ["s", "n", "t", "f", "z", "o", "a"])
        #expect(
            members.map { document.nodes[$0].kind }
                == [.string, .number, .true, .false, .null, .object, .array])
        #expect(
            members.map { String(decoding: document.raw(at: $0), as: UTF8.self) }
                == [#""x\ny""#, "1.50e+1", "true", "false", "null", #"{"q":1}"#, "[1, 2]"])
        #expect(document.string(at: members[0]) == "x\ny")
    }

    @Test(arguments: [
        (#""plain""#, "plain"), (#""\"\\\/\b\f\n\r\t""#, "\"\\/\u{8}\u{c}\n\r\t"),
        (#""\u0041\u00e9\u20ac""#, "Aé€"), (#""\ud83d\ude00!""#, "😀!"), (#""é😀""#, "é😀"),
        (#""\uDBFF\uDFFF\u0000""#, "\u{10FFFF}\u{0}"),
    ])
    func `a string is decoded`(json: String, value: String) throws {
        #expect(try JSONScanner.parse(Array(json.utf8)).string(at: 0) == value)
    }

    @Test(arguments: ["", "plain", "\"\\/", "\u{0}\u{1f}\u{7f}\n\r\t\u{8}\u{c}", "é😀\u{2028}"])
    func `a string that is written reads back the same`(value: String) throws {
        var json: [UInt8] = []
        JSONString.append(value, to: &json)
        #expect(try JSONScanner.parse(json).string(at: 0) == value)
    }

    @Test func `an object with replaced values keeps every other byte`() throws {
        let document = try JSONScanner.parse(Array(#" {"a" : 1, "b":[ 2,{"c":3}] , "d":4}"#.utf8))
        let members = Array(document.children(of: 0))
        let text = document.replacing([
            members[2]: Array("null".utf8), members[0]: Array(#""x""#.utf8),
        ])
        #expect(
            String(decoding: text, as: UTF8.self) == #"{"a" : "x", "b":[ 2,{"c":3}] , "d":null}"#)
    }
}
