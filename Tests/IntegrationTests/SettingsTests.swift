import Foundation
import Testing

struct SettingsTests {
    /// What is wrong with the settings, how the program ends, and a word of what it says.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let environment: [String: String?]
        var file: String?
        let status: Int32
        let word: String

        var testDescription: String { "\(environment.keys.sorted()) \(file ?? "") \(status)" }
    }

    @Test(arguments: [
        Mistake(environment: ["DATABASE_URL": nil], status: 78, word: "DATABASE_URL is not set"),
        Mistake(environment: ["DATABASE_URL": ""], status: 78, word: "DATABASE_URL is not set"),
        Mistake(
            environment: ["CLICKHOUSE_URL": nil], status: 78, word: "CLICKHOUSE_URL is not set"),
        Mistake(
            environment: ["DATABASE_URL": "postgresql://u:\(Stack.planted)@h:port/d"], status: 78,
            word: "database URL"),
        Mistake(
            environment: ["DATABASE_URL": "postgresql://u:p/\(Stack.planted)@host/d"], status: 78,
            word: "database URL"),
        Mistake(environment: ["DATABASE_URL": Stack.planted], status: 78, word: "database URL"),
        Mistake(
            environment: ["CLICKHOUSE_URL": "http://u:\(Stack.planted)@host"], status: 78,
            word: "CLICKHOUSE_URL must read"),
        Mistake(
            environment: ["CLICKHOUSE_URL": "http://u:p@\(Stack.planted)@host/d"], status: 78,
            word: "CLICKHOUSE_URL must read"),
        Mistake(
            environment: ["DATABASE_URL": nil, "DATABASE_URL_FILE": "/nowhere/url"], status: 78,
            word: "/nowhere/url cannot be read"),
        Mistake(
            environment: ["DATABASE_URL": nil, "DATABASE_URL_FILE": "/dev/null"], status: 78,
            word: "DATABASE_URL"),
        Mistake(environment: ["BILLING_MODE": "liev"], status: 78, word: "'liev'"),
        Mistake(environment: ["BILLING_MODE": ""], status: 78, word: "billing.mode"),
        Mistake(
            environment: ["BILLING_ALLOW_LIVE_KEYS": "flase"], status: 78,
            word: "billing.allow_live_keys"),
        Mistake(
            environment: ["USAGE_BATCH_ROWS": "0"], status: 78,
            word: "usage.batch_rows"),
        Mistake(
            environment: ["USAGE_BATCH_ROWS": "2m"], status: 78,
            word: "usage.batch_rows"),
        Mistake(
            environment: ["DETECTION_THRESHOLD": "high"], status: 78, word: "detection.threshold"),
        Mistake(
            environment: ["DETECTION_FLEET_SHARE": "5"], status: 78, word: "detection.fleet_share"),
        Mistake(environment: ["DETECTION_METHOD": "guess"], status: 78, word: "'guess'"),
        Mistake(environment: ["BILLING_HOLDS": "some"], status: 78, word: "'some'"),
        Mistake(environment: ["LOG_LEVEL": "loud"], status: 78, word: "log.level"),
        Mistake(environment: ["PAGE_PORT": "8090"], status: 78, word: "page.auth is not"),
        Mistake(environment: ["PAGE_AUTH": "basic"], status: 78, word: "page.port is not"),
        Mistake(
            environment: ["SERVE_BACKFILL_SECONDS": "7200"], status: 78,
            word: "serve.backfill_seconds"),
        Mistake(
            environment: [
                "PAGE_PORT": "8090", "PAGE_AUTH": "basic",
                "PAGE_USERS": "ann:\(Stack.planted) bob:x",
            ], status: 78, word: "12 characters"),
        Mistake(
            environment: [
                "PAGE_PORT": "8090", "PAGE_AUTH": "proxy", "PAGE_PROXY_HEADER": "X User",
            ], status: 78, word: "'X User'"),
        Mistake(environment: ["LOG_FORMAT": "xml"], status: 78, word: "log.format"),
        Mistake(
            environment: ["BILLING_ZERO_TOTALS": "carry"], status: 78, word: "billing.zero_totals"),
        Mistake(
            environment: ["BILLING_SMALL_TOTALS": "no"], status: 78, word: "billing.small_totals"),
        Mistake(environment: [:], file: "billing: {mood: live}", status: 78, word: "billing.mood"),
        Mistake(environment: [:], file: "biling: {mode: live}", status: 78, word: "biling.mode"),
        Mistake(environment: [:], file: "billing: {mode: liev}", status: 78, word: "'liev'"),
        Mistake(
            environment: [:], file: "billing: {mode: [live]}", status: 78, word: "billing.mode"),
        Mistake(environment: [:], file: "billing: {mode: }", status: 78, word: "billing.mode"),
        Mistake(
            environment: [:], file: "billing: {allow_live_keys: 1}", status: 78,
            word: "billing.allow_live_keys"),
        Mistake(environment: [:], file: "billing: [mode, live", status: 78, word: "YAML"),
        Mistake(environment: [:], file: "- billing: {mode: live}", status: 78, word: "jobs.yaml"),
        Mistake(environment: [:], file: "billing.mode live", status: 78, word: "jobs.yaml"),
        Mistake(environment: ["JOBS_CONFIG": "nowhere.yaml"], status: 78, word: "nowhere.yaml"),
    ])
    func `settings that cannot be read are refused`(mistake: Mistake) async throws {
        try await withStack(isMigrated: false) { stack in
            if let file = mistake.file { try stack.file("jobs.yaml", file + "\n") }
            let result = try await stack.jobs(
                "run", "bill", "--slot", "2015-05", with: mistake.environment)
            #expect(result.status == mistake.status)
            #expect(result.errors.contains(mistake.word), "\(result.errors)")
            #expect(result.output.isEmpty)
        }
    }

    @Test func `secrets for telling people are missed by those who tell, and by nobody else`()
        async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try stack.file(
                "jobs.yaml",
                """
                page: {port: 0, auth: basic}
                alerts:
                  routes:
                    chat: {type: slack, url_file: /nowhere/url}
                    pager: {type: pagerduty, routing_key_file: pagerduty_key}

                """)
            for command in [
                ["run", "bill", "--slot", "2015-05"], ["run", "seal-usage"], ["alerts", "list"],
            ] {
                let result = try await stack.jobs(command)
                #expect(result.status == 0, "\(command): \(result.errors)")
            }
            for (command, word) in [
                (["run", "send-alerts"], "the file /nowhere/url cannot be read"),
                (["alerts", "test", "pager"], "CREDENTIALS_DIRECTORY"),
                (["serve", "--only-page"], "PAGE_USERS is not set"),
            ] {
                let result = try await stack.jobs(command)
                #expect(result.status == 78 && result.errors.contains(word), "\(result.errors)")
            }
            let doctor = try await stack.jobs("doctor")
            #expect(doctor.status == 1)
            #expect(doctor.output.contains("/nowhere/url"))
            #expect(doctor.output.contains("PAGE_USERS is not set"))
        }
    }

    /// Ways of saying the same that are right.
    @Test func `settings come from the environment, from files, and from credentials`() async throws
    {
        try await withStack { stack in
            let (database, clickHouse) = (
                stack.environment["DATABASE_URL"] ?? "", stack.environment["CLICKHOUSE_URL"] ?? ""
            )
            try FileManager.default.createDirectory(
                atPath: stack.folder + "/credentials", withIntermediateDirectories: true)
            let secret = try stack.file("credentials/DATABASE_URL", database + "\n")
            let other = try stack.file("credentials/CLICKHOUSE_URL", clickHouse)
            let none: [String: String?] = ["DATABASE_URL": nil, "CLICKHOUSE_URL": nil]
            let ways: [[String: String?]] = [
                ["DATABASE_URL_FILE": secret, "CLICKHOUSE_URL_FILE": other],
                ["CREDENTIALS_DIRECTORY": stack.folder + "/credentials"],
                [
                    "CREDENTIALS_DIRECTORY": stack.folder + "/credentials",
                    "DATABASE_URL_FILE": secret,
                ],
                [
                    "DATABASE_URL": database, "DATABASE_URL_FILE": "/nowhere",
                    "CLICKHOUSE_URL_FILE": other,
                ],
                ["JOBS_CONFIG": "databases.yaml"],
            ]
            try stack.file(
                "databases.yaml", "database_url: \(database)\nclickhouse_url: \(clickHouse)\n")
            for way in ways {
                let result = try await stack.jobs(
                    "run", "bill", "--slot", "2015-05", with: none.merging(way) { $1 })
                #expect(result.status == 0, "\(way.keys.sorted()): \(result.errors)")
            }
            let option = try await stack.jobs(
                "run", "bill", "--slot", "2015-05", "--config", "databases.yaml", with: none)
            #expect(option.status == 0)
        }
    }

    @Test
    func `the environment goes before the file, and the option before both places of the file`()
        async throws
    {
        try await withStack { stack in
            try stack.file("jobs.yaml", "billing: {mode: liev}\n")
            try stack.file("other.yaml", "log: {level: error}\n")
            let bill = ["run", "bill", "--slot", "2015-05"]
            #expect(try await stack.jobs(bill).status == 78)
            #expect(try await stack.jobs(bill, with: ["BILLING_MODE": "dry-run"]).status == 0)
            #expect(try await stack.jobs(bill, with: ["JOBS_CONFIG": "other.yaml"]).status == 0)
            #expect(
                try await stack.jobs(
                    bill + ["--config", "other.yaml"], with: ["JOBS_CONFIG": "jobs.yaml"]
                ).status == 0)
        }
    }

    @Test func `live settings that are not meant are refused, and nothing is billed`() async throws
    {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers("customer_id,plan,currency\nann,basic,usd\n")
            let key = "live_\(Stack.planted)"
            let bill = ["run", "bill", "--slot", "2015-05"]
            let refused:
                [(settings: [String: String], options: [String], status: Int32, word: String)] = [
                    (["STRIPE_API_KEY": "sk_\(key)"], [], 77, "live key"),
                    (["STRIPE_API_KEY": "rk_\(key)"], ["--dry-run"], 77, "live key"),
                    (
                        ["STRIPE_API_KEY_FILE": try stack.file("key", "sk_\(key)\n")], [], 77,
                        "live key"
                    ),
                    (
                        ["JOBS_CONFIG": try stack.file("key.yaml", "stripe_api_key: sk_\(key)\n")],
                        [], 77, "live key"
                    ),
                    (["BILLING_MODE": "live"], [], 78, "STRIPE_API_KEY"),
                    (
                        ["JOBS_CONFIG": try stack.file("live.yaml", "billing: {mode: live}\n")], [],
                        78, "STRIPE_API_KEY"
                    ),
                ]
            for (settings, options, status, word) in refused {
                let result = try await stack.jobs(bill + options, with: settings)
                #expect(result.status == status, "\(settings.keys.sorted())")
                #expect(result.errors.contains(word) && result.output.isEmpty)
            }
            #expect(try await stack.count("invoices") == 0)
            let meant = try await stack.jobs(
                bill + ["--dry-run"],
                with: [
                    "STRIPE_API_KEY": "sk_\(key)", "BILLING_ALLOW_LIVE_KEYS": "true",
                    "BILLING_MODE": "live",
                ])
            #expect(meant.status == 0)
            #expect(try await stack.count("invoices") == 1)
        }
    }

    @Test(arguments: [
        ([:], ["skipped_zero", "carried", "computed"]),
        (["BILLING_ZERO_TOTALS": "invoice"], ["computed", "carried", "computed"]),
        (["BILLING_SMALL_TOTALS": "invoice"], ["skipped_zero", "computed", "computed"]),
    ])
    func `zero and small totals are invoiced only if that is set`(
        settings: [String: String], statuses: [String]
    ) async throws {
        try await withStack(catalog: Sample.simpleCatalog) { stack in
            try await stack.importCustomers(
                "customer_id,plan,currency\na-zero,basic,usd\nb-small,basic,usd\nc-due,basic,usd\n")
            try await stack.importEvents([
                stored("0.49", of: "b-small"),
                stored("0.5", of: "c-due"),
            ])
            _ = try await stack.bill("2015-05", with: settings)
            #expect(try await stack.invoices("--slot", "2015-05").map(\.status) == statuses)
        }
    }
}
