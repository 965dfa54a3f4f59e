import Foundation
import Glibc
import Testing

/// A ClickHouse engine of a test's own, whose only user may do no more than a role.
struct OwnClickHouse: Sendable {
    /// With the database `meterflow`.
    var url: String { "http://default@127.0.0.1:\(port)/meterflow" }
    private let port: UInt16

    /// Runs a test with an engine, which is gone afterwards.
    ///
    /// - Parameters:
    ///   - statements: made by somebody who may do everything, before.
    ///   - script: SQL that grants rights to a role.
    static func with(
        _ statements: [String], rightsOf role: String, in script: String, folder: String,
        _ body: (OwnClickHouse) async throws -> Void
    ) async throws {
        let own = OwnClickHouse(port: try freePort())
        let arguments = ["--port", "\(own.port)", "--path", folder + "/own-clickhouse"]
        func start(_ more: String...) async throws -> PythonServer {
            try await PythonServer(
                "dev/clickhouse_endpoint.py", arguments + more, output: folder + "/.clickhouse")
        }
        let administrator = try await start("--database", "meterflow")
        for statement in statements {
            let answer = try await own.ask(statement)
            try #require(answer.isEmpty, "\(statement): \(answer)")
        }
        await administrator.end()

        let config = folder + "/own-clickhouse.xml"
        let users = folder + "/own-clickhouse-users.xml"
        try """
        <clickhouse><user_directories><users_xml><path>\(users)</path></users_xml></user_directories></clickhouse>
        """.write(toFile: config, atomically: true, encoding: .utf8)
        let grants = script.split(separator: "\n")
            .filter { $0.hasPrefix("GRANT ") && $0.hasSuffix(" TO \(role);") }
            .map { "<query>\($0.dropLast(" TO \(role);".count))</query>" }
        try #require(!grants.isEmpty)
        try """
        <clickhouse>
            <profiles><default/></profiles>
            <quotas><default/></quotas>
            <roles><\(role)><grants>\(grants.joined())</grants></\(role)></roles>
            <users><default>
                <password/><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
                <grants><query>GRANT \(role)</query></grants>
            </default></users>
        </clickhouse>
        """.write(toFile: users, atomically: true, encoding: .utf8)
        let engine = try await start("--config", config)
        var failure: (any Error)?
        do { try await body(own) } catch { failure = error }
        await engine.end()
        if let failure { throw failure }
    }

    /// What the engine answers, an error too.
    func ask(_ statement: String) async throws -> String {
        let server = "http://127.0.0.1:\(port)/"
        return try await Tool.run("curl", "-sS", server, "--data-binary", statement).output
    }
}
