import Foundation
import Glibc
import Postgres
import Testing

/// A Postgres server of a test's own, which may be stopped while programs work with it.
struct OwnPostgres: Sendable {
    let url: String
    private let folder: String
    private let port: UInt16

    private static let programs = "/usr/lib/postgresql/15/bin"

    /// Runs a test with a server, which is gone afterwards.
    ///
    /// - Parameter connections: how many there may be.
    static func with(
        connections: Int = 100, _ body: (OwnPostgres) async throws -> Void
    ) async throws {
        let server = try await OwnPostgres(connections: connections)
        var failure: (any Error)?
        do { try await body(server) } catch { failure = error }
        try? await server.stop()
        _ = try await Tool.run("rm", "-rf", server.folder)
        if let failure { throw failure }
    }

    private init(connections: Int) async throws {
        port = try freePort()
        url = "postgresql://tests@127.0.0.1:\(port)/postgres"
        folder = NSTemporaryDirectory() + "own-postgres-\(port)"
        let made = try await Tool.run("mkdir", "-m", "700", folder)
        try #require(made.status == 0, "\(made.errors)")
        if geteuid() == 0 { _ = try await Tool.run("chown", "postgres", folder) }
        try await run(
            Self.programs + "/initdb", "-D", folder + "/data", "-U", "tests", "-E", "UTF8",
            "--locale=C.UTF-8",
            "--no-sync", "--auth=trust")
        let settings = """
            listen_addresses = '127.0.0.1'
            port = \(port)
            unix_socket_directories = ''
            max_connections = \(connections)
            timezone = 'UTC'

            """
        _ = try await Tool.run(
            "sh", "-c", "printf '%s' \"$1\" >>\"$2\"", "sh", settings,
            folder + "/data/postgresql.conf")
        try await start()
    }

    func start() async throws {
        // What other tests have open just now must not stay open for as long as the server runs.
        let script = """
            for fd in $(ls /proc/self/fd); do ((fd < 3)) || eval "exec $fd>&-"; done
            exec "$0" start -s -w -D "$1/data" -l "$1/log" >"$1/start.log" 2>&1
            """
        try await run("bash", "-c", script, Self.programs + "/pg_ctl", folder)
    }

    /// As if the power had gone: what was not committed is lost, and every session ends.
    func stop() async throws {
        try await run(
            Self.programs + "/pg_ctl", "stop", "-s", "-w", "-m", "immediate", "-D", folder + "/data"
        )
    }

    func makeSchema(_ name: String) async throws {
        let pool = PostgresPool(configuration: PostgresConfiguration(url: url))
        try await pool.query("CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public")
        try await pool.query("CREATE SCHEMA \(name)")
        await pool.shutdown()
    }

    /// Postgres refuses to run as root.
    private func run(_ words: String...) async throws {
        let words = geteuid() == 0 ? ["runuser", "-u", "postgres", "--"] + words : words
        let result = try await Tool.run(words[0], Array(words.dropFirst()))
        try #require(result.status == 0, "\(words): \(result.output)\(result.errors)")
    }
}
