import Testing

@testable import Usage

struct ImportEventLineTests {
    private func parse(_ text: String, allowBackfill: Bool = false) -> Result<UsageEvent, Rejection>
    {
        Result { () throws(Rejection) in
            try EventLine.parse(
                inputLine(text), nowMilliseconds: importNow, allowBackfill: allowBackfill)
        }
    }

    private func code(_ text: String, allowBackfill: Bool = false) -> String? {
        switch parse(text, allowBackfill: allowBackfill) {
        case .success: nil
        case .failure(let rejection): rejection.code
        }
    }

    /// An event's line with some members' JSON text replaced, or removed by nil.
    private func line(_ changes: KeyValuePairs<String, String?> = [:]) -> String {
        var members = [
            "transaction_id": #""tx_1""#, "customer_id": #""cust-1""#,
            "event_type": #""api_request""#, "timestamp": "\(importNow)", "properties": "{}",
        ]
        for (key, value) in changes { members[key] = value }
        return "{" + members.map { "\"\($0)\":\($1)" }.joined(separator: ",") + "}"
    }

    private func properties(_ json: String) throws -> String {
        try parse(line(["properties": json])).get().propertiesText
    }

    @Test func `a line becomes the event it describes`() throws {
        let text =
            #"{"transaction_id":"t.1:a","customer_id":"c_\u0031","event_type":"storage","#
            + #""timestamp":1795348800001,"properties":{"gb_stored": 50 }}"#
        #expect(
            try parse(text).get()
                == UsageEvent(
                    transactionID: "t.1:a", customerID: "c_1", eventType: "storage",
                    timestampMilliseconds: 1_795_348_800_001,
                    properties: Array(#"{"gb_stored": 50 }"#.utf8)))
    }

    @Test func `properties may be left out`() throws {
        #expect(try parse(line(["properties": nil])).get().propertiesText == "{}")
    }

    @Test(arguments: ["transaction_id", "customer_id", "event_type", "timestamp"])
    func `a required field must be there`(field: String) {
        #expect(parse(line([field: nil])) == .failure(.missingField(field)))
    }

    @Test(arguments: [
        ("transaction_id", "1"), ("customer_id", "null"), ("event_type", "[]"),
        ("timestamp", #""1795348800000""#), ("timestamp", "1795348800000.0"),
        ("timestamp", "1.7953488e12"), ("timestamp", "null"), ("properties", "[]"),
        ("properties", #""{}""#), ("properties", "null"),
    ])
    func `a field of another type is refused`(field: String, json: String) {
        #expect(code(line([field: json])) == "wrong_type")
    }

    @Test(arguments: ["transaction_id", "customer_id", "event_type"])
    func `an identifier keeps to the rule`(field: String) {
        let allowed = "azAZ09-_.:"
        for identifier in ["a", "-", allowed, String(repeating: "x", count: 128)] {
            #expect(code(line([field: "\"\(identifier)\""])) == nil, "\(identifier)")
        }
        for identifier in [
            "", String(repeating: "x", count: 129), "a b", "a/b", "a@b", "a;b", "é", "a\u{7f}",
        ] {
            #expect(code(line([field: "\"\(identifier)\""])) == "bad_identifier", "\(identifier)")
        }
    }

    @Test(
        arguments: [
            (300_000, false, nil), (300_001, false, "in_future"), (300_001, true, "in_future"),
            (-2_592_000_000, false, nil), (-2_592_000_001, false, "too_old"),
            (-2_592_000_001, true, nil),
        ] as [(Int64, Bool, String?)])
    func `an event is neither in the future nor older than asked for`(
        distance: Int64, allowBackfill: Bool, expected: String?
    ) {
        let text = line(["timestamp": "\(importNow + distance)"])
        #expect(code(text, allowBackfill: allowBackfill) == expected)
    }

    @Test(arguments: ["-1", "-99999999999999999999", "10413792000000", "99999999999999999999"])
    func `an instant that the table cannot hold is refused`(timestamp: String) {
        #expect(code(line(["timestamp": timestamp]), allowBackfill: true) == "bad_timestamp")
    }

    @Test func `an unknown field is refused by its name`() {
        #expect(parse(line(["costumer_id": "1"])) == .failure(.unknownField("costumer_id")))
    }

    @Test(arguments: ["[]", "1", "null", #""x""#])
    func `a line that is no object is refused`(text: String) {
        #expect(code(text) == "not_an_object")
    }

    @Test(arguments: [
        ("{", "bad_json"), ("{}x", "bad_json"),
        (#"{"event_type":"a","event_type":"a"}"#, "duplicate_key"),
        (#"{"properties":{"a":1,"a":2}}"#, "duplicate_key"),
    ])
    func `a line that is no strict JSON is refused`(text: String, expected: String) {
        #expect(code(text) == expected)
    }

    @Test(arguments: [
        #"{"s":"X"}"#, #"{"o":{"s":"X"}}"#, #"{"a":[1,["X"]]}"#, #"{"o":[{"s":"X"}]}"#,
    ])
    func `a string of 1,000 characters passes and one more does not, at any depth`(shape: String) {
        for character in ["x", "é", "😀", #"\n"#, #"\u20ac"#, #"\ud83d\ude00"#] {
            for (count, expected) in [(1000, nil), (1001, "string_too_long")] {
                let text = String(repeating: character, count: count)
                let json = shape.replacing("X", with: text)
                #expect(code(line(["properties": json])) == expected, "\(character) \(count)")
            }
        }
    }

    @Test(arguments: [
        (
            #"{"amount": 12345678901234567.123456789}"#,
            #"{"amount": "12345678901234567.123456789"}"#
        ),
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9223372036854775809", #""9223372036854775809""#),
        ("-9223372036854775809", #""-9223372036854775809""#),
        ("10000000000000000000", #""10000000000000000000""#),
        ("-0", "-0"), ("0.1", "0.1"), ("123456789.012345", "123456789.012345"),
        ("123456789.0123456", #""123456789.0123456""#),
        ("0.000123456789012345", "0.000123456789012345"),
        ("0.0001234567890123456", #""0.0001234567890123456""#),
        ("1.500000000000000000000", "1.500000000000000000000"),
        ("0.0000000000000000000000", "0.0000000000000000000000"),
        ("1e3", "1e3"), ("1234567890123456e3", #""1234567890123456e3""#),
        ("1e400", #""1e400""#), ("1E-400", #""1E-400""#), ("0e400", "0e400"),
        ("0.001e303", "0.001e303"), ("1000e299", #""1000e299""#),
    ])
    func `a number that a double would change becomes a string of its digits`(
        number: String, expected: String
    ) throws {
        #expect(try properties(#"{"n" : \#(number)}"#) == #"{"n" : \#(expected)}"#)
    }

    @Test func `numbers are kept at any depth and everything else is untouched`() throws {
        #expect(
            try properties(
                #"{"é":"\u00e9", "a":[1, 1.2345678901234567,{"b":99999999999999999999}] }"#)
                == #"{"é":"\u00e9", "a":[1, "1.2345678901234567",{"b":"99999999999999999999"}] }"#)
    }

    @Test func `an importer counts what it was fed`() {
        var importer = EventImporter(nowMilliseconds: importNow, allowBackfill: false)
        let outcomes = feed("\(line())\r\n\n  \t\r\n{}\nnull\n\(line().dropLast())", to: &importer)
        #expect(outcomes[0].event != nil)
        #expect(outcomes[1] == .blank)
        #expect(outcomes[2] == .blank)
        #expect(outcomes[3].rejected?.lineNumber == 4)
        #expect(outcomes[3].rejected?.bytes == Array("{}".utf8))
        #expect(outcomes[5].code == "incomplete_last_line")
        #expect(importer.counts.events == 1)
        #expect(importer.counts.blank == 2)
        #expect(
            importer.counts.rejectedByCode
                == ["missing_field": 1, "not_an_object": 1, "incomplete_last_line": 1])
        #expect(importer.counts.lines == 6)
    }

    @Test func `a last line that is complete needs no newline`() {
        var importer = EventImporter(nowMilliseconds: importNow, allowBackfill: false)
        #expect(feed(line(), to: &importer)[0].event != nil)
    }

    @Test func `a line too long is rejected as that`() {
        var importer = EventImporter(nowMilliseconds: importNow, allowBackfill: false)
        let start = InputLine(number: 1, bytes: Array(line().utf8), byteCount: 2_000_000)
        #expect(importer.feed(start).code == "line_too_long")
    }
}
