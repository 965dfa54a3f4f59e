internal import ClickHouse
internal import Ledger
internal import Usage

struct UsageChecks: Sendable {
    let live: Live
    let isConfigured: Bool

    private var health: UsageHealth { UsageHealth(clickHouse: live.clickHouse) }

    func server() async throws -> [Finding] {
        guard isConfigured else {
            return [
                .warning(
                    "clickhouse", "server", "CLICKHOUSE_URL is not set",
                    "set it where jobs run; jobs serve does without")
            ]
        }
        return [.ok("clickhouse", "server", "ClickHouse \(try await health.version())")]
    }

    func tables() async throws -> [Finding] {
        guard isConfigured else { return [] }
        let state = try await UsageSchema(clickHouse: live.clickHouse).state()
        if let problem = SchemaCheck.problem(state) {
            return [.failure("clickhouse", "tables", problem, "run: jobs migrate")]
        }
        guard
            let source = SourceTable(
                live.settings.eventsTable,
                defaultDatabase: live.clickHouse.configuration.database)
        else {
            return [
                .failure(
                    "clickhouse", "events", "usage.events_table cannot be read",
                    "name a table, or database.table")
            ]
        }
        try await health.read(source)
        return [
            .ok("clickhouse", "tables", "the tables are those of this program"),
            .ok("clickhouse", "events", "\(live.settings.eventsTable) can be read"),
        ]
    }

    func disk() async throws -> [Finding] {
        guard isConfigured else { return [] }
        return try await health.disks().map {
            .disk("clickhouse", $0.name, free: $0.free, total: $0.total)
        }
    }

    func sealing() async throws -> [Finding] {
        let backlog = try await LedgerHealth(pool: live.pool).backlog()
        guard let seconds = backlog.sealedAgeSeconds else {
            return [
                .warning("usage", "sealing", "nothing was sealed yet", "jobs run seal-usage")
            ]
        }
        return [.ok("usage", "sealing", "the last batch was sealed \(age(seconds)) ago")]
    }
}
