import Glibc
import Postgres
import Synchronization
import Testing

/// The database under test; without it these tests cannot mean anything.
func databaseURL() throws -> String {
    try #require(
        getenv("DATABASE_URL").map { String(cString: $0) },
        "DATABASE_URL is not set: these tests need a Postgres")
}

/// Appends a parameter to the URL; libpq lets the last one win.
func url(_ base: String, _ parameter: String) -> String {
    base + (base.contains("?") ? "&" : "?") + parameter
}

/// Creates the schemas of tests, and bounds how many tests hold connections at once.
private let administration = PostgresPool(
    configuration: PostgresConfiguration(
        url: getenv("DATABASE_URL").map { String(cString: $0) } ?? ""),
    maximumConnections: 16)

/// Runs a test in a schema of its own, which is dropped afterwards.
func withSchema(
    _ body: (_ url: String, _ schema: String) async throws -> Void
) async throws {
    let base = try databaseURL()
    try await administration.withConnection { administrator in
        let schema = "pgtest_" + String(UInt64.random(in: 0 ... .max), radix: 36)
        try await administrator.query("CREATE SCHEMA \(schema)")
        // In a task of its own: a test that ran into its time limit is cancelled, and drops it too.
        func drop() async throws {
            _ = try await Task { try await administrator.query("DROP SCHEMA \(schema) CASCADE") }
                .value
        }
        do {
            try await body(url(base, "options=-csearch_path%3D\(schema)"), schema)
        } catch {
            try? await drop()
            throw error
        }
        try await drop()
    }
}

/// Runs a test with a pool in a schema of its own.
func withPool(
    maximumConnections: Int = 4, statementTimeoutSeconds: Double? = 60,
    _ body: (PostgresPool) async throws -> Void
) async throws {
    try await withSchema { url, _ in
        let pool = PostgresPool(
            configuration: PostgresConfiguration(
                url: url, statementTimeoutSeconds: statementTimeoutSeconds),
            maximumConnections: maximumConnections)
        do {
            try await body(pool)
        } catch {
            await pool.shutdown()
            throw error
        }
        await pool.shutdown()
    }
}

extension PostgresPool {
    /// One value out of the column `value`.
    func value<T: PostgresDecodable>(
        _ sql: String, _ parameters: [(any PostgresEncodable)?] = [], as type: T.Type = T.self
    ) async throws -> T {
        let result = try await query(sql, parameters)
        return try #require(result.rows.first).decode("value", as: type)
    }

    /// Asks again until the answer is yes.
    func untilTrue(_ sql: String, _ parameters: [(any PostgresEncodable)?] = []) async throws {
        while try await !value(sql, parameters, as: Bool.self) { await Task.yield() }
    }

    func untilGone(_ pid: Int) async throws {
        try await untilTrue(
            "SELECT count(*) = 0 AS value FROM pg_stat_activity WHERE pid = $1", [pid])
        // A backend leaves the list before it closes its socket; its process outlives both.
        while kill(pid_t(pid), 0) == 0 { await Task.yield() }
    }

    /// Waits until the backend waits for a lock or sleeps.
    func untilBackendWaits(_ pid: Int) async throws {
        try await untilTrue(
            """
            SELECT coalesce(bool_or(wait_event_type IN ('Lock', 'Timeout')), false) AS value
            FROM pg_stat_activity WHERE pid = $1 AND state = 'active'
            """, [pid])
    }
}

extension PostgresConnection {
    func backendPID() throws(PostgresError) -> Int {
        try query("SELECT pg_backend_pid() AS pid").rows[0].decode("pid")
    }
}

/// The error that `body` throws; a failure if it throws none, or another kind.
func postgresError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> PostgresError {
    try #require(
        await #expect(throws: PostgresError.self, sourceLocation: sourceLocation) {
            try await body()
        },
        sourceLocation: sourceLocation)
}

/// What the process holds in memory, in bytes.
func residentBytes() -> Int {
    var text = [UInt8](repeating: 0, count: 200)
    let file = open("/proc/self/statm", O_RDONLY)
    defer { close(file) }
    let count = read(file, &text, text.count)
    let fields = String(decoding: text.prefix(max(count, 0)), as: UTF8.self).split(separator: " ")
    return (Int(fields[1]) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
}

/// Keeps what several tasks or threads say, in the order in which they said it.
final class Recorder<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    var all: [Element] { elements.withLock { $0 } }

    func add(_ element: Element) {
        elements.withLock { $0.append(element) }
    }
}
