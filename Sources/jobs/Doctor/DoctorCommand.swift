internal import ArgumentParser

struct DoctorCommand: StatusCommand {
    static let configuration = CommandConfiguration(
        commandName: "doctor",
        abstract: "Look at everything this program depends on, and say what to do.",
        discussion: """
            Changes nothing. Each line is ok, a warning or a failure. Ends with 0; with 1 if a person should \
            look; with 69 or 78 if something is away or set wrongly.
            """)

    @OptionGroup var common: CommonOptions
    @OptionGroup var list: ListOptions

    mutating func runToStatus() async throws -> ExitStatus {
        let hasClickHouse = try common.settings().clickHouseURL != nil
        return try await Live.run(
            common, checksSchema: false, usesClickHouse: hasClickHouse, connections: 4
        ) { [list] live in
            let findings = await Doctor(live: live, hasClickHouse: hasClickHouse).examine()
            var listing = Listing(
                [
                    .init("level"), .init("area"), .init("check"), .init("message"),
                    .init("advice"),
                ], format: list.format)
            for finding in findings {
                try listing.add([
                    .text(finding.level.rawValue), .text(finding.area), .text(finding.check),
                    .text(finding.message), .text(finding.advice),
                ])
            }
            try listing.finish()
            return findings.status
        }
    }
}

/// All checks, side by side: one that fails keeps no other from being made.
struct Doctor: Sendable {
    let live: Live
    let hasClickHouse: Bool

    private typealias Check = (
        area: String, name: String, run: @Sendable () async throws -> [Finding]
    )

    func examine() async -> [Finding] {
        let postgres = PostgresChecks(live: live)
        let usage = UsageChecks(live: live, isConfigured: hasClickHouse)
        let stripe = StripeChecks(live: live)
        let jobs = JobChecks(live: live)
        let checks: [Check] = [
            ("postgres", "server", postgres.server), ("postgres", "schema", postgres.schema),
            ("postgres", "privileges", postgres.privileges),
            ("clickhouse", "server", usage.server), ("clickhouse", "tables", usage.tables),
            ("clickhouse", "disk", usage.disk), ("usage", "sealing", usage.sealing),
            ("stripe", "key", stripe.key), ("stripe", "account", stripe.account),
            ("stripe", "webhooks", stripe.endpoints), ("stripe", "clock", stripe.clock),
            ("billing", "catalog", jobs.catalog), ("billing", "backlog", jobs.billing),
            ("webhooks", "backlog", jobs.webhooks), ("alerts", "backlog", jobs.alerts),
            ("page", "users", jobs.page),
            ("jobs", "success", jobs.successes), ("jobs", "schedule", HostChecks.schedules),
            ("host", "disk", HostChecks.disk),
        ]
        return await withTaskGroup(of: (Int, [Finding]).self) { group in
            for (index, check) in checks.enumerated() {
                group.addTask {
                    do {
                        return (index, try await check.run())
                    } catch {
                        return (index, [.failed(check.area, check.name, error)])
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
                .sorted { $0.key < $1.key }.flatMap(\.value)
        }
    }
}
