import ClickHouse
import Exact
import Foundation
import Glibc
import HTTP
import Postgres
import TestSupport
import Testing

/// What a test has to itself: a schema in Postgres, a database in ClickHouse, an empty folder, and the
/// environment in which the program finds them.
struct Stack: Sendable {
    /// The name of the schema, of the database, and of the program's sessions in Postgres.
    let name: String
    let folder: String
    let environment: [String: String]
    let postgres: PostgresPool
    let clickHouse: ClickHouseClient

    /// Runs the program to its end. No run may ever print a password.
    ///
    /// - Parameter changes: to the environment; `nil` takes a variable away.
    @discardableResult
    func jobs(
        _ arguments: String..., with changes: [String: String?] = [:],
        input: JobsProcess.Input = .nothing, reader: JobsProcess.Reader = .everything,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JobsProcess.Result {
        try await jobs(
            arguments, with: changes, input: input, reader: reader, sourceLocation: sourceLocation)
    }

    @discardableResult
    func jobs(
        _ arguments: [String], with changes: [String: String?] = [:],
        input: JobsProcess.Input = .nothing, reader: JobsProcess.Reader = .everything,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> JobsProcess.Result {
        let result = try await start(arguments, with: changes, input: input, reader: reader)
            .result()
        // The text itself stays out of the tests' own output, too.
        let isPrinted = Self.secrets.contains { (result.output + result.errors).contains($0) }
        #expect(!isPrinted, "a secret was printed by \(arguments)", sourceLocation: sourceLocation)
        return result
    }

    /// Starts the program; the caller awaits its end.
    func start(
        _ arguments: [String], with changes: [String: String?] = [:],
        input: JobsProcess.Input = .nothing, reader: JobsProcess.Reader = .everything,
        program: String = JobsProcess.executable
    ) throws -> JobsProcess {
        var environment = environment
        for (name, value) in changes { environment[name] = value }
        return try JobsProcess(
            arguments, environment: environment, folder: folder, input: input, reader: reader,
            program: program)
    }

    /// Runs the program, which must say that all is done.
    @discardableResult
    func done(
        _ arguments: String..., with changes: [String: String?] = [:],
        input: JobsProcess.Input = .nothing, sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let result = try await jobs(
            arguments, with: changes, input: input, sourceLocation: sourceLocation)
        try #require(
            result.status == 0, "\(arguments): \(result.output)\(result.errors)",
            sourceLocation: sourceLocation)
        return result.output
    }

    /// Writes a file into the folder.
    ///
    /// - Returns: its path.
    @discardableResult
    func file(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        try Data(text.utf8).write(to: URL(filePath: path))
        return path
    }

    /// The files in the folder, but for the program's output.
    func files() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).filter { !$0.hasPrefix(".") }
            .sorted()
    }

    /// Whatever the program prints, these stay out of it: the stack's password, and a planted one.
    static let planted = "pl4nted-s3cret"
    private static let secrets: [String] = {
        let password = variable("DATABASE_URL").wholeMatch(of: /[^:]+:\/\/[^:]+:([^@]+)@.*/)?.1
        return [planted] + (password.map { [String($0)] } ?? [])
    }()
}

/// Runs a test with databases of its own, which are gone afterwards.
///
/// - Parameters:
///   - isMigrated: whether the tables are made first.
///   - catalog: is applied first; `nil`: none.
///   - server: a Postgres of the test's own; `nil`: the local stack's.
func withStack(
    isMigrated: Bool = true, catalog: String? = Sample.catalog, on server: OwnPostgres? = nil,
    _ body: (Stack) async throws -> Void
) async throws {
    try #require(
        !variable("DATABASE_URL").isEmpty && !variable("CLICKHOUSE_URL").isEmpty,
        "DATABASE_URL and CLICKHOUSE_URL are not set: these tests need the local stack")
    try await extensionIsThere.value
    try await withTurn { administrator in
        let name = "it_" + String(UInt64.random(in: 0 ... .max), radix: 36)
        let folder = NSTemporaryDirectory() + name
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try await administrator.query("CREATE SCHEMA \(name)")
        try await clickHouse.execute(ClickHouseQuery("CREATE DATABASE \(name)"))
        if let server { try await server.makeSchema(name) }
        let stack = try makeStack(name, folder, server?.url ?? variable("DATABASE_URL"))
        var failure: (any Error)?
        do {
            if isMigrated { try await stack.done("migrate") }
            if isMigrated, let catalog {
                try await stack.done("catalog", "apply", stack.file("catalog.yaml", catalog))
            }
            try await body(stack)
        } catch {
            failure = error
        }
        await stack.postgres.shutdown()
        try await administrator.dropSchema(name)
        try await clickHouse.execute(ClickHouseQuery("DROP DATABASE \(name)"))
        try FileManager.default.removeItem(atPath: folder)
        if let failure { throw failure }
    }
}

/// Creates and drops the databases of tests; how many there are is how many tests run at once.
private let turns = PostgresPool(
    configuration: PostgresConfiguration(url: variable("DATABASE_URL")), maximumConnections: 4)

/// A test's second stack takes no second turn: all who hold one might wait for one more, for ever.
private func withTurn(_ body: (PostgresConnection) async throws -> Void) async throws {
    if let administrator = Turn.administrator { return try await body(administrator) }
    try await turns.withConnection { administrator in
        try await Turn.$administrator.withValue(administrator) { try await body(administrator) }
    }
}

private enum Turn {
    @TaskLocal static var administrator: PostgresConnection?
}

/// The first migration would put the extension into its own schema, and take it away with that one while
/// other tests use it.
private let extensionIsThere = Task {
    // Tests of other targets may create it at the same moment.
    _ = try await turns.query(
        """
        DO $$ BEGIN CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
        EXCEPTION WHEN unique_violation THEN NULL; END $$
        """)
}

private let http = try! HTTPClient(configuration: .init(userAgent: "integration-tests"))

private let clickHouse = ClickHouseClient(
    configuration: try! ClickHouseConfiguration(url: variable("CLICKHOUSE_URL")), http: http)

private func makeStack(_ name: String, _ folder: String, _ database: String) throws -> Stack {
    let url = database + (database.contains("?") ? "&" : "?") + "options=-csearch_path%3D\(name)"
    let server = variable("CLICKHOUSE_URL")
    let slash = try #require(server.lastIndex(of: "/"))
    let own = try ClickHouseConfiguration(url: server[..<slash] + "/\(name)")
    return Stack(
        name: name, folder: folder,
        environment: [
            "DATABASE_URL": "\(url)&application_name=\(name)",
            "CLICKHOUSE_URL": "\(server[..<slash])/\(name)",
        ],
        postgres: PostgresPool(
            configuration: PostgresConfiguration(url: url, applicationName: "tests"),
            maximumConnections: 4),
        clickHouse: ClickHouseClient(configuration: own, http: http))
}

private func variable(_ name: String) -> String {
    getenv(name).map { String(cString: $0) } ?? ""
}
