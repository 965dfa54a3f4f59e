internal import Billing
internal import Detection
internal import Exact
internal import Foundation
internal import Ledger
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
    /// The first month that is really billed; earlier ones were billed by somebody else.
    let firstSlot: CivilMonth?
    /// Who collects what is charged automatically.
    let collection: StripeRequests.Collection
    /// How many invoices are submitted at once.
    let concurrency: Int
    let stripeAPIBase: String
    let automaticTax: Bool
    /// Each `whsec_...`; several while one is being rolled.
    let stripeWebhookSecrets: Secret?
    /// Where the endpoint for webhooks listens.
    let serveHost: String
    let servePort: Int
    /// How long a whole request may take to come.
    let requestSeconds: Int
    /// How often Stripe's list of events is read, beside what Stripe sends.
    let backfillSeconds: Int
    /// Where the page for people is, on this machine, and for whom; `nil`: there is none. Those who serve it
    /// ask for `requiredPage()`.
    let page: (port: Int, access: PageAccess)?
    /// Requests a second to Stripe; `nil`: what Stripe allows in the key's mode.
    let stripeRequestsPerSecond: Int?
    let stripeEndpointRequestsPerSecond: Int?
    /// How often a request is tried before its invoice is given up.
    let stripeMaximumAttempts: Int
    let detection: DetectionPolicy
    /// Which anomalies hold an invoice before it is submitted.
    let anomalyHolds: AnomalyHolds
    /// The log of usage events: `table`, or `database.table`.
    let eventsTable: String
    /// The most rows that a batch of sealed usage takes.
    let batchRows: Int
    let retention: Purge.Retention
    /// How often a slot is tried in one run, and the pause after the first time; it doubles.
    let attempts: Int
    let retrySeconds: Int
    /// How long a run may take to stop when it is asked to.
    let stopGraceSeconds: Int
    /// Where to say that a job started, succeeded or failed; `{job}` stands for its name.
    let pingURL: Secret?
    /// Whom to tell of alerts; their secrets are not read yet.
    let alertRoutes: [ConfiguredRoute]
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
        policy.isLive = billingMode == .live
        invoicePolicy = policy
        firstSlot = try reader.month("billing.first_slot")
        collection =
            try reader.choice("billing.collection", of: StripeRequests.Collection.self) ?? .stripe
        concurrency = try reader.int("billing.concurrency", in: 1...256) ?? 32
        stripeAPIBase = try reader.stripeBase() ?? "https://api.stripe.com"
        automaticTax = try reader.bool("stripe.automatic_tax") ?? false
        stripeWebhookSecrets = try reader.secret("stripe_webhook_secrets")
        serveHost = try reader.string("serve.host") ?? "127.0.0.1"
        servePort = try reader.int("serve.port", in: 0...65_535) ?? 8080
        requestSeconds = try reader.int("serve.request_seconds", in: 1...300) ?? 15
        backfillSeconds = try reader.int("serve.backfill_seconds", in: 1...3600) ?? 300
        page = try reader.page()
        stripeRequestsPerSecond = try reader.int("stripe.requests_per_second", in: 1...10_000)
        stripeEndpointRequestsPerSecond = try reader.int(
            "stripe.endpoint_requests_per_second", in: 1...10_000)
        stripeMaximumAttempts = try reader.int("stripe.max_attempts", in: 1...100) ?? 8
        detection = try reader.detection()
        anomalyHolds = try reader.anomalyHolds()
        eventsTable = try reader.string("usage.events_table") ?? "events"
        batchRows =
            try reader.int("usage.batch_rows", in: 1...100_000_000)
            ?? UsageSealer.defaultBatchRows
        attempts = try reader.int("run.attempts", in: 1...100) ?? 3
        retrySeconds = try reader.int("run.retry_seconds", in: 0...3600) ?? 5
        retention = Purge.Retention(
            webhookEventDays: try reader.int(
                "retention.webhook_events_days",
                in: Purge.Retention.fewestWebhookEventDays...36_500) ?? 400,
            alertDays: try reader.int("retention.alerts_days", in: 1...36_500) ?? 180,
            runDays: try reader.int("retention.runs_days", in: 1...36_500) ?? 800)
        stopGraceSeconds = try reader.int("run.stop_grace_seconds", in: 1...3600) ?? 30
        pingURL = try reader.secret("ping.url")
        alertRoutes = try AlertRoutes.read(reader.part("alerts.routes"), environment: environment)
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

    /// The key with which invoices are sent, and whether it moves real money.
    func requiredStripeKey() throws -> (key: String, isLive: Bool) {
        guard let key = stripeAPIKey?.value else {
            throw Self.missing("STRIPE_API_KEY", "sk_test_...")
        }
        try refuseUnexpectedLiveKey()
        let isLive = key.contains("_live_")
        guard isLive || key.contains("_test_") else {
            throw SettingsError(
                "STRIPE_API_KEY is no secret key of Stripe: those begin with sk_live_, sk_test_, rk_live_ or rk_test_"
            )
        }
        return (key, isLive)
    }

    /// What signs the events that Stripe sends.
    func requiredWebhookSecrets() throws -> [String] {
        guard let stripeWebhookSecrets else {
            throw Self.missing("STRIPE_WEBHOOK_SECRETS", "whsec_...")
        }
        let secrets = stripeWebhookSecrets.value.split(separator: ",").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
        guard !secrets.isEmpty, secrets.allSatisfy({ $0.hasPrefix("whsec_") && $0.count > 6 })
        else {
            throw SettingsError(
                "STRIPE_WEBHOOK_SECRETS must be one or more secrets of webhook endpoints, whsec_..., separated by commas"
            )
        }
        return secrets
    }

    /// The page, whose users are known; `nil`: there is none.
    func requiredPage() throws -> (port: Int, access: PageAccess)? {
        if let page, case .basic(let users) = page.access.mode, users.isEmpty {
            throw SettingsError(
                "PAGE_USERS is not set; it must be one or more of name:password, separated by white space (or PAGE_USERS_FILE a file of them)"
            )
        }
        return page
    }

    func stripeRequests(_ ledgerID: String) -> StripeRequests {
        StripeRequests(ledgerID: ledgerID, collection: collection, automaticTax: automaticTax)
    }

    private static func missing(_ name: String, _ example: String) -> SettingsError {
        SettingsError(
            "\(name) is not set; export \(name)=\(example) (or \(name)_FILE); make env prints it for the local stack"
        )
    }
}
