internal import ArgumentParser
internal import Exact
internal import Ledger
internal import Postgres
internal import Usage

struct MigrateCommand: StatusCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Make or update the tables in Postgres and ClickHouse.",
        discussion: """
            Goes forward only, and changes nothing if all is as it should be. An events table that is \
            there already is left as it is.
            """)

    @OptionGroup var common: CommonOptions

    @Flag(name: .long, help: "Change nothing; exit 78 if a migration is missing.")
    var check = false

    mutating func runToStatus() async throws -> ExitStatus {
        return try await Live.run(common, checksSchema: false) { [check] live in
            let migrator = LedgerSchema.migrator
            let usage = UsageSchema(clickHouse: live.clickHouse)
            let states = [
                ("Postgres", SchemaCheck.problem(try await migrator.state(on: live.pool))),
                ("ClickHouse", SchemaCheck.problem(try await usage.state())),
            ]
            if check {
                for (name, problem) in states { try printLine("\(name): \(problem ?? "current")") }
                return states.contains { $0.1 != nil } ? .configuration : .done
            }
            if case .tooNew = try await usage.state() {
                try SchemaCheck.requireCurrent(await usage.state())
            }
            let postgres = try await migrator.apply(on: live.pool).map(\.name)
            try printLine("Postgres: \(Self.summary(postgres))")
            try printLine("ClickHouse: \(Self.summary(try await usage.apply()))")
            return .done
        }
    }

    private static func summary(_ applied: [String]) -> String {
        applied.isEmpty ? "current" : "applied \(applied.joined(separator: ", "))"
    }
}
