import ClickHouse
import Exact
import Testing
import Usage

@Suite(.timeLimit(.minutes(5))) struct MeteringAggregationTests {
    /// Values of "v" in order of time, and what each aggregation makes of them.
    struct Folding: Sendable {
        var values: [String]
        var count: String
        var sum: String
        var max: String
        var uniqueCount: String
        var latest: String
    }

    @Test(arguments: [
        Folding(values: ["5"], count: "1", sum: "5", max: "5", uniqueCount: "1", latest: "5"),
        Folding(
            values: ["1", "3", "2"], count: "3", sum: "6", max: "3", uniqueCount: "3", latest: "2"),
        Folding(
            values: ["-1", "-3", "-2"], count: "3", sum: "-6", max: "-1", uniqueCount: "3",
            latest: "-2"),
        Folding(values: ["0", "0"], count: "2", sum: "0", max: "0", uniqueCount: "1", latest: "0"),
        Folding(
            values: ["9", "\"10\"", "10"], count: "3", sum: "29", max: "10", uniqueCount: "2",
            latest: "10"),
        Folding(
            values: ["\"0.000000001\"", "99999999999", "0.5"], count: "3",
            sum: "99999999999.500000001",
            max: "99999999999", uniqueCount: "3", latest: "0.5"),
    ])
    func `each aggregation folds the events of the period`(_ folding: Folding) async throws {
        try await withLog { client in
            // Appended in an order of their own, since only time decides which is the latest.
            for (index, json) in folding.values.enumerated().reversed() {
                try await client.log([
                    LogRow(
                        id: "t\(9 - index)", at: october.start + Int64(index) * 1000,
                        properties: "{\"v\":\(json)}", ingested: october.end - Int64(index))
                ])
            }
            let expected: [(Metric.Aggregation, String)] = [
                (.count, folding.count), (.sum, folding.sum), (.max, folding.max),
                (.uniqueCount, folding.uniqueCount), (.latest, folding.latest),
            ]
            #expect(expected.map(\.0) == Metric.Aggregation.allCases)
            let metrics = expected.map { metric($0.0, $0.0 == .count ? nil : "v") }
            let usage = try await client.usage(period(metrics))
            #expect(usage.map(\.customerID) == ["acme"])
            let events = Int64(folding.values.count)
            #expect(
                usage.first?.metrics
                    == expected.map {
                        MetricUsage(events: events, quantity: number($1), unparsable: 0)
                    })
        }
    }

    @Test func `the last of a tie in time is the one with the highest transaction_id`() async throws
    {
        try await withLog { client in
            let ids = ["t1", "t10", "t9", "T9", "t"]
            try await client.log(
                ids.enumerated().map {
                    LogRow(id: $1, properties: "{\"v\":\($0)}", ingested: day + Int64($0))
                })
            try await client.log([
                LogRow(id: "u1", at: LogRow().at + 1, properties: #"{"v":"unreadable"}"#)
            ])
            let usage = try await client.usage(of: metric(.latest, "v"))
            #expect(usage == MetricUsage(events: 6, quantity: 2, unparsable: 1))
            try await client.log([LogRow(id: "a", at: LogRow().at + 1, properties: #"{"v":7}"#)])
            #expect(try await client.usage(of: metric(.latest, "v")).quantity == 7)
        }
    }

    @Test func `different values are counted as they are written, and strings as their text`()
        async throws
    {
        try await withLog { client in
            let values = [
                "\"a\"", "\"a\"", "\"A\"", "\"a \"", "\"\"", "1", "\"1\"", "1.0", "true",
                "\"true\"", "[1]", "[ 1 ]",
                "18446744073709551617", "18446744073709551618", "\"\\u0061\"", "null",
            ]
            try await client.log(
                values.enumerated().map { LogRow(id: "t\($0)", properties: "{\"v\":\($1)}") })
            try await client.log([LogRow(id: "missing")])
            let usage = try await client.usage(of: metric(.uniqueCount, "v"))
            // a, A, "a ", nothing, 1, true, [1] and two long integers; null and missing have no value.
            #expect(usage == MetricUsage(events: 17, quantity: 9, unparsable: 2))
        }
    }

    @Test func `customers are apart, in order, and without usage of a metric it is zero`()
        async throws
    {
        try await withLog { client in
            try await client.log([
                LogRow(id: "t1", customer: "zoo", properties: #"{"v":1}"#),
                LogRow(id: "t1", customer: "acme", properties: #"{"v":2}"#),
                LogRow(id: "t2", customer: "acme", properties: #"{"v":3}"#),
                LogRow(id: "t1", customer: "Ütopia", type: "other"),
                LogRow(id: "t1", customer: "late", at: october.end),
            ])
            let query = period([
                metric(.sum, "v"), metric(.count, type: "other"),
                metric(.latest, "v", type: "none"),
            ])
            let usage = try await client.usage(query)
            #expect(usage.map(\.customerID) == ["acme", "zoo", "Ütopia"])
            #expect(usage.map(\.events) == [2, 1, 1])
            #expect(
                usage.map { $0.metrics.map(\.quantity) } == [[5, 0, 0], [1, 0, 0], [0, 1, 0]])
            #expect(usage.map { $0.metrics.map(\.events) } == [[2, 0, 0], [1, 0, 0], [0, 1, 0]])
            for customer in usage {
                #expect(try await client.usage(query, customer: customer.customerID) == [customer])
            }
            #expect(try await client.usage(query, customer: "nobody").isEmpty)
            #expect(try await client.usage(query, customer: "acme' OR 1=1 --").isEmpty)
        }
    }

    @Test func `a log without events is an answer without customers`() async throws {
        try await withLog { client in
            let usage = try await client.usage(period([metric(.sum, "v")]))
            #expect(usage.isEmpty)
            #expect(try await client.figures() == Figures(events: 0))
            #expect(try await client.conflicts().isEmpty)
            #expect(try await client.quarantined().isEmpty)
        }
    }

    @Test func `a long catalog is asked in one question`() async throws {
        let metrics = (0..<80).map { index in
            metric(
                .sum, "v", type: index % 2 == 0 ? "call" : "other",
                where: ["v", "w", "x"].map {
                    Condition(
                        property: $0, test: .bounds([.gte: ExactDecimal(index), .lt: 90]),
                        passesWhenMissing: $0 != "v")
                })
        }
        let query = period(metrics)
        // More than a server takes by default (max_query_size).
        #expect(query.fromWinners(of: "acme").sql.utf8.count > 262_144)
        try await withLog { client in
            try await client.log(
                (0..<100).map { LogRow(id: "t\($0)", properties: "{\"v\":\($0)}") })
            let usage = try #require(try await client.usage(query).first)
            for (index, used) in usage.metrics.enumerated() {
                let sum = index % 2 == 0 ? (index..<90).reduce(0, +) : 0
                #expect(used.quantity == ExactDecimal(sum))
            }
        }
    }
}
