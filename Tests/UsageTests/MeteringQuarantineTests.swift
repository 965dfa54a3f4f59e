import ClickHouse
import Exact
import Testing
import Usage

/// Rows that are no events: counted, listed with a reason, and out of everybody's way.
@Suite(.timeLimit(.minutes(5))) struct MeteringQuarantineTests {
    static let volume = metric(.sum, "v", code: "volume")

    static let broken = [
        "", " ", "null", "true", "5", "\"text\"", "[]", #"[{"v":1}]"#, "{", #"{"v":1"#, #"{"v":"#,
        #"{"v":1}}"#,
        #"{"v":1} x"#, #"{"v":1}{"v":2}"#, #"{"v":1,}"#, #"{v:1}"#, #"{'v':1}"#, #"{"v":01}"#,
        #"{"v":.5}"#,
        #"{"v":5.}"#, #"{"v":+5}"#, #"{"v":0x10}"#, #"{"v":NaN}"#, #"{"v":"\ud800"}"#,
        #"{"v":"\x41"}"#, "{\"v\":\"\u{1}\"}",
        #"{"v":1e400}"#, "not JSON",
    ]

    @Test func `properties that are no JSON object are quarantined`() async throws {
        try await withLog { client in
            let rows = Self.broken.enumerated().map { index, properties in
                LogRow(
                    id: "t\(100 + index)", at: LogRow().at + Int64(index), properties: properties)
            }
            try await client.log(rows)
            let usage = try await client.usage(period([Self.volume]))
            #expect(usage.isEmpty)
            #expect(
                try await client.figures()
                    == Figures(events: 0, quarantined: Int64(Self.broken.count)))
            let listed = try await client.quarantined()
            #expect(listed.map(\.content.properties) == Self.broken)
            #expect(listed.map(\.transactionID) == rows.map(\.id))
            #expect(listed.map(\.content.timestamp.milliseconds) == rows.map(\.at))
            for event in listed {
                #expect(event.reasons == "properties are no JSON object")
                #expect(event.customerID == "acme")
                #expect(event.content.eventType == "call")
            }
        }
    }

    @Test(arguments: [
        ("", "t1", "{}", "no customer_id"), ("acme", "", "{}", "no transaction_id"),
        ("", "", "[", "no customer_id, no transaction_id, properties are no JSON object"),
        ("", "t1", #"{"v":"x"}"#, "no customer_id"),
    ])
    func `rows without an id are quarantined, with every reason`(
        _ customer: String, _ id: String, _ properties: String, _ reasons: String
    ) async throws {
        try await withLog { client in
            // Repeated rows too: without an id nobody can say that they are one.
            let row = LogRow(id: id, customer: customer, type: "call", properties: properties)
            try await client.log([row, row])
            let metrics = properties == "[" ? [] : [Self.volume]
            let usage = try await client.usage(period(metrics))
            #expect(usage.isEmpty)
            #expect(try await client.figures() == Figures(events: 0, quarantined: 2))
            let listed = try await client.quarantined(period(properties == "{}" ? [] : metrics))
            #expect(listed.map(\.reasons) == [reasons, reasons])
        }
    }

    @Test func `a quarantined row does not compete with a good one`() async throws {
        try await withLog { client in
            try await client.log([
                LogRow(properties: "{", ingested: day), LogRow(properties: "[]", ingested: day + 1),
                LogRow(at: october.start - 1, properties: "x", ingested: day),
                LogRow(properties: #"{"v":5}"#, ingested: day + 2),
                LogRow(properties: #"{"v":5}"#, ingested: day + 3),
                LogRow(customer: "", properties: #"{"v":7}"#, ingested: day),
                LogRow(id: "", properties: #"{"v":7}"#, ingested: day),
            ])
            let usage = try await client.usage(period([Self.volume]))
            #expect(usage.map(\.customerID) == ["acme"])
            #expect(usage.map(\.metrics) == [[MetricUsage(events: 1, quantity: 5, unparsable: 0)]])
            #expect(
                try await client.figures() == Figures(events: 1, duplicates: 1, quarantined: 4)
            )
            #expect(try await client.conflicts().isEmpty)
        }
    }

    @Test func `each quarantined row belongs to the period of its own time`() async throws {
        try await withLog { client in
            let times = [october.start - 1, october.start, october.end - 1, october.end]
            try await client.log(
                times.enumerated().map { LogRow(id: "t\($0)", at: $1, properties: "{") })
            let figures = try await client.figures()
            #expect(figures == Figures(events: 0, quarantined: 2))
            #expect(try await client.quarantined().map(\.transactionID) == ["t1", "t2"])
            #expect(try await client.quarantined(customer: "other").isEmpty)
            #expect(try await client.quarantined(customer: "acme").count == 2)
        }
    }

    @Test func `a quantity that cannot be read is listed with the metrics that wanted it`()
        async throws
    {
        let metrics = [
            Self.volume, metric(.max, "w", code: "peak"), metric(.uniqueCount, "u", code: "users"),
            metric(.latest, "v", type: "other", code: "level"), metric(.count, code: "calls"),
            metric(
                .sum, "v", where: [Condition(property: "ok", test: .isOne(of: ["true"]))],
                code: "good"),
        ]
        try await withLog { client in
            try await client.log([
                LogRow(id: "t1", properties: #"{"v":1,"w":2,"u":"a"}"#),
                LogRow(id: "t2", properties: #"{"v":"x","w":2,"u":"a"}"#),
                LogRow(id: "t3", properties: #"{"v":"x","w":null,"ok":true}"#),
                LogRow(id: "t4", type: "other", properties: #"{"w":2}"#),
                LogRow(id: "t5", type: "unmetered"),
            ])
            let listed = try await client.quarantined(period(metrics))
            #expect(listed.map(\.transactionID) == ["t2", "t3", "t4"])
            #expect(listed.map(\.reasons) == ["volume", "volume, peak, users, good", "level"])
            let usage = try #require(try await client.usage(period(metrics)).first)
            #expect(usage.metrics.map(\.unparsable) == [2, 1, 1, 1, 0, 1])
            #expect(usage.metrics.map(\.events) == [3, 3, 3, 1, 3, 1])
            // They are events nevertheless.
            #expect(try await client.figures() == Figures(events: 5))
        }
    }
}
