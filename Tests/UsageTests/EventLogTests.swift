import ClickHouse
import Exact
import Testing
import Usage

/// What appending adds, and what it leaves behind.
@Suite(.timeLimit(.minutes(5))) struct EventLogTests {
    struct Counts: Equatable {
        var added: Int64
        var known: Int64
    }

    static func events(_ range: Range<Int>) -> [UsageEvent] {
        range.map {
            event("t\($0)", at: october.start + Int64($0) * 60_000, properties: "{\"v\":\($0)}")
        }
    }

    static func event(
        _ id: String, customer: String = "acme", type: String = "call", at: Int64 = LogRow().at,
        properties: String = "{}"
    ) -> UsageEvent {
        UsageEvent(
            transactionID: id, customerID: customer, eventType: type, timestampMilliseconds: at,
            properties: Array(properties.utf8))
    }

    @Test func `appending the same events again adds nothing, a grown set the rest`() async throws {
        try await withLog { client in
            let first = try await append(Self.events(0..<100), to: client)
            #expect(first == Counts(added: 100, known: 0))
            #expect(
                try await append(Self.events(0..<100), to: client) == Counts(added: 0, known: 100))
            #expect(
                try await append(Self.events(50..<130).shuffled(), to: client)
                    == Counts(added: 30, known: 50))
            #expect(
                try await append(Self.events(0..<130), to: client, ingestedAt: day + 9)
                    == Counts(added: 0, known: 130))
            let usage = try await client.usage(of: metric(.sum, "v"))
            #expect(usage == MetricUsage(events: 130, quantity: 8385, unparsable: 0))
            #expect(try await client.figures() == Figures(events: 130))
        }
    }

    @Test func `nothing is appended for no events, and no table is made`() async throws {
        try await withLog { client in
            let counts = try await append([], to: client)
            #expect(counts == Counts(added: 0, known: 0))
            #expect(try await tables(client) == ["events", "schema_migrations"])
        }
    }

    @Test func `what is written is what the events say, and when they were received`() async throws
    {
        try await withLog { client in
            let event = Self.event(
                "id:1", customer: "a.b-c_d", type: "api_request", at: october.start + 7,
                properties: #"{"v":"12345678901234567.123456789","é":"\u0000\n\\'","x":{}}"#)
            let counts = try await append([event], to: client, ingestedAt: october.end + 123)
            #expect(counts == Counts(added: 1, known: 0))
            let rows = try await client.rows(
                ClickHouseQuery(
                    """
                    SELECT transaction_id, customer_id, event_type, properties,
                        toUnixTimestamp64Milli(timestamp) AS at, toUnixTimestamp64Milli(ingested_at) AS ingested
                    FROM events
                    """))
            let row = try #require(rows.first)
            #expect(rows.count == 1)
            #expect(try row.string("transaction_id") == event.transactionID)
            #expect(try row.string("customer_id") == event.customerID)
            #expect(try row.string("event_type") == event.eventType)
            #expect(Array(try row.string("properties").utf8) == event.properties)
            #expect(try row.int64("at") == event.timestampMilliseconds)
            #expect(try row.int64("ingested") == october.end + 123)
        }
    }

    @Test(arguments: [
        event("t1", properties: #"{"v":2}"#),
        event("t1", at: LogRow().at + 1, properties: #"{"v":1}"#),
        event("t1", at: october.end, properties: #"{"v":1}"#),
        event("t1", type: "other", properties: #"{"v":1}"#),
        event("t1", properties: #"{"v":1 }"#), event("t1", properties: #"{"v":1.0}"#),
    ])
    func `a known identity with another content is appended, as a conflict`(_ other: UsageEvent)
        async throws
    {
        let event = Self.event("t1", properties: #"{"v":1}"#)
        try await withLog { client in
            let first = try await append([event], to: client, ingestedAt: day)
            #expect(first == Counts(added: 1, known: 0))
            #expect(
                try await append([event, other], to: client, ingestedAt: day + 1)
                    == Counts(added: 1, known: 1))
            #expect(
                try await append([other, event], to: client, ingestedAt: day + 2)
                    == Counts(added: 0, known: 2))
            #expect(try await client.figures() == Figures(events: 1, conflicts: 1))
            #expect(try await client.usage(of: metric(.sum, "v")).quantity == 1)
        }
    }

    @Test func `events that differ in a customer, an id or a letter are all appended`() async throws
    {
        try await withLog { client in
            let events = [
                Self.event("t1"), Self.event("t1", customer: "Acme"),
                Self.event("t1", customer: "acm"),
                Self.event("T1"), Self.event("t"), Self.event("et1", customer: "acm"),
                Self.event("t11"),
            ]
            for event in events {
                let counts = try await append([event], to: client)
                #expect(counts == Counts(added: 1, known: 0))
            }
            #expect(try await append(events, to: client) == Counts(added: 0, known: 7))
            #expect(try await client.figures() == Figures(events: 7))
        }
    }

    @Test func `a batch that repeats itself is appended once`() async throws {
        try await withLog { client in
            let events = Self.events(0..<10)
            let counts = try await append(events + events + [events[3]], to: client)
            #expect(counts == Counts(added: 10, known: 11))
            #expect(try await client.values("SELECT count() AS value FROM events") == ["10"])
        }
    }

    @Test func `batches border without a gap or an overlap`() async throws {
        try await withLog { client in
            let count = 100_000
            // The first event again behind the border: known from the batch before.
            let events = Self.events(0..<count)
            let counts = try await append(events + [events[0]], to: client)
            #expect(counts == Counts(added: Int64(count), known: 1))
            let sums = try await client.values(
                "SELECT concat(toString(count()), ' ', toString(uniqExact(transaction_id))) AS value FROM events"
            )
            #expect(sums == ["\(count) \(count)"])
            #expect(
                try await append(Array(events.suffix(10)), to: client)
                    == Counts(added: 0, known: 10))
        }
    }

    @Test func `the table of an import is dropped, and nothing else is`() async throws {
        try await withLog { client in
            // Of an import that runs now, and of other people.
            let others = [
                "incoming_1790812800000_k3j2", "incoming", "incoming_", "my_incoming_1_a",
                "incoming_1_A",
            ]
            for name in others {
                try await client.execute(
                    ClickHouseQuery(
                        "CREATE TABLE `\(name)` AS events ENGINE = MergeTree ORDER BY tuple()"))
            }
            let counts = try await append(Self.events(0..<3), to: client)
            #expect(counts == Counts(added: 3, known: 0))
            #expect(Set(try await tables(client)) == Set(others + ["events", "schema_migrations"]))
        }
    }

    @Test func `leftovers of a day ago are removed by the next import`() async throws {
        // Tables in a database of this engine have no time of change: they are as old as can be.
        try await withUsageDatabase(engine: "ENGINE = Memory") { client in
            try await client.execute(
                ClickHouseQuery(
                    """
                    CREATE TABLE events (transaction_id String, customer_id String, event_type String,
                        timestamp DateTime64(3, 'UTC'), properties String,
                        ingested_at DateTime64(3, 'UTC')) ENGINE = MergeTree ORDER BY customer_id
                    """))
            let others = [
                "incoming", "incoming_", "incoming_x_1", "my_incoming_1_a", "incoming_1_a_b",
                "incoming_1_A",
            ]
            for name in others + ["incoming_1_a", "incoming_1790812800000_3w5e11264sgsf"] {
                try await client.execute(
                    ClickHouseQuery("CREATE TABLE `\(name)` (a Int8) ENGINE = Memory"))
            }
            let counts = try await append(Self.events(0..<3), to: client)
            #expect(counts == Counts(added: 3, known: 0))
            #expect(Set(try await tables(client)) == Set(others + ["events"]))
        }
    }

    @Test func `an import that died leaves what it had appended, and the next adds the rest`()
        async throws
    {
        try await withLog { client in
            let events = Self.events(0..<100_500)
            let died = EventLog(clickHouse: client, ingestedAt: Instant(milliseconds: day))
            for event in events { try await died.append(event) }
            #expect(died.added == 100_000)
            let left = try await tables(client).filter { $0.hasPrefix("incoming_\(day)_") }
            #expect(left.count == 1)
            // Never finished: its second batch was not even sent.
            #expect(try await append(events, to: client) == Counts(added: 500, known: 100_000))
            let figures = try await client.figures(
                period([], october.start, october.end + 400 * dayMilliseconds))
            #expect(figures == Figures(events: 100_500))
            // It may still be alive for all that the next can know.
            #expect(try await tables(client) == ["events"] + left + ["schema_migrations"])
        }
    }

    @Test func `two imports of one file at once bill nothing twice`() async throws {
        try await withLog { client in
            async let first = append(Self.events(0..<2000), to: client, ingestedAt: day)
            async let second = append(Self.events(0..<2000), to: client, ingestedAt: day + 5)
            let counts = try await [first, second]
            #expect(counts.map { $0.added + $0.known } == [2000, 2000])
            let figures = try await client.figures()
            #expect(figures.events == 2000)
            #expect(figures.conflicts == 0)
            #expect(try await tables(client) == ["events", "schema_migrations"])
        }
    }

    @Test func `without a log, appending fails`() async throws {
        try await withUsageDatabase { client in
            let error = await #expect(throws: ClickHouseError.self) {
                _ = try await append(Self.events(0..<3), to: client)
            }
            #expect(error?.code == .server(code: 60))
        }
    }

    private func append(
        _ events: [UsageEvent], to client: ClickHouseClient, ingestedAt: Int64 = day
    ) async throws -> Counts {
        let log = EventLog(clickHouse: client, ingestedAt: Instant(milliseconds: ingestedAt))
        for event in events { try await log.append(event) }
        try await log.finish()
        return Counts(added: log.added, known: log.known)
    }

    private func tables(_ client: ClickHouseClient) async throws -> [String] {
        try await client.values(
            "SELECT name AS value FROM system.tables WHERE database = currentDatabase() AND NOT match(name, '^(usage|sealing)_') ORDER BY name"
        )
    }
}
