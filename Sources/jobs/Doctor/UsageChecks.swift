internal import ClickHouse
internal import Ledger
internal import Usage

struct UsageChecks: Sendable {
    let live: Live
    let isConfigured: Bool

    private var health: UsageHealth { UsageHealth(clickHouse: live.clickHouse) }

    private var source: SourceTable? {
        SourceTable(
            live.settings.eventsTable, defaultDatabase: live.clickHouse.configuration.database)
    }

    func server() async throws -> [Finding] {
        guard isConfigured else {
            return [
                .warning(
                    "clickhouse", "server", "CLICKHOUSE_URL is not set",
                    "set it where jobs run; jobs serve does without")
            ]
        }
        let version = try await health.version()
        let numbers = version.split(separator: ".").compactMap { Int($0) }
        return numbers.lexicographicallyPrecedes(Self.oldestVersion)
            ? [
                .warning(
                    "clickhouse", "server", "ClickHouse \(version) is older than what was tested",
                    "upgrade it to 24.8 or newer")
            ] : [.ok("clickhouse", "server", "ClickHouse \(version)")]
    }

    /// docs/deployment.md names it, too.
    private static let oldestVersion = [24, 8]

    func tables() async throws -> [Finding] {
        guard isConfigured else { return [] }
        let state = try await UsageSchema(clickHouse: live.clickHouse).state()
        if let problem = SchemaCheck.problem(state) {
            return [.failure("clickhouse", "tables", problem, "run: jobs migrate")]
        }
        guard let source else {
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
        guard let sealedAt = backlog.sealedAt, let seconds = backlog.sealedAgeSeconds else {
            return [
                .warning("usage", "sealing", "nothing was sealed yet", "jobs run seal-usage")
            ]
        }
        let text = "the last batch was sealed \(age(seconds)) ago"
        guard isConfigured, let source,
            let waiting = try await health.waitingSeconds(source, since: sealedAt),
            waiting > Self.mostWaitingSeconds
        else { return [.ok("usage", "sealing", text)] }
        return [
            .warning(
                "usage", "sealing", "\(text), and an event has waited for \(age(waiting)) since",
                "jobs runs list --job seal-usage says why; jobs run seal-usage")
        ]
    }

    private static let mostWaitingSeconds: Int64 = 1800
}
