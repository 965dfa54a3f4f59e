// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "meterflow-jobs",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "jobs", targets: ["jobs"]),
        .executable(name: "stripe-simulator", targets: ["StripeSimulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
        .package(
            url: "https://github.com/apple/swift-configuration", exact: "1.4.0", traits: ["YAML"]),
        .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
        .package(url: "https://github.com/attaswift/BigInt", exact: "6.0.1"),
        .package(url: "https://github.com/apple/swift-nio", exact: "2.101.2"),
        .package(
            url: "https://github.com/hummingbird-project/hummingbird", exact: "2.28.1"),
        .package(
            url: "https://github.com/swift-server/swift-service-lifecycle", exact: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
    ],
    targets: [
        // The executable: one file a command.
        .executableTarget(
            name: "jobs",
            dependencies: [
                "Alerts", "Billing", "Detection", "Ledger", "Usage", "ClickHouse", "Postgres",
                "HTTP",
                "Digest",
                "Exact",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ]),

        // The domain, from usage to an invoice in the ledger.
        .target(
            name: "Billing",
            dependencies: [
                "Usage", "Ledger", "HTTP", "Digest", "Exact",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Yams", package: "Yams"),
            ]),
        // What is unusual in usage: computing that is pure, and the runs that feed it.
        .target(
            name: "Detection",
            dependencies: [
                "Usage", "Ledger", "ClickHouse", "Postgres", "Digest", "Exact",
                .product(name: "Logging", package: "swift-log"),
            ],
            plugins: ["EmbedSQLPlugin"]),
        .target(
            name: "Usage",
            dependencies: ["Ledger", "ClickHouse", "Postgres", "Digest", "Exact"],
            plugins: ["EmbedSQLPlugin"]),
        .target(
            name: "Ledger",
            dependencies: ["Postgres", "Exact"],
            plugins: ["EmbedSQLPlugin"]),

        // How people hear of what needs them.
        .target(
            name: "Alerts",
            dependencies: [
                "Ledger", "HTTP", "Digest", "Exact",
                .product(name: "Logging", package: "swift-log"),
            ]),

        // A Stripe of our own on loopback, for development, the demo and tests.
        .executableTarget(
            name: "StripeSimulator",
            dependencies: [
                "StripeSimulation", "HTTP",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ]),
        .target(name: "StripeSimulation", dependencies: ["Digest"]),

        // The edges: no domain words below this line.
        .target(name: "ClickHouse", dependencies: ["HTTP"]),
        .target(name: "Postgres", dependencies: ["CLibpq"]),
        .target(name: "HTTP", dependencies: ["CLibcurl", "CZlib"]),
        .target(name: "Digest", dependencies: ["CLibcrypto"]),
        .target(name: "Exact", dependencies: [.product(name: "BigInt", package: "BigInt")]),

        .systemLibrary(
            name: "CLibcurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .systemLibrary(name: "CLibpq", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .systemLibrary(
            name: "CLibcrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),

        // sql/ becomes string literals in the binary.
        .executableTarget(name: "EmbedSQL"),
        .plugin(name: "EmbedSQLPlugin", capability: .buildTool(), dependencies: ["EmbedSQL"]),

        // What several of the tests' targets need.
        .target(
            name: "TestSupport", dependencies: ["HTTP", "Ledger", "Postgres", "StripeSimulation"],
            path: "Tests/TestSupport"),
        .testTarget(name: "ExactTests", dependencies: ["Exact", "Digest"]),
        .testTarget(name: "HTTPTests", dependencies: ["HTTP"]),
        .testTarget(name: "PostgresTests", dependencies: ["Postgres"]),
        .testTarget(name: "ClickHouseTests", dependencies: ["ClickHouse", "HTTP"]),
        .testTarget(
            name: "UsageTests",
            dependencies: ["Usage", "Ledger", "ClickHouse", "Postgres", "Digest", "Exact"]),
        .testTarget(name: "DetectionTests", dependencies: ["Detection"]),
        .testTarget(
            name: "BillingTests",
            dependencies: [
                "Billing", "Ledger", "Postgres", "Usage", "Exact", "TestSupport",
            ],
            exclude: ["pricing_oracle.py"]),
        .testTarget(
            name: "AlertsTests",
            dependencies: [
                "Alerts", "Ledger", "Postgres", "Exact", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "SubmissionTests",
            dependencies: [
                "Billing", "Ledger", "Postgres", "Exact", "StripeSimulation", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ]),
        .testTarget(
            name: "StripeSimulatorTests",
            dependencies: [
                "StripeSimulation", "StripeSimulator", "HTTP", "Digest", "TestSupport",
            ]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: [
                "jobs", "StripeSimulator", "Billing", "Detection", "Ledger", "Usage", "ClickHouse",
                "Postgres", "HTTP", "Exact", "StripeSimulation", "TestSupport",
            ],
            exclude: ["wrong_clock.c", "mail_server.py"]),
    ],
    swiftLanguageModes: [.v6]
)

// One set of rules for every Swift target of ours; what we depend on keeps its own.
for target in package.targets where target.type != .system && target.type != .plugin {
    target.swiftSettings = [
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("MemberImportVisibility"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
        .treatAllWarnings(as: .error),
    ]
}
