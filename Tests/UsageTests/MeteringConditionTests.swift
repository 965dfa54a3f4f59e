import ClickHouse
import Exact
import Testing
import Usage

/// Which events a metric counts.
@Suite(.timeLimit(.minutes(5))) struct MeteringConditionTests {
    struct Rule: Sendable {
        var name: String
        var condition: Condition
        /// Values of the property, as JSON; an empty text: without the property.
        var pass: [String]
        var fail: [String]

        init(
            _ name: String, _ test: Condition.Test, missing: Bool = false, pass: [String],
            fail: [String]
        ) {
            self.name = name
            condition = Condition(property: "p", test: test, passesWhenMissing: missing)
            (self.pass, self.fail) = (pass, fail)
        }
    }

    static let success: Condition.Test = .bounds([.gte: 200, .lt: 300])

    static let rules: [Rule] = [
        Rule(
            "from 200 to below 300", success,
            pass: [
                "200", "200.0", "2e2", "\"200\"", "\"200.0\"", "\"0200\"", "299", "299.999999999",
                "\"299.5\"",
            ],
            fail: [
                "199", "199.999999999", "300", "\"300\"", "500", "-200", "0", "", "null", "true",
                "{}", "[]",
                "[200]", "{\"p\":200}", "\"\"", "\" 200\"", "\"200 \"", "\"2xx\"", "\"200 OK\"",
                "\"2e2\"", "\"+200\"",
                "\"0xC8\"",
            ]),
        Rule(
            "above", .bounds([.gt: 200]), pass: ["200.000000001", "1e40"],
            fail: ["200", "\"200.0\"", "-1e40"]),
        Rule("from", .bounds([.gte: 200]), pass: ["200", "\"200\""], fail: ["199.999999999"]),
        Rule(
            "below", .bounds([.lt: 200]), pass: ["199.999999999", "-5"], fail: ["200", "\"200\""]),
        Rule(
            "up to", .bounds([.lte: 200]), pass: ["200", "\"200.00\"", "-0.5"],
            fail: ["200.000000001"]),
        Rule(
            "a bound that dashes and points do not pass as if they were 0", .bounds([.lt: 300]),
            pass: ["0", "-1"],
            fail: [
                "\"-\"", "\".\"", "\"-.\"", "\"..\"", "\"e5\"", "\"-e5\"", "\"+\"", "\"\"",
                "\"1.2.3\"", "\"5.\"", "\".5\"",
            ]),
        Rule(
            "a bound with decimals",
            .bounds([.gte: number("0.123456789012345678"), .lte: number("0.5")]),
            pass: ["0.5", "\"0.123456789012345678\"", "0.2"],
            fail: ["\"0.123456789012345677\"", "\"0.500000000000000001\""]),
        Rule(
            "numbers of 64 bits", .bounds([.gt: number("9223372036854775806")]),
            pass: ["9223372036854775807", "18446744073709551615"], fail: ["9223372036854775806"]),
        Rule(
            "equal to 200", .isOne(of: ["200"]),
            pass: ["200", "200.0", "2e2", "\"200\"", "\"200.0\"", "\"0200\""],
            fail: [
                "201", "200.000000001", "\"200 \"", "\"2e2\"", "", "null", "true", "[200]",
                "\"200,201\"",
            ]),
        Rule(
            "equal to 0", .isOne(of: ["0"]), pass: ["0", "-0", "0.0", "\"0\"", "\"-0\""],
            fail: ["\"-\"", "\".\"", "\"\"", "\"e5\"", "false", "", "null"]),
        Rule(
            "equal to 1.23", .isOne(of: ["1.23"]), pass: ["1.23", "\"1.230\""],
            fail: ["\"1.2.3\"", "1.231"]),
        Rule(
            "equal to a version", .isOne(of: ["1.2.3"]), pass: ["\"1.2.3\""],
            fail: ["1.23", "\"1.23\"", "\"1.2.30\""]),
        Rule(
            "equal to something like an exponent", .isOne(of: ["5e2"]), pass: ["\"5e2\""],
            fail: ["500", "\"500\"", "\"5E2\""]),
        Rule(
            "one of several", .isOne(of: ["200", "ok", "4.5"]),
            pass: ["200", "\"ok\"", "4.50", "\"4.5\""],
            fail: ["\"OK\"", "\"ok \"", "\"200ok\"", "45", "", "null"]),
        Rule("one of none", .isOne(of: []), pass: [], fail: ["200", "\"\"", "", "null"]),
        Rule(
            "equal to a text", .isOne(of: ["it's \\ \"q\"\n{x:String}"]),
            pass: [#""it's \\ \"q\"\n{x:String}""#, #""it\u0027s \\ \"q\"\u000a{x:String}""#],
            fail: ["\"it\"", ""]),
        Rule(
            "equal to an empty text", .isOne(of: [""]), pass: ["\"\""],
            fail: ["\" \"", "0", "null", "", "{}"]),
        Rule(
            "equal to true", .isOne(of: ["true"]), pass: ["true", "\"true\""],
            fail: ["false", "1", "\"True\"", "null", ""]),
        Rule(
            "equal to false", .isOne(of: ["false"]), pass: ["false"],
            fail: ["true", "0", "null", ""]),
        Rule(
            "equal to null as a text", .isOne(of: ["null"]), pass: ["\"null\""], fail: ["null", ""]),
        Rule(
            "equal to a long number", .isOne(of: [String(repeating: "7", count: 60)]),
            pass: ["\"\(String(repeating: "7", count: 60))\""],
            fail: ["7", "\"\(String(repeating: "7", count: 59))\""]),
        Rule(
            "equal to an é of one part", .isOne(of: ["\u{e9}"]),
            pass: ["\"\u{e9}\"", "\"\\u00e9\""], fail: ["\"e\u{301}\""]),
        Rule(
            "bounds, missing passes", success, missing: true, pass: ["", "null", "200"],
            fail: ["300", "\"\"", "\"x\"", "{}"]),
        Rule(
            "equality, missing passes", .isOne(of: ["a"]), missing: true,
            pass: ["", "null", "\"a\""], fail: ["\"b\"", "\"\""]),
    ]

    @Test(arguments: rules)
    func `a condition passes what it should`(_ rule: Rule) async throws {
        let values = rule.pass + rule.fail
        try await withLog { client in
            try await client.log(
                values.enumerated().map { index, json in
                    LogRow(
                        customer: "\(1000 + index)",
                        properties: json.isEmpty ? #"{"q":200}"# : "{\"q\":200,\"p\":\(json)}")
                })
            let usage = try await client.usage(period([metric(.count, where: [rule.condition])]))
            let counted = usage.map { $0.metrics[0].events == 1 }
            for (index, json) in values.enumerated() {
                #expect(
                    counted[index] == (index < rule.pass.count),
                    "\(json.isEmpty ? "missing" : json)")
            }
            #expect(counted.count == values.count)
        }
    }

    @Test func `all conditions of a metric must pass, and its type must match to the letter`()
        async throws
    {
        let conditions = [
            Condition(property: "status", test: Self.success),
            Condition(property: "region", test: .isOne(of: ["eu", "us"])),
            Condition(property: "cached", test: .isOne(of: ["false"]), passesWhenMissing: true),
        ]
        try await withLog { client in
            let properties = [
                #"{"status":200,"region":"eu"}"#, #"{"status":200,"region":"us","cached":false}"#,
                #"{"status":500,"region":"eu"}"#, #"{"status":200,"region":"ap"}"#,
                #"{"status":200}"#,
                #"{"status":200,"region":"eu","cached":true}"#,
            ]
            try await client.log(
                properties.enumerated().map { LogRow(id: "t\($0)", properties: $1) })
            for (index, type) in ["Call", "call ", "", "calls"].enumerated() {
                try await client.log([
                    LogRow(id: "u\(index)", type: type, properties: properties[0])
                ])
            }
            let usage = try await client.usage(of: metric(.count, where: conditions))
            #expect(usage == MetricUsage(events: 2, quantity: 2, unparsable: 0))
        }
    }

    @Test func `a condition may look at the property that is aggregated, under any name`()
        async throws
    {
        try await withLog { client in
            let names = ["größe (GB)", "a\"b", "x.y"]
            for (index, name) in names.enumerated() {
                let key = name.replacing("\"", with: "\\\"")
                try await client.log(
                    (1...4).map {
                        LogRow(
                            id: "\(index) \($0)", type: "type\(index)",
                            properties: "{\"\(key)\":\($0)}")
                    })
            }
            let metrics = names.enumerated().map { index, name in
                metric(
                    .sum, name, type: "type\(index)",
                    where: [Condition(property: name, test: .bounds([.gt: 1, .lte: 3]))])
            }
            let usage = try #require(try await client.usage(period(metrics)).first)
            #expect(
                usage.metrics
                    == names.map { _ in MetricUsage(events: 2, quantity: 5, unparsable: 0) })
            #expect(usage.events == 12)
        }
    }
}
