import ClickHouse
import Exact
import Testing

@testable import Usage

/// Which of several rows with one identity counts, and when.
@Suite(.timeLimit(.minutes(5))) struct MeteringIdentityTests {
    static let volume = metric(.sum, "v")

    static func row(_ v: Int, ingested: Int64 = 0, at: Int64 = LogRow().at, type: String = "call")
        -> LogRow
    {
        LogRow(
            type: type, at: at, properties: "{\"v\":\(v)}", ingested: LogRow().ingested + ingested)
    }

    @Test func `identical rows are one event`() async throws {
        try await withLog { client in
            try await client.log([Self.row(5), Self.row(5)])
            try await client.log([Self.row(5)])
            // Received again later: still the same content.
            try await client.log([Self.row(5, ingested: 1000), Self.row(5, ingested: -1000)])
            #expect(
                try await client.usage(of: Self.volume)
                    == MetricUsage(events: 1, quantity: 5, unparsable: 0))
            #expect(try await client.figures() == Figures(events: 1, duplicates: 4))
            #expect(try await client.conflicts().isEmpty)
        }
    }

    struct Conflict: Sendable {
        var what: String
        var later: LogRow
    }

    static let conflicts = [
        Conflict(what: "amount", later: row(7, ingested: 1)),
        Conflict(what: "hour", later: row(5, ingested: 1, at: LogRow().at + hourMilliseconds)),
        Conflict(
            what: "day", later: row(5, ingested: 1, at: LogRow().at - dayMilliseconds / 2 - 1)),
        Conflict(what: "millisecond", later: row(5, ingested: 1, at: LogRow().at + 1)),
        Conflict(what: "month after", later: row(5, ingested: 1, at: october.end + 1)),
        Conflict(what: "month before", later: row(5, ingested: 1, at: october.start - 1)),
        Conflict(
            what: "a year later",
            later: row(5, ingested: 1, at: LogRow().at + 365 * dayMilliseconds)),
        Conflict(what: "type", later: row(5, ingested: 1, type: "other")),
        Conflict(what: "all of it", later: row(8, ingested: 1, at: october.end, type: "other")),
    ]

    @Test(arguments: conflicts)
    func `of conflicting rows the first received counts, and its time decides the period`(
        _ conflict: Conflict
    ) async throws {
        let (first, later) = (Self.row(5), conflict.later)
        try await withLog { client in
            // Appended in either order, each row a part of its own.
            for (customer, rows) in [("a", [first, later]), ("b", [later, first])] {
                for var row in rows {
                    row.customer = customer
                    try await client.log([row])
                }
            }
            let counted = MetricUsage(events: 1, quantity: 5, unparsable: 0)
            let usage = try await client.usage(period([Self.volume]))
            #expect(usage.map(\.customerID) == ["a", "b"])
            #expect(usage.map(\.metrics) == [[counted], [counted]])
            #expect(try await client.figures() == Figures(events: 2, conflicts: 2))
            let listed = try await client.conflicts()
            #expect(listed.map(\.counted) == [content(first), content(first)])
            #expect(listed.map(\.conflicting) == [content(later), content(later)])
            #expect(listed.map(\.transactionID) == ["t1", "t1"])
            #expect(listed.map(\.customerID) == ["a", "b"])
            // Wherever the later row lies, there it is nothing.
            let after = period([Self.volume], october.end, october.end + 400 * dayMilliseconds)
            let before = period(
                [Self.volume], october.start - 30 * dayMilliseconds, october.start)
            for period in [after, before] {
                #expect(try await client.usage(period).isEmpty)
                #expect(try await client.figures(period) == Figures(events: 0))
                #expect(try await client.conflicts(period).isEmpty)
            }
        }
    }

    @Test(arguments: conflicts)
    func `a row that was received earlier takes the event away, whatever it says`(
        _ conflict: Conflict
    ) async throws {
        var winner = conflict.later
        winner.ingested = LogRow().ingested - 1
        try await withLog { client in
            try await client.log([Self.row(5), winner])
            let isInPeriod = october.start <= winner.at && winner.at < october.end
            let isCounted = isInPeriod && winner.type == "call"
            let quantity: ExactDecimal = !isCounted ? 0 : winner.properties == "{\"v\":7}" ? 7 : 5
            let usage = try await client.usage(of: Self.volume)
            #expect(
                usage == MetricUsage(events: isCounted ? 1 : 0, quantity: quantity, unparsable: 0))
            #expect(
                try await client.figures()
                    == (isInPeriod
                        ? Figures(events: 1, conflicts: 1) : Figures(events: 0)))
        }
    }

    @Test func `of rows received together the lowest content hash counts, in any order`()
        async throws
    {
        try await withLog { client in
            let rows = (1...6).map { Self.row($0) }
            for row in rows.reversed() { try await client.log([row]) }
            let first = try #require(
                try await client.values(
                    """
                    SELECT properties AS value FROM events
                    ORDER BY cityHash64(event_type, toUnixTimestamp64Milli(timestamp), properties) LIMIT 1
                    """
                ).first)
            let counted = try await client.conflicts().map(\.counted.properties)
            #expect(counted == Array(repeating: first, count: 5))
            let usage = try await client.usage(of: Self.volume)
            #expect("{\"v\":\(usage.quantity)}" == first)
            #expect(try await client.figures() == Figures(events: 1, conflicts: 5))
        }
    }

    @Test func `duplicates are decided before any filter`() async throws {
        let success = [Condition(property: "status", test: .bounds([.gte: 200, .lt: 300]))]
        try await withLog { client in
            try await client.log([
                LogRow(properties: #"{"status":500,"v":1}"#, ingested: day),
                LogRow(properties: #"{"status":200,"v":1}"#, ingested: day + 1),
                LogRow(id: "t2", properties: #"{"status":200,"v":1}"#),
            ])
            let usage = try await client.usage(of: metric(.sum, "v", where: success))
            #expect(usage == MetricUsage(events: 1, quantity: 1, unparsable: 0))
            #expect(try await client.figures() == Figures(events: 2, conflicts: 1))
        }
    }

    @Test func `an unreadable quantity that was received first is not replaced by a readable one`()
        async throws
    {
        try await withLog { client in
            try await client.log([
                LogRow(properties: #"{"v":"many"}"#, ingested: day),
                LogRow(properties: #"{"v":3}"#, ingested: day + 1),
            ])
            #expect(
                try await client.usage(of: Self.volume)
                    == MetricUsage(events: 1, quantity: 0, unparsable: 1))
        }
    }

    @Test func `one transaction_id of two customers is two events`() async throws {
        try await withLog { client in
            try await client.log([
                LogRow(customer: "a", properties: #"{"v":1}"#),
                LogRow(customer: "b", properties: #"{"v":2}"#),
                LogRow(id: "1", customer: "ab"), LogRow(id: "b1", customer: "a"),
                LogRow(id: "T1", customer: "a", properties: #"{"v":4}"#),
                LogRow(id: "t1 ", customer: "a", properties: #"{"v":8}"#),
            ])
            #expect(
                try await client.usage(period([Self.volume])).map { $0.metrics[0].quantity } == [
                    13, 0, 2,
                ])
            #expect(try await client.figures() == Figures(events: 6))
        }
    }

    @Test func `an event lies in exactly one period, to the millisecond`() async throws {
        try await withLog { client in
            let borders = [
                october.start, october.start + hourMilliseconds * 5 + 45 * 60_000, october.end,
            ]
            try await client.log(
                borders.enumerated().flatMap { index, border in
                    (-2...2).map {
                        LogRow(id: "\(index) \($0)", at: border + $0, properties: #"{"v":1}"#)
                    }
                })
            let start = october.start - dayMilliseconds
            let edges = [start] + borders + [october.end + dayMilliseconds]
            for (edge, (from, to)) in zip(edges, edges.dropFirst()).enumerated() {
                let query = period([Self.volume], from, to)
                #expect(try await client.usage(query).map(\.events) == [[2, 5, 5, 3][edge]])
            }
            for border in borders {
                let usage = try await client.usage(period([Self.volume], border, border + 1))
                #expect(usage.map(\.events) == [1])
            }
        }
    }

    @Test func `repeated conflicts are one conflict each, and the rest are duplicates`()
        async throws
    {
        try await withLog { client in
            try await client.log([
                Self.row(5), Self.row(5), Self.row(7, ingested: 1), Self.row(7, ingested: 2),
                Self.row(9, ingested: 3), Self.row(5, ingested: 4),
            ])
            #expect(
                try await client.figures() == Figures(events: 1, duplicates: 3, conflicts: 2))
            #expect(
                try await client.conflicts().map(\.conflicting.properties) == [
                    "{\"v\":7}", "{\"v\":9}",
                ])
            #expect(try await client.conflicts(customer: "acme").count == 2)
            #expect(try await client.conflicts(customer: "other").isEmpty)
        }
    }

    private func content(_ row: LogRow) -> EventContent {
        EventContent(
            eventType: row.type, timestamp: Instant(milliseconds: row.at),
            properties: row.properties)
    }
}
