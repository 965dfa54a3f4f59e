internal import ArgumentParser
internal import Billing
internal import ClickHouse
internal import Exact
internal import Foundation
internal import HTTP
internal import Ledger
internal import Logging
internal import Postgres
internal import Usage

/// Options of every command.
struct CommonOptions: ParsableArguments, Sendable {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The settings file (default: $JOBS_CONFIG, else jobs.yaml if it is there).",
            valueName: "file"))
    var config: String?

    func settings() throws -> Settings {
        try Settings(environment: ProcessInfo.processInfo.environment, file: config)
    }
}

/// What a command works with, made from the settings once.
struct Live: Sendable {
    let settings: Settings
    let logger: Logger
    var pool: PostgresPool
    let clickHouse: ClickHouseClient
    let http: HTTPClient

    var usage: UsageReader { UsageReader(clickHouse: clickHouse) }

    /// Builds what the settings say, checks that the schemas are ours, runs `body`, and closes all of it.
    ///
    /// - Parameters:
    ///   - checksSchema: false for the command that makes it.
    ///   - usesClickHouse: false for what asks the ledger only, on a host that may not reach more.
    ///   - connections: to Postgres, at most.
    ///   - job: under which name it is recorded, if one is launched.
    static func run<Result>(
        _ options: CommonOptions, checksSchema: Bool = true, usesClickHouse: Bool = true,
        connections: Int = 8, job: String? = nil,
        _ body: (Live) async throws -> Result
    ) async throws -> Result {
        let settings = try options.settings()
        let launch = Launch(job: job, settings: settings)
        let live = try await launch.preparing {
            try make(settings, usesClickHouse: usesClickHouse, connections: connections)
        }
        do {
            if checksSchema {
                try await launch.preparing { try await live.checkSchemas(usesClickHouse) }
            }
            let result = try await body(live)
            await live.close()
            return result
        } catch {
            await live.close()
            throw error
        }
    }

    static var httpConfiguration: HTTPClientConfiguration {
        .init(userAgent: "meterflow-jobs/\(programVersion)")
    }

    private static func make(
        _ settings: Settings, usesClickHouse: Bool, connections: Int
    ) throws -> Live {
        let logger = makeLogger(settings)
        let http = try HTTPClient(configuration: httpConfiguration)
        let clickHouse = ClickHouseClient(
            configuration: try ClickHouseConfiguration(
                url: usesClickHouse
                    ? try settings.requiredClickHouseURL()
                    : settings.clickHouseURL?.value ?? "http://nobody:@localhost:1/unused"),
            http: http)
        return Live(
            settings: settings, logger: logger,
            pool: try pool(settings, logger, connections: connections),
            clickHouse: clickHouse, http: http)
    }

    /// - Parameters:
    ///   - connections: at most.
    ///   - statementSeconds: how long a statement may take.
    static func pool(
        _ settings: Settings, _ logger: Logger, connections: Int, statementSeconds: Double = 300
    ) throws -> PostgresPool {
        let configuration = PostgresConfiguration(
            url: try settings.requiredDatabaseURL(), statementTimeoutSeconds: statementSeconds,
            noticeHandler: { logger.debug("\($0.message)") })
        do {
            try configuration.validate()
        } catch {
            throw SettingsError("DATABASE_URL cannot be read: \(error.message)")
        }
        return PostgresPool(configuration: configuration, maximumConnections: connections)
    }

    /// How a month is priced: by the catalog in force on its first day.
    func calculation(
        of month: CivilMonth
    ) async throws -> (InvoiceCalculation, CatalogStore.Version) {
        guard let version = try await CatalogStore(pool: pool).inForce(on: month.firstDay) else {
            throw Failure(
                .configuration,
                "no catalog is in force on \(month.firstDay); apply one: jobs catalog apply FILE")
        }
        let calculation = InvoiceCalculation(
            catalog: try Catalog(yaml: version.source), catalogHash: version.sourceSHA256,
            ledgerID: try await InvoiceStore(pool: pool).ledgerID(), slot: month,
            policy: settings.invoicePolicy)
        return (calculation, version)
    }

    /// What an invoice was computed from: at its batch, so that what came later changes nothing.
    func usageQuery(of invoice: Invoice, metrics: [Metric]) async throws -> PeriodUsageQuery {
        PeriodUsageQuery(
            metrics: metrics, start: invoice.start, end: invoice.end,
            sealed: try await BatchStore(pool: pool).sealed(cutoff: invoice.cutoffBatch))
    }

    /// Seals usage by the metrics of all catalogs.
    func sealer() async throws -> UsageSealer {
        guard
            let source = SourceTable(
                settings.eventsTable, defaultDatabase: clickHouse.configuration.database)
        else {
            throw SettingsError(
                "usage.events_table is '\(settings.eventsTable)'; it must be a table, or database.table"
            )
        }
        let catalogs = try await CatalogStore(pool: pool).all()
        return UsageSealer(
            clickHouse: clickHouse, pool: pool, source: source,
            metrics: try catalogs.flatMap { try Catalog(yaml: $0.source).metrics },
            batchRows: settings.batchRows, holder: Self.processName)
    }

    /// The way to Stripe, and whether the key moves real money.
    ///
    /// - Parameter attempts: instead of `stripe.max_attempts`.
    func stripe(attempts: Int? = nil) throws -> (StripeClient, isLive: Bool) {
        let (key, isLive) = try settings.requiredStripeKey()
        var connection = StripeConnection.Settings(secretKey: key)
        connection.base = settings.stripeAPIBase
        // docs.stripe.com/rate-limits: in all 100 a second, in test mode 25.
        connection.requestsPerSecond = Double(
            settings.stripeRequestsPerSecond ?? (isLive ? 100 : 25))
        connection.endpointRequestsPerSecond = Double(
            settings.stripeEndpointRequestsPerSecond ?? 25)
        var patience = StripeClient.Patience()
        patience.attempts = attempts ?? settings.stripeMaximumAttempts
        let transport = StripeConnection(settings: connection, http: http, logger: logger)
        return (StripeClient(transport: transport, patience: patience), isLive)
    }

    /// Who we are, for people who find something taken.
    static var processName: String {
        "process \(ProcessInfo.processInfo.processIdentifier) on \(ProcessInfo.processInfo.hostName)"
    }

    /// Whose word something is.
    static var person: String {
        let environment = ProcessInfo.processInfo.environment
        return environment["SUDO_USER"] ?? environment["USER"] ?? NSUserName()
    }

    func close() async {
        await pool.shutdown()
        await http.shutdown()
    }

    private func checkSchemas(_ usesClickHouse: Bool) async throws {
        // Side by side: a launch with nothing to do is mostly this.
        async let usage = usesClickHouse ? UsageSchema(clickHouse: clickHouse).state() : .current
        try SchemaCheck.requireCurrent(await LedgerSchema.migrator.state(on: pool))
        try SchemaCheck.requireCurrent(await usage)
    }
}

extension CivilDate {
    /// In UTC.
    static var today: CivilDate {
        CivilDate(daysSinceEpoch: Instant.now.milliseconds / 86_400_000)
    }
}

extension Instant {
    /// The one place where the clock is read.
    static var now: Instant { Instant(milliseconds: Int64(Date().timeIntervalSince1970 * 1000)) }
}
