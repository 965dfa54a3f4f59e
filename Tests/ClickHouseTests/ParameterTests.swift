import ClickHouse
import Testing

@Suite(.timeLimit(.minutes(5))) struct ParameterTests {
    static let texts = [
        "", "plain", " ", "'", "''", "it's", "\"", "`", "\\", "\\\\", "\\'", "\\n", "\\N", "\\x41",
        "\\0",
        "\t", "\n", "\r", "\r\n", "\0", "a\0b", "\u{8}\u{c}\u{b}\u{7}\u{1b}\u{7f}", "a\tb\nc\\d'e",
        "{x:String}", "{p:Identifier}", "$p", "%", "%27", "%00", "+", "&", "=", "#", "?", "/* */",
        "--",
        "[", "]", "['a','b']", "(1,2)", ",", "NULL", "null", "é", "e\u{301}", "日本語", "😀",
        "\u{feff}",
        "\u{10ffff}", "'; DROP TABLE t; --", "') OR 1=1 --", "\\'; DROP TABLE t; --",
        "' UNION ALL SELECT 1 --",
    ]

    @Test(arguments: texts)
    func `any text stays data`(_ text: String) async throws {
        let answer = try await client().value("SELECT {p:String} AS value", ["p": .string(text)])
        #expect(Array(answer.utf8) == Array(text.utf8))
    }

    @Test(arguments: [texts, texts.reversed(), [], [""], ["", ""], ["a,b", "a','b"]])
    func `any texts stay data in an array, each by itself`(_ texts: [String]) async throws {
        let rows = try await client().rows(
            ClickHouseQuery(
                "SELECT arrayJoin({p:Array(String)}) AS value", parameters: ["p": .strings(texts)]))
        #expect(try rows.strings("value").map { Array($0.utf8) } == texts.map { Array($0.utf8) })
    }

    @Test func `random texts come back to the byte, alone and in arrays`() async throws {
        var random = SplitMix64(state: 1)
        let client = try client()
        let special: [Unicode.Scalar] = [
            "\\", "'", "\"", "\t", "\n", "\r", "\0", "N", "n", "x", "{", "}", "[", "]", ",", "%",
            "é", "€",
            "😀",
        ]
        func text() -> String {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...12, using: &random) {
                let isSpecial = Bool.random(using: &random)
                text.append(
                    isSpecial
                        ? special.randomElement(using: &random)!
                        : Unicode.Scalar(UInt8.random(in: 0...127, using: &random)))
            }
            return String(text)
        }
        for _ in 0..<60 {
            let (single, several) = (text(), (0..<8).map { _ in text() })
            let rows = try await client.rows(
                ClickHouseQuery(
                    "SELECT {p:String} AS single, arrayJoin({q:Array(String)}) AS one",
                    parameters: ["p": .string(single), "q": .strings(several)]))
            #expect(
                try rows.strings("one").map { Array($0.utf8) } == several.map { Array($0.utf8) })
            #expect(try rows.strings("single").allSatisfy { Array($0.utf8) == Array(single.utf8) })
        }
    }

    @Test(arguments: [Int64.min, Int64.min + 1, -1, 0, 1, Int64.max - 1, Int64.max])
    func `integers arrive exactly, to the edges of 64 bits`(_ number: Int64) async throws {
        let rows = try await client().rows(
            ClickHouseQuery(
                "SELECT {p:Int64} AS value, toTypeName({p:Int64}) AS type",
                parameters: ["p": .integer(number)]))
        #expect(try rows.integers("value") == [number])
        #expect(try rows.strings("type") == ["Int64"])
    }

    @Test func `an injection changes no table and finds nothing`() async throws {
        try await withDatabase { client in
            try await client.execute(ClickHouseQuery("CREATE TABLE t (a String) ENGINE = Memory"))
            try await client.execute(ClickHouseQuery("INSERT INTO t VALUES ('kept')"))
            for text in Self.texts {
                let found = try await client.value(
                    "SELECT count() AS value FROM t WHERE a = {p:String} OR a IN {q:Array(String)}",
                    ["p": .string(text), "q": .strings([text])])
                #expect(found == "0", "\(text.debugDescription)")
            }
            #expect(try await client.value("SELECT a AS value FROM t") == "kept")
        }
    }

    @Test func `an identifier is quoted, whatever it holds`() async throws {
        try await withDatabase { client in
            let name = "odd `name`; DROP TABLE t"
            let create = "CREATE TABLE {p:Identifier} (a Int64) ENGINE = Memory"
            try await client.execute(ClickHouseQuery(create, parameters: ["p": .string(name)]))
            let found = try await client.value(
                "SELECT name AS value FROM system.tables WHERE database = currentDatabase()")
            #expect(found == name)
        }
    }

    @Test func `a parameter that is not bound is an error, and so is one of another type`()
        async throws
    {
        let client = try client()
        let missing = try await clickHouseError {
            _ = try await client.value("SELECT {p:String} AS value")
        }
        #expect(missing.code == .server(code: 456))
        let wrong = try await clickHouseError {
            _ = try await client.value("SELECT {p:Int64} AS value", ["p": .string("12x")])
        }
        guard case .server = wrong.code else {
            Issue.record("\(wrong)")
            return
        }
    }

    @Test func `a setting holds for its query alone`() async throws {
        let client = try client()
        let sql = "SELECT toString(getSetting('max_result_rows')) AS value"
        let with = try await client.rows(
            ClickHouseQuery(sql, settings: ["max_result_rows": "7"]))
        #expect(try with.strings("value") == ["7"])
        #expect(try await client.value(sql) == "0")
    }
}
