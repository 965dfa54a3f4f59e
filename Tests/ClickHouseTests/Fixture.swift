import ClickHouse
import Glibc
import HTTP
import Synchronization
import Testing

/// The server under test; without it these tests cannot mean anything.
func serverURL() throws -> String {
    try #require(
        getenv("CLICKHOUSE_URL").map { String(cString: $0) },
        "CLICKHOUSE_URL is not set: these tests need a ClickHouse")
}

func client(url: String) throws -> ClickHouseClient {
    ClickHouseClient(configuration: try ClickHouseConfiguration(url: url), http: try HTTPClient())
}

/// A client of the server under test, in the database that the URL names: for questions, not for tables.
func client() throws -> ClickHouseClient {
    try client(url: try serverURL())
}

/// Runs a test in a database of its own, which is dropped afterwards.
func withDatabase(_ body: (ClickHouseClient) async throws -> Void) async throws {
    let configuration = try ClickHouseConfiguration(url: try serverURL())
    let http = try HTTPClient()
    let administrator = ClickHouseClient(configuration: configuration, http: http)
    let name = "test_" + String(UInt64.random(in: 0 ... .max), radix: 36)
    try await administrator.execute(ClickHouseQuery("CREATE DATABASE \(name)"))
    let client = ClickHouseClient(
        configuration: ClickHouseConfiguration(configuration, database: name), http: http)
    do {
        try await body(client)
    } catch {
        try? await administrator.execute(ClickHouseQuery("DROP DATABASE \(name)"))
        throw error
    }
    try await administrator.execute(ClickHouseQuery("DROP DATABASE \(name)"))
}

extension ClickHouseClient {
    /// The one value of the column `value` of a one-row answer.
    func value(
        _ sql: String, _ parameters: [String: ClickHouseValue] = [:],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let rows = try await rows(ClickHouseQuery(sql, parameters: parameters))
        try #require(rows.count == 1, sourceLocation: sourceLocation)
        return try rows[0].string("value")
    }
}

extension [ClickHouseRow] {
    func strings(_ column: String) throws -> [String] {
        try map { try $0.string(column) }
    }

    func integers(_ column: String) throws -> [Int64] {
        try map { try $0.int64(column) }
    }
}

/// The error that `body` throws; a failure if it throws none, or another kind.
func clickHouseError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> ClickHouseError {
    try #require(
        await #expect(throws: ClickHouseError.self, sourceLocation: sourceLocation) {
            try await body()
        },
        sourceLocation: sourceLocation)
}

/// A source that gives these pieces, one a call.
func supply(_ pieces: [[UInt8]]) -> @Sendable () async throws -> [UInt8]? {
    let next = Mutex(0)
    return {
        next.withLock { index in
            guard index < pieces.count else { return nil }
            index += 1
            return pieces[index - 1]
        }
    }
}

/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators": the same numbers every time.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
