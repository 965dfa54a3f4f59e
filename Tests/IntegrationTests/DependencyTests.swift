import ClickHouse
import Foundation
import Postgres
import Testing

/// How the program ends when a database is not there, not ours, or not in order.
struct DependencyTests {
    /// Commands that need both databases.
    static let commands: [[String]] = [
        ["run", "bill", "--slot", "2015-05"], ["import", "events", "empty"],
        ["import", "access-log", "empty"], ["import", "customers", "empty"],
        ["catalog", "apply", "catalog.yaml"], ["catalog", "show"], ["usage", "show"],
        ["invoices", "verify", "--slot", "2015-05"], ["run", "seal-usage"],
    ]

    /// Commands that ask the ledger only.
    static let ledgerCommands: [[String]] = [
        ["invoices", "list"], ["invoices", "show", "inv_1"],
        ["invoices", "export", "--slot", "2015-05"], ["dead-letters", "list"],
        ["billing", "resume"], ["runs", "list"], ["runs", "show", "bill", "2015-05"],
        ["run", "purge"],
    ]

    /// A URL of the stack with another password or port.
    private static func changed(_ stack: Stack, _ name: String, password: String?, port: String?)
        -> String
    {
        var url = stack.environment[name] ?? ""
        if let password {
            url.replace(#/:\/\/([^:]+):[^@]+@/#, with: { "://\($0.1):\(password)@" })
        }
        if let port { url.replace(#/@([^:\/]+):\d+\//#, with: { "@\($0.1):\(port)/" }) }
        return url
    }

    @Test(arguments: ["DATABASE_URL", "CLICKHOUSE_URL"], ["password", "port"])
    func `a database that is unreachable or refuses us is 69, for every command`(
        name: String, fault: String
    ) async throws {
        try await withStack { stack in
            try stack.file("empty", "customer_id,plan,currency\n")
            let url = Self.changed(
                stack, name, password: fault == "password" ? Stack.planted : nil,
                port: fault == "port" ? "1" : nil)
            let both = Self.commands + [["migrate"], ["migrate", "--check"]]
            let isLedger = name == "DATABASE_URL"
            for command in isLedger ? both + Self.ledgerCommands : both {
                let result = try await stack.jobs(
                    command, with: [name: url, "RUN_ATTEMPTS": "1"])
                #expect(result.status == 69, "\(command): \(result.errors)")
                #expect(result.output.isEmpty)
                #expect(
                    result.errors.contains(name), "\(command) does not say which setting to check")
            }
            for command in isLedger ? [] : Self.ledgerCommands {
                let result = try await stack.jobs(command, with: [name: url])
                #expect([0, 65].contains(result.status), "\(command): \(result.errors)")
            }
        }
    }

    @Test func `empty databases are 78, and say which command mends that`() async throws {
        try await withStack(isMigrated: false) { stack in
            try stack.file("empty", "customer_id,plan,currency\n")
            try stack.file("catalog.yaml", Sample.catalog)
            for command in Self.commands + Self.ledgerCommands {
                let result = try await stack.jobs(command)
                #expect(result.status == 78)
                #expect(result.errors.contains("jobs migrate"))
            }
            let check = try await stack.jobs("migrate", "--check")
            #expect(check.status == 78)
            #expect(check.output.matches(of: #/jobs migrate/#).count == 2)
            try await stack.done("migrate")
            #expect(
                try await stack.done("migrate", "--check")
                    == "Postgres: current\nClickHouse: current\n")
            let again = try await stack.done("migrate")
            #expect(again == "Postgres: current\nClickHouse: current\n")
        }
    }

    @Test(arguments: ["Postgres", "ClickHouse"])
    func `a schema newer than the program is 78, and nothing is changed`(database: String)
        async throws
    {
        try await withStack { stack in
            try stack.file("empty", "customer_id,plan,currency\n")
            if database == "Postgres" {
                try await stack.postgres.query(
                    "INSERT INTO schema_migrations (version, name, checksum) VALUES (99, 'future', '')"
                )
            } else {
                try await stack.clickHouse(
                    "INSERT INTO schema_migrations (version, name) VALUES (99, 'future')")
            }
            let ledger = database == "Postgres" ? Self.ledgerCommands : []
            for command in Self.commands + ledger + [["migrate"]] {
                let result = try await stack.jobs(command)
                #expect(result.status == 78, "\(command)")
                #expect(result.errors.contains(database) || command == ["migrate"])
                #expect(result.errors.contains("99") && result.errors.contains("newer program"))
            }
        }
    }

    @Test func `several migrations at once leave one schema`() async throws {
        try await withStack(isMigrated: false) { stack in
            let processes = try (1...4).map { _ in try stack.start(["migrate"]) }
            for process in processes {
                let result = try await process.result()
                #expect(result.status == 0, "\(result.errors)")
            }
            #expect(try await stack.count("ledger") == 1)
            try await stack.done("migrate", "--check")
        }
    }

    @Test func `a database or schema that does not exist is no bug of ours`() async throws {
        try await withStack { stack in
            let database = (stack.environment["DATABASE_URL"] ?? "").replacing(
                stack.name, with: "nowhere")
            let schema = try await stack.jobs("invoices", "list", with: ["DATABASE_URL": database])
            #expect(schema.status == 78, "\(schema.errors)")
            let other = (stack.environment["CLICKHOUSE_URL"] ?? "").replacing(
                stack.name, with: "nowhere")
            let clickHouse = try await stack.jobs("usage", "show", with: ["CLICKHOUSE_URL": other])
            #expect(clickHouse.status == 78, "\(clickHouse.errors)")
        }
    }
}
