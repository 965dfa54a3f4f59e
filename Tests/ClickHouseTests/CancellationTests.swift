import ClickHouse
import Testing

@Suite(.timeLimit(.minutes(2))) struct CancellationTests {
    @Test func `cancelling a task kills its query on the server`() async throws {
        let client = try client()
        let mark = newMark()
        let task = Task {
            try await client.rows(
                ClickHouseQuery(
                    "SELECT sleepEachRow(0.1) AS \(mark) FROM numbers(6000) SETTINGS max_block_size = 1"
                ))
        }
        try await client.untilRunning(mark, count: 1)
        task.cancel()
        let error = try await clickHouseError { _ = try await task.value }
        #expect(error.code == .cancelled)
        try await client.untilRunning(mark, count: 0)
    }

    @Test func `cancelling a task that reads an answer kills its query`() async throws {
        let client = try client()
        let mark = newMark()
        let (reading, signal) = AsyncStream<Void>.makeStream()
        let (never, end) = AsyncStream<Never>.makeStream()
        let task = Task {
            try await client.forEachBatch(
                ClickHouseQuery("SELECT number AS \(mark) FROM numbers(100000000000)")
            ) { _ in
                signal.yield()
                // Until the task is cancelled: the server stands still meanwhile, since nobody reads.
                for await _ in never {}
            }
        }
        for await _ in reading { break }
        try await client.untilRunning(mark, count: 1)
        task.cancel()
        let error = try await clickHouseError { try await task.value }
        #expect(error.code == .cancelled)
        try await client.untilRunning(mark, count: 0)
        end.finish()
    }

    @Test func `a reader that stops because it is cancelled kills the query too`() async throws {
        let client = try client()
        let mark = newMark()
        let (reading, signal) = AsyncStream<Void>.makeStream()
        let task = Task {
            try await client.forEachBatch(
                ClickHouseQuery("SELECT number AS \(mark) FROM numbers(100000000000)")
            ) { _ in
                signal.yield()
                try Task.checkCancellation()
            }
        }
        for await _ in reading { break }
        task.cancel()
        let error = await #expect(throws: (any Error).self) { try await task.value }
        #expect(error is CancellationError || (error as? ClickHouseError)?.code == .cancelled)
        try await client.untilRunning(mark, count: 0)
    }

    @Test func `a query of a task that is cancelled already is not sent`() async throws {
        let server = try ScriptedServer { _ in chunked([Array("n\n".utf8)], tag: nil) }
        let client = try client(url: server.url)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.rows(ClickHouseQuery("SELECT 1"))
        }
        let error = try await clickHouseError { _ = try await task.value }
        #expect(error.code == .cancelled)
        #expect(server.requests.allSatisfy { !$0.contains("default_format") })
    }

    @Test func `cancelling an insert stores nothing and leaves nothing running`() async throws {
        try await withDatabase { client in
            let table = newMark()
            try await client.execute(
                ClickHouseQuery("CREATE TABLE \(table) (a Int64) ENGINE = MergeTree ORDER BY a"))
            let (supplying, signal) = AsyncStream<Void>.makeStream()
            let task = Task {
                try await client.insert(into: table, columns: ["a"], format: "TabSeparated") {
                    signal.yield()
                    await Task.yield()
                    try Task.checkCancellation()
                    return Array("1\n2\n3\n".utf8)
                }
            }
            for await _ in supplying { break }
            task.cancel()
            let error = await #expect(throws: (any Error).self) { try await task.value }
            #expect(error is CancellationError || (error as? ClickHouseError)?.code == .cancelled)
            try await client.untilRunning(table, count: 0)
            #expect(try await client.value("SELECT count() AS value FROM \(table)") == "0")
        }
    }
}

/// A name that occurs in one query of the whole server.
private func newMark() -> String {
    "mark_" + String(UInt64.random(in: 0 ... .max), radix: 36)
}

extension ClickHouseClient {
    /// Asks again until so many queries that mention the mark run; the test's time limit ends it.
    fileprivate func untilRunning(_ mark: String, count: Int) async throws {
        while try await value(
            """
            SELECT count() AS value FROM system.processes
            WHERE position(query, {mark:String}) > 0 AND position(query, 'system.processes') = 0
            """, ["mark": .string(mark)]) != String(count)
        {
            try Task.checkCancellation()
            await Task.yield()
        }
    }
}
