import ClickHouse
import Exact
import Foundation
import Postgres
import Testing

/// The daily and weekly jobs, through the scenarios that the whole is for.
struct PatternTests {
    /// Nine weeks; the tenth begins on day 63, a Monday.
    private static let history = 63

    private static func fleet() -> DetectedFleet {
        var fleet = DetectedFleet(days: history + 2)
        fleet.add("stolen-key", mean: 30, seed: 21)
        fleet.add("runaway", mean: 20, seed: 22)
        fleet.add("outage", mean: 25, seed: 23)
        for number in 1...4 { fleet.add("quiet-\(number)", mean: 15, seed: UInt64(30 + number)) }
        fleet.shift("stolen-key", day: history)
        fleet.change("runaway", history * 24 + 9..<history * 24 + 13) { $0 * 8 + 50 }
        fleet.change("outage", history * 24 + 8..<history * 24 + 20) { _ in 0 }
        return fleet
    }

    @Test
    func `a stolen key, a runaway script and an outage are found, and quiet customers left alone`()
        async throws
    {
        let fleet = Self.fleet()
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<Self.history * 24 + 24)
            let monday = DetectedFleet.day(Self.history)
            let early = try await stack.jobs("run", "check-patterns", "--slot", monday)
            #expect(early.status == 1 && early.output.contains("rebuild-baselines"))
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W18")
            try await stack.done("run", "check-patterns", "--slot", monday)
            let anomalies = try await stack.anomalies()
            let kinds = Dictionary(grouping: anomalies, by: { $0.customerID ?? "" })
                .mapValues { $0.map(\.kind) }
            #expect(
                kinds == ["stolen-key": ["pattern"], "runaway": ["volume"], "outage": ["volume"]])
            let found = Dictionary(
                anomalies.map { ($0.customerID ?? "", $0) }, uniquingKeysWith: { $1 })
            #expect(found["runaway"]?.direction == "up" && found["outage"]?.direction != "up")
            for (customer, advice) in [
                ("stolen-key", "rotate the key"), ("runaway", "runaway script"),
                ("outage", "exporter"),
            ] {
                #expect(found[customer]?.recommendedAction.contains(advice) == true)
                #expect(found[customer]?.severity == "critical")
            }
            let page = stack.folder + "/page.html"
            try await stack.done(
                "anomalies", "show", try #require(found["stolen-key"]).anomalyID, "--html", page)
            let html = try String(contentsOfFile: page, encoding: .utf8)
            #expect(html.matches(of: #/<rect class="weekday"/#).count == 24)
            #expect(html.matches(of: #/<rect class="day"/#).count == 24)
            // Again: nothing new, nobody told twice.
            let alerts = try await stack.count("alerts")
            try await stack.done("run", "check-patterns", "--slot", monday)
            #expect(try await stack.anomalies() == anomalies)
            #expect(try await stack.count("alerts") == alerts)
        }
    }

    @Test func `the same volume at other hours is a pattern, where the hours do not show it`()
        async throws
    {
        var fleet = DetectedFleet(days: Self.history + 1)
        fleet.add("a", mean: 3, seed: 41)
        fleet.add("b", mean: 3, seed: 42)
        fleet.shift("a", day: Self.history)
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<Self.history * 24 + 24)
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W18")
            let environment = ["DETECTION_THRESHOLD": "50"]
            try await stack.done(
                "run", "check-patterns", "--slot", DetectedFleet.day(Self.history),
                with: environment)
            let anomalies = try await stack.anomalies()
            #expect(anomalies.map(\.customerID) == ["a"])
            #expect(anomalies.first?.kind == "pattern" && anomalies.first?.method == "pattern")
            #expect(anomalies.first?.recommendedAction.contains("rotate the key") == true)
        }
    }

    @Test
    func `a day's change of volume is one row, of the hours or of the day, within the budget`()
        async throws
    {
        var fleet = DetectedFleet(days: Self.history + 1)
        let day = Self.history * 24..<Self.history * 24 + 24
        for (number, name) in ["little", "more", "most"].enumerated() {
            fleet.add(name, mean: 20, seed: UInt64(81 + number))
            fleet.change(name, day) { $0 * (5 + 4 * number) / 4 }
        }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<day.upperBound)
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W18")
            func check(_ budget: Int) async throws -> String {
                // No hour is unusual enough.
                try await stack.done(
                    "run", "check-patterns", "--slot", DetectedFleet.day(Self.history),
                    "--format", "json",
                    with: [
                        "DETECTION_THRESHOLD": "50", "DETECTION_WARNING_BUDGET": "\(budget)",
                    ])
            }
            #expect(try await check(0).contains("\"unrecorded_warnings\":2"))
            #expect(try await stack.anomalies().isEmpty)
            #expect(try await check(1).contains("\"unrecorded_warnings\":1"))
            let most = try await stack.anomalies()
            #expect(most.map(\.customerID) == ["most"])
            #expect(most.first?.kind == "volume" && most.first?.severity == "warning")
            #expect(most.first?.direction == "up" && most.first?.method == "pattern")
            #expect(try await check(20).contains("\"unrecorded_warnings\":0"))
            #expect(try await Set(stack.anomalies().compactMap(\.customerID)) == ["more", "most"])
            // An event comes late, and the day's hours are judged anew: now they are unusual themselves.
            try await stack.clickHouse(
                """
                INSERT INTO events (transaction_id, customer_id, event_type, timestamp, properties, ingested_at)
                SELECT 'late', 'most', 'api_request',
                    fromUnixTimestamp64Milli(\(DetectedFleet.instant(day.lowerBound).milliseconds), 'UTC'),
                    '{}', now64(3, 'UTC')
                """)
            try await stack.done(
                "run", "check-patterns", "--slot", DetectedFleet.day(Self.history))
            let rows = try await stack.anomalies().filter { $0.customerID == "most" }
            #expect(rows.count { $0.status == "withdrawn" && $0.method == "pattern" } == 1)
            let open = rows.filter { $0.status == "open" }
            #expect(open.count == 1 && open.first?.severity == "critical")
        }
    }

    @Test(arguments: ["volume", "pattern"])
    func `a day on which many customers are unusual is one anomaly of the fleet`(what: String)
        async throws
    {
        var fleet = DetectedFleet(days: Self.history + 1)
        let day = Self.history * 24..<Self.history * 24 + 24
        for number in 1...12 {
            fleet.add("c\(number)", mean: 10, seed: UInt64(500 + number))
            if what == "pattern" {
                fleet.shift("c\(number)", day: Self.history)
            } else {
                fleet.change("c\(number)", day) { ($0 * 3 + 5) / 10 }
            }
        }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<day.upperBound)
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W18")
            // No hour is unusual enough.
            for _ in 1...2 {
                try await stack.checkPatterns(Self.history)
                let anomalies = try await stack.anomalies()
                #expect(anomalies.map(\.kind) == ["fleet"] && anomalies.first?.customerID == nil)
                #expect(anomalies.first?.series == 12 && anomalies.first?.method == "pattern")
                if what == "volume" { #expect(anomalies.first?.direction == "down") }
                #expect(try await stack.count("alerts") == 1)
            }
        }
    }

    @Test func `late data has its day checked again, and what it explains is withdrawn`()
        async throws
    {
        var fleet = DetectedFleet(days: Self.history + 2)
        let day = Self.history * 24..<Self.history * 24 + 24
        let late = day.lowerBound..<day.lowerBound + 14
        fleet.add("late", mean: 10, seed: 91)
        fleet.add("key", mean: 10, seed: 92)
        fleet.shift("key", day: Self.history)
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<day.lowerBound)
            try await fleet.append(stack, day, of: ["key"])
            try await fleet.append(stack, late.upperBound..<day.upperBound, of: ["late"])
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W18")
            try await stack.checkPatterns(Self.history)
            let early = try await stack.anomalies()
            #expect(Set(early.map(\.customerID)) == ["late", "key"] && early.count == 2)
            try await fleet.append(stack, late, of: ["late"])
            try await fleet.append(stack, day.upperBound..<day.upperBound + 24)
            try await stack.checkPatterns(Self.history + 1)
            let anomalies = try await stack.anomalies()
            #expect(anomalies.count == 2)
            let withdrawn = anomalies.first { $0.customerID == "late" }
            #expect(withdrawn?.status == "withdrawn")
            #expect(withdrawn?.closeReason?.contains("checked again") == true)
            #expect(anomalies.first { $0.customerID == "key" }?.status == "open")
            // Nothing has come since: nothing is checked again.
            try await stack.checkPatterns(Self.history + 1)
            #expect(try await stack.anomalies() == anomalies)
        }
    }

    @Test func `a pattern that goes on with more usage becomes both`() async throws {
        var fleet = DetectedFleet(days: Self.history + 2)
        fleet.add("a", mean: 10, seed: 93)
        fleet.shift("a", day: Self.history)
        fleet.shift("a", day: Self.history + 1)
        let second = (Self.history + 1) * 24..<(Self.history + 2) * 24
        fleet.change("a", second) { $0 * 3 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<second.upperBound)
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W18")
            try await stack.checkPatterns(Self.history)
            #expect(try await stack.anomalies().map(\.kind) == ["pattern"])
            try await stack.checkPatterns(Self.history + 1)
            let anomalies = try await stack.anomalies()
            #expect(anomalies.map(\.kind) == ["both"] && anomalies.first?.hours == 48)
            #expect(anomalies.first?.recommendedAction.contains("More usage") == true)
        }
    }

    @Test func `a baseline that has drifted too far waits for a person, and can be taken back`()
        async throws
    {
        var fleet = DetectedFleet(days: 8 * 7 + 28)
        fleet.add("steady", mean: 20, seed: 51)
        fleet.add("growing", mean: 20, seed: 52)
        fleet.change("growing", 8 * 7 * 24..<(8 * 7 + 28) * 24) { $0 * 3 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<(8 * 7 + 28) * 24)
            // 2026-03-02 is the first day of week 10.
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W17")
            let drifted = try await stack.jobs("run", "rebuild-baselines", "--slot", "2026-W21")
            #expect(drifted.status == 1 && drifted.output.contains("drifted"))
            let listed = try await stack.done(
                "detect", "baselines", "drifted", "--format", "csv")
            #expect(listed.lineCount == 8 && !listed.contains("steady"))
            try await stack.done(
                "detect", "baselines", "approve", "growing", "--reason", "a larger plan")
            #expect(
                try await stack.done("detect", "baselines", "drifted", "--format", "csv").lineCount
                    == 1)
            try await stack.done("detect", "baselines", "rollback")
            let versions = try await stack.done("detect", "baselines", "list", "--format", "csv")
            #expect(versions.matches(of: #/2026-W17,.*,active,/#).count == 1)
            #expect(try await stack.jobs("detect", "baselines", "rollback").status == 65)
        }
    }

    @Test func `dismissed anomalies keep their days in the baseline, others are left out`()
        async throws
    {
        var fleet = DetectedFleet(days: 8 * 7)
        fleet.add("a", mean: 20, seed: 61)
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<8 * 7 * 24)
            let day = DetectedFleet.day(49)
            try await stack.done("run", "seal-usage")
            try await stack.postgres.query(
                """
                INSERT INTO anomalies (anomaly_id, customer_id, metric_key, metric, kind, severity,
                    direction, first_hour, last_hour, peak_hour, score, threshold, expected,
                    observed, excess, hours, method, recommended_action, expires_at)
                SELECT 'x', 'a', metric_key, 'calls', 'volume', 'critical', 'up',
                    '\(day)'::timestamptz, '\(day)'::timestamptz, '\(day)'::timestamptz, 9, 3, 1, 9,
                    8, 1, 'composite', 'look', now() + interval '1 year'
                FROM usage_metrics WHERE is_ready
                """)
            #expect(try await stack.baselineDays() == "[7,8,8,8,8,8,8]")
            try await stack.done("anomalies", "dismiss", "x", "--note", "a sale")
            #expect(try await stack.baselineDays() == "[8,8,8,8,8,8,8]")
        }
    }
}

extension Stack {
    /// Checks the patterns of a day, none of whose hours is unusual enough.
    @discardableResult
    func checkPatterns(_ day: Int, sourceLocation: SourceLocation = #_sourceLocation) async throws
        -> String
    {
        try await done(
            "run", "check-patterns", "--slot", DetectedFleet.day(day),
            with: ["DETECTION_THRESHOLD": "50"], sourceLocation: sourceLocation)
    }

    /// On how many days each weekday's baseline rests, of a new version.
    func baselineDays() async throws -> String {
        _ = try await jobs("run", "rebuild-baselines", "--slot", "2026-W17")
        let rows = try await clickHouse.rows(
            ClickHouseQuery(
                """
                SELECT toString(groupArray(days)) AS days FROM (
                    SELECT days FROM detection_baselines
                    WHERE version = (SELECT max(version) FROM detection_baselines)
                        AND is_drifted = 0
                    ORDER BY weekday)
                """))
        return try #require(rows.first).string("days")
    }
}
