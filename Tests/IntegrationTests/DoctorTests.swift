import Foundation
import Postgres
import StripeSimulation
import TestSupport
import Testing

/// The doctor finds what is broken, looks at everything else all the same, and changes nothing.
struct DoctorTests {
    private struct Line: Decodable {
        let level: String
        let area: String
        let check: String
        let message: String
        let advice: String?
    }

    private static func lines(_ output: String) throws -> [Line] {
        try output.split(separator: "\n").map {
            try JSONDecoder().decode(Line.self, from: Data($0.utf8))
        }
    }

    private static func levels(_ lines: [Line], _ area: String, _ check: String) -> [String] {
        lines.filter { $0.area == area && $0.check == check }.map(\.level)
    }

    @Test func `a new installation needs a person, and lacks nothing else`() async throws {
        try await withStack { stack in
            let result = try await stack.jobs("doctor", "--format", "json")
            #expect(result.status == 1, "\(result.output)\(result.errors)")
            let lines = try Self.lines(result.output)
            #expect(!lines.contains { $0.level == "failure" })
            #expect(Self.levels(lines, "postgres", "server") == ["ok"])
            #expect(Self.levels(lines, "postgres", "durability") == ["ok"])
            #expect(Self.levels(lines, "clickhouse", "server") == ["ok"])
            #expect(Self.levels(lines, "clickhouse", "events") == ["ok"])
            #expect(Self.levels(lines, "usage", "sealing") == ["warning"])
            #expect(Self.levels(lines, "alerts", "routes") == ["warning"])
            #expect(lines.allSatisfy { ($0.level == "ok") == ($0.advice == nil) })
            try await stack.done("run", "seal-usage")
            let later = try Self.lines(
                try await stack.jobs("doctor", "--format", "json").output)
            #expect(
                later.contains { $0.check == "success" && $0.message.hasPrefix("seal-usage succ") })
        }
    }

    @Test func `each dependency that is away is a failure of its own`() async throws {
        try await withStack { stack in
            let noClickHouse = try await stack.jobs(
                "doctor", "--format", "json",
                with: ["CLICKHOUSE_URL": "http://u:p@127.0.0.1:1/none"])
            #expect(noClickHouse.status == 69)
            var lines = try Self.lines(noClickHouse.output)
            #expect(Self.levels(lines, "clickhouse", "server") == ["failure"])
            #expect(Self.levels(lines, "postgres", "schema") == ["ok"])
            let noPostgres = try await stack.jobs(
                "doctor", "--format", "json",
                with: ["DATABASE_URL": "postgresql://u@127.0.0.1:1/none"])
            #expect(noPostgres.status == 69)
            lines = try Self.lines(noPostgres.output)
            #expect(Self.levels(lines, "postgres", "server") == ["failure"])
            #expect(Self.levels(lines, "clickhouse", "server") == ["ok"])
            #expect(!Self.levels(lines, "host", "disk").isEmpty)
        }
    }

    @Test func `tables that are missing, and no catalog, are told with the command`() async throws {
        try await withStack(isMigrated: false) { stack in
            let result = try await stack.jobs("doctor", "--format", "json")
            #expect(result.status == 78)
            let lines = try Self.lines(result.output)
            for area in ["postgres", "clickhouse"] {
                #expect(lines.contains { $0.area == area && $0.advice == "run: jobs migrate" })
            }
            try await stack.done("migrate")
            let migrated = try await stack.jobs("doctor")
            #expect(migrated.status == 78)
            #expect(migrated.output.contains("jobs catalog apply FILE"))
        }
    }

    @Test func `the key, the account and the endpoint at Stripe are looked at`() async throws {
        let simulator = try ServerProcess()
        try await withStack { stack in
            let settings: [String: String?] = [
                "STRIPE_API_KEY": "sk_test_simulator", "STRIPE_API_BASE": simulator.url,
            ]
            var lines = try Self.lines(
                try await stack.jobs("doctor", "--format", "json", with: settings).output)
            #expect(Self.levels(lines, "stripe", "key") == ["ok"])
            #expect(Self.levels(lines, "stripe", "account") == ["ok"])
            #expect(Self.levels(lines, "stripe", "webhooks") == ["warning"])
            #expect(Self.levels(lines, "stripe", "clock") == ["ok"])
            let bound = try await stack.postgres.query("SELECT FROM stripe_account")
            #expect(bound.rows.isEmpty, "the doctor binds nothing")
            try await stack.postgres.query(
                "INSERT INTO stripe_account (account_id, livemode) VALUES ('acct_other', false)")
            let other = try await stack.jobs("doctor", "--format", "json", with: settings)
            #expect(other.status == 77)
            lines = try Self.lines(other.output)
            #expect(Self.levels(lines, "stripe", "account") == ["failure"])
        }
    }

    @Test func `asking changes nothing`() async throws {
        try await withStack { stack in
            func counts() async throws -> [String] {
                try await stack.postgres.query(
                    """
                    SELECT table_name || ' ' || (xpath('/row/n/text()', query_to_xml(
                        format('SELECT count(*) AS n FROM %I.%I', table_schema, table_name),
                        false, true, '')))[1]::text AS value
                    FROM information_schema.tables WHERE table_schema = current_schema()
                        AND table_type = 'BASE TABLE'
                    ORDER BY 1
                    """
                ).rows.map { try $0.decode("value") }
            }
            let before = try await counts()
            _ = try await stack.jobs("doctor")
            #expect(try await counts() == before)
            #expect(!before.isEmpty)
        }
    }
}
