internal import ArgumentParser

/// The version of the program, as `--version`, plans and User-Agent state it.
let programVersion = "0.1.0"

struct JobsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs",
        abstract: "Turns metered API usage into correct invoices.",
        discussion: """
            First steps:
              jobs migrate                                  make the tables
              jobs catalog apply catalog.yaml               say what things cost
              jobs import customers customers.csv           say who is billed
              jobs import access-log access.log             bring in usage
              jobs run bill --slot 2026-10 --dry-run        price October, send nothing
              jobs invoices list --slot 2026-10             look at the result

            Every command can be killed and run again at any time. DATABASE_URL and \
            CLICKHOUSE_URL say where things are; other settings stand in jobs.yaml.

            Exit codes: 0 done; 1 done, but something needs a person; 64 usage; \
            65 bad input; 69 a database cannot be reached; 70 a bug of ours; \
            75 another run holds it; 77 refused for safety; 78 settings or schema.
            """,
        version: programVersion,
        subcommands: [
            RunCommand.self, MigrateCommand.self, DoctorCommand.self, ImportCommand.self,
            CatalogCommand.self, UsageCommand.self, InvoicesCommand.self, BillingCommand.self,
            ServeCommand.self, WebhooksCommand.self, AlertsCommand.self, DeadLettersCommand.self,
            AnomaliesCommand.self, DetectCommand.self, ReportCommand.self, RunsCommand.self,
            SchedulesCommand.self, CustomersCommand.self,
        ])
}
