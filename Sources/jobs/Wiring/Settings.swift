internal import Billing
internal import Foundation
internal import Usage

/// Every setting of the program. README.md, "Settings", describes them.
struct Settings: Sendable {
    enum BillingMode: String, CaseIterable {
        case dryRun = "dry-run"
        case live
    }

    enum ZeroTotals: String, CaseIterable {
        case skip
        case invoice
    }

    enum SmallTotals: String, CaseIterable {
        case carry
        case invoice
    }

    enum LogFormat: String, CaseIterable {
        case human
        case json
    }

    enum LogLevel: String, CaseIterable {
        case debug
        case info
        case warning
        case error
    }

    let databaseURL: Secret?
    let clickHouseURL: Secret?
    let stripeAPIKey: Secret?
    let allowsLiveKeys: Bool
    let billingMode: BillingMode
    let invoicePolicy: InvoiceCalculation.Policy
    /// The log of usage events: `table`, or `database.table`.
    let eventsTable: String
    /// The most rows that a batch of sealed usage takes.
    let batchRows: Int
    /// `nil`: warnings on a terminal, where the result is read by a person; info elsewhere.
    let logLevel: LogLevel?
    /// `nil`: for people on a terminal, JSON elsewhere.
    let logFormat: LogFormat?

    /// - Parameter file: as given by `--config`; else `JOBS_CONFIG`, else `jobs.yaml` if it is there.
    init(environment: [String: String], file: String?) throws(SettingsError) {
        let isDefaultThere = FileManager.default.fileExists(atPath: "jobs.yaml")
        let path = file ?? environment["JOBS_CONFIG"] ?? (isDefaultThere ? "jobs.yaml" : nil)
        var reader = try SettingsReader(environment: environment, file: path)
        databaseURL = try reader.secret("database_url")
        clickHouseURL = try reader.secret("clickhouse_url")
        stripeAPIKey = try reader.secret("stripe_api_key")
        allowsLiveKeys = try reader.bool("billing.allow_live_keys") ?? false
        billingMode = try reader.choice("billing.mode", of: BillingMode.self) ?? .dryRun
        var policy = InvoiceCalculation.Policy()
        policy.skipsZeroTotals =
            try reader.choice("billing.zero_totals", of: ZeroTotals.self) ?? .skip == .skip
        policy.carriesSmallTotals =
            try reader.choice("billing.small_totals", of: SmallTotals.self) ?? .carry == .carry
        invoicePolicy = policy
        eventsTable = try reader.string("usage.events_table") ?? "events"
        batchRows =
            try reader.int("usage.batch_rows", in: 1...100_000_000)
            ?? UsageSealer.defaultBatchRows
        logLevel = try reader.choice("log.level", of: LogLevel.self)
        logFormat = try reader.choice("log.format", of: LogFormat.self)
        try reader.refuseUnknownKeys()
    }

    func requiredDatabaseURL() throws -> String {
        guard let databaseURL else {
            throw Self.missing("DATABASE_URL", "postgresql://user@host/database")
        }
        return databaseURL.value
    }

    func requiredClickHouseURL() throws -> String {
        guard let clickHouseURL else {
            throw Self.missing("CLICKHOUSE_URL", "http://user:password@host:8123/database")
        }
        return clickHouseURL.value
    }

    /// A key that moves real money is refused unless that was said to be meant.
    func refuseUnexpectedLiveKey() throws {
        guard let key = stripeAPIKey?.value, key.contains("_live_"), !allowsLiveKeys else { return }
        throw Failure(
            .refused,
            "STRIPE_API_KEY is a live key; set billing.allow_live_keys: true if that is meant")
    }

    private static func missing(_ name: String, _ example: String) -> SettingsError {
        SettingsError(
            "\(name) is not set; export \(name)=\(example) (or \(name)_FILE); make env prints it for the local stack"
        )
    }
}
