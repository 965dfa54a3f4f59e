import ClickHouse
import Exact
import Testing
import Usage

/// Which values are quantities, and that a quantity is exactly what was written.
@Suite(.timeLimit(.minutes(5))) struct MeteringNumberTests {
    static let metrics = [metric(.sum, "v"), metric(.max, "v"), metric(.latest, "v")]

    /// A JSON value, and the quantity that it is.
    static let exact = [
        ("0", "0"), ("-3", "-3"), ("200.7", "200.7"), ("-200.7", "-200.7"), ("0.1", "0.1"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("9007199254740993", "9007199254740993"), ("123456789012345678", "123456789012345678"),
        ("5.0", "5"), ("-0.0", "0"), ("-0", "0"), ("5.0000000000000000000", "5"),
        ("0.10000000000000000000", "0.1"), ("1000000000000.000000000", "1000000000000"),
        ("123456789012345.0", "123456789012345"), ("123456.789012345", "123456.789012345"),
        ("1234567890123.45", "1234567890123.45"), ("0.123456789", "0.123456789"),
        ("0.000000001", "0.000000001"), ("999999.999999999", "999999.999999999"),
        ("1e3", "1000"), ("1E3", "1000"), ("1e+3", "1000"), ("-1.5e2", "-150"), ("0e5", "0"),
        ("1e-7", "0.0000001"), ("1.25e-7", "0.000000125"), ("-1.2e-8", "-0.000000012"),
        ("1e-9", "0.000000001"), ("100e-11", "0.000000001"), ("123456789e-9", "0.123456789"),
        ("1e15", "1000000000000000"), ("1e19", "10000000000000000000"),
        ("123456789012345e5", "12345678901234500000"),
        ("9.99999999999999e19", "99999999999999900000"),
        (#""200""#, "200"), (#""-3""#, "-3"), (#""200.70""#, "200.7"), (#""007""#, "7"),
        (#""-0""#, "0"),
        (#""12345678901234567.123456789""#, "12345678901234567.123456789"),
        (#""99999999999999999999.999999999""#, "99999999999999999999.999999999"),
        (#""-99999999999999999999.999999999""#, "-99999999999999999999.999999999"),
        (#""0.10000000""#, "0.1"), (#""9223372036854775808""#, "9223372036854775808"),
        (#""18446744073709551616""#, "18446744073709551616"),
        (#""\u0035\u002e5""#, "5.5"),
    ]

    @Test func `a quantity is exactly what was written`() async throws {
        try await withLog { client in
            var rows: [LogRow] = []
            for (index, (json, _)) in Self.exact.enumerated() {
                rows.append(LogRow(customer: "\(1000 + index)", properties: "{\"v\":\(json)}"))
                let spaced = "{ \"a\" : 7.5 ,\n\t\"v\" : \(json) , \"z\" : {} }"
                rows.append(LogRow(customer: "\(2000 + index)", properties: spaced))
            }
            rows.sort { $0.customer < $1.customer }
            try await client.log(rows)
            let usage = try await client.usage(period(Self.metrics))
            let expected = (Self.exact + Self.exact).map {
                MetricUsage(events: 1, quantity: number($0.1), unparsable: 0)
            }
            for (customer, (expected, row)) in zip(usage, zip(expected, rows)) {
                #expect(customer.metrics == [expected, expected, expected], "\(row.properties)")
            }
            #expect(usage.count == rows.count)
        }
    }

    /// JSON values that are no quantity.
    static let inexact = [
        "12345678901234567.123456789", "-12345678901234567.123456789", "0.10000000000000000555",
        "1234567890.1234567", "1.2345678901234565e8", "123456789012345.6", "0.1000000000000001",
        "1000000000000000.5", "9223372036854775809", "18446744073709551615",
        "18446744073709551616", "-9223372036854775809", "-18446744073709551616",
        "99999999999999999999", "100000000000000000000", "1e20", "1e21", "1e300", "-1e20", "1e-10",
        "1.5e-9", "1.25e-8", "1e-300", "0.1234567891", "0.0000000001", #""1e3""#, #""""#, #"" 5""#,
        #""5 ""#,
        #""+5""#, #""0x10""#, #""5.""#, #"".5""#, #""-""#, #"".""#, #""--5""#, #""5\n""#, #""\n5""#,
        #""5\u0000""#, #""1,5""#, #""1_000""#, #""NaN""#, #""inf""#, #""true""#, #""٣""#, #""5;""#,
        #""100000000000000000000""#, #""0.1234567891""#, #""123456789012345678901.5""#, "true",
        "false", "null", "{}", #"{"v":5}"#, "[]", "[5]",
    ]

    @Test func `anything else is counted as unparsable, listed, and adds nothing`() async throws {
        try await withLog { client in
            let rows = Self.inexact.enumerated().map { index, json in
                LogRow(id: "bad", customer: "\(1000 + index)", properties: "{\"v\":\(json)}")
            }
            let good = rows.map {
                LogRow(id: "good", customer: $0.customer, properties: "{\"v\":-2.5}")
            }
            try await client.log(rows + good)
            let usage = try await client.usage(period(Self.metrics))
            let expected = MetricUsage(events: 2, quantity: number("-2.5"), unparsable: 1)
            for (customer, row) in zip(usage, rows) {
                #expect(customer.metrics == [expected, expected, expected], "\(row.properties)")
            }
            #expect(usage.count == rows.count)
            let listed = try await client.quarantined(period([metric(.sum, "v", code: "volume")]))
            #expect(listed.map(\.customerID) == rows.map(\.customer))
            #expect(listed.allSatisfy { $0.transactionID == "bad" && $0.reasons == "volume" })
        }
    }

    @Test func `a property that is missing is unparsable, and a quantity of nothing else is zero`()
        async throws
    {
        try await withLog { client in
            try await client.log([LogRow(properties: #"{"w":5}"#)])
            for aggregation in [Metric.Aggregation.sum, .max, .latest] {
                let usage = try await client.usage(of: metric(aggregation, "v"))
                #expect(usage == MetricUsage(events: 1, quantity: .zero, unparsable: 1))
            }
        }
    }

    /// Properties, and what their "v" is.
    static let members: [(String, String?)] = [
        (#"{"a":{"v":1234567890.1234567},"v":5.5}"#, "5.5"),
        (#"{"v":5.5,"a":{"v":1234567890.1234567}}"#, "5.5"),
        (#"{"a":[{"v":0.10000000000000000555}],"v":0.5}"#, "0.5"),
        (#"{"a":{"v":18446744073709551616},"v":"20000000000000000000"}"#, "20000000000000000000"),
        (#"{"vv":0.10000000000000000555,"v":0.5,"xv":0.10000000000000000555}"#, "0.5"),
        (#"{"note":"\"v\": 1234567890.1234567","v":5.5}"#, "5.5"),
        (#"{"note":"\"v\":","v":5.5}"#, "5.5"), (#"{"\u0076":5.5}"#, "5.5"),
        (#"{"a":{"v":1}}"#, nil), (#"{"V":1}"#, nil), (#"{"\u0076":0.10000000000000000555}"#, nil),
        (#"{"v" : 0.10000000000000000555}"#, nil), ("{\"v\"\n:\t\n0.10000000000000000555}", nil),
        (#"{"a":{"v":0.1},"v":0.10000000000000000555}"#, nil),
        (#"{"v":0.10000000000000000555,"a":{"v":0.1}}"#, nil),
        // What must not be read from the text alone.
        (#"{"a\"v":5}"#, nil), (#"{"v" :1,"v":2}"#, "1"), (#"{"v":1,"v":2}"#, "1"),
        (#"{"x":"v","v":5.5}"#, "5.5"), (#"{"x":"v"}"#, nil), (#"{"x":"{","v":5.5}"#, "5.5"),
        (#"{"v":1234567890123456}"#, "1234567890123456"),
        (#"{"v":-123456789012345}"#, "-123456789012345"),
        (#"{"v":123456789012.3456}"#, nil), (#"{"v":[5],"w":5}"#, nil), (#"{"v":5 }"#, "5"),
    ]

    @Test func `only the member of the object itself decides`() async throws {
        try await withLog { client in
            let rows = Self.members.enumerated().map { index, member in
                LogRow(customer: "\(1000 + index)", properties: member.0)
            }
            try await client.log(rows)
            let usage = try await client.usage(period([metric(.sum, "v")]))
            for (customer, (properties, quantity)) in zip(usage, Self.members) {
                let quantity = quantity.map(number)
                let expected = MetricUsage(
                    events: 1, quantity: quantity ?? .zero, unparsable: quantity == nil ? 1 : 0)
                #expect(customer.metrics == [expected], "\(properties)")
            }
            #expect(usage.count == rows.count)
        }
    }

    /// Names of properties, and how JSON writes them.
    static let names =
        [
            "bytes", "bytes sent", "a.b", "a_b", "größe", "a–b", "😀", "(x)", "[v]", "v+", "v*",
            "v?", "^v$",
            "a|b", "1", "12", "-", "a/b", "{p:String}", "it's", "%41", "$", "e\u{301}", "٣",
        ].map { ($0, $0) } + [
            ("\"", #"\""#), ("\\", #"\\"#), ("a\\b\"c", #"a\\b\"c"#), ("\n", #"\n"#),
            ("\0", #"\u0000"#),
        ]

    @Test func `a property may have any name`() async throws {
        try await withLog { client in
            for (index, (_, written)) in Self.names.enumerated() {
                let type = "type\(index)"
                try await client.log([
                    LogRow(id: "\(type) short", type: type, properties: "{\"\(written)\":5.5}"),
                    LogRow(
                        id: "\(type) long", type: type,
                        properties: "{\"\(written)\":0.10000000000000000555}"),
                ])
            }
            let metrics = Self.names.enumerated().map { metric(.sum, $1.0, type: "type\($0)") }
            let usage = try #require(try await client.usage(period(metrics)).first)
            for (used, (name, _)) in zip(usage.metrics, Self.names) {
                #expect(
                    used == MetricUsage(events: 2, quantity: number("5.5"), unparsable: 1),
                    "\(name.debugDescription)")
            }
            #expect(usage.metrics.count == Self.names.count)
        }
    }

    @Test func `sums are exact and do not wrap`() async throws {
        try await withLog { client in
            let largest = "99999999999999999999.999999999"
            try await client.log(
                (0..<3000).map { LogRow(id: "s\($0)", properties: #"{"v":"\#(largest)"}"#) })
            #expect(
                try await client.usage(of: metric(.sum, "v")).quantity
                    == number("299999999999999999999999.999997"))
            try await client.log(
                [0.1, 0.2].map { LogRow(id: "t\($0)", type: "tenths", properties: "{\"v\":\($0)}") }
            )
            #expect(
                try await client.usage(of: metric(.sum, "v", type: "tenths")).quantity
                    == number("0.3"))
            try await client.log(
                (0..<3).map {
                    LogRow(id: "i\($0)", type: "large", properties: "{\"v\":\(Int64.max)}")
                })
            #expect(
                try await client.usage(of: metric(.sum, "v", type: "large")).quantity
                    == number("27670116110564327421"))
            try await client.log(
                (0..<3).map {
                    LogRow(id: "n\($0)", type: "negative", properties: "{\"v\":\(Int64.min)}")
                })
            #expect(
                try await client.usage(of: metric(.sum, "v", type: "negative")).quantity
                    == number("-27670116110564327424"))
        }
    }
}
