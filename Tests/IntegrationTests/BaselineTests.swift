import Exact
import Foundation
import Postgres
import Testing

/// Versions of what a normal weekday is, and who says so.
struct BaselineTests {
    @Test func `a baseline that is poisoned slowly is refused, and an approval lasts`() async throws
    {
        var fleet = DetectedFleet(days: 13 * 7)
        fleet.add("steady", mean: 5, seed: 151)
        fleet.add("slow", mean: 8, seed: 152)
        // By 15 % a week: the version before would let it pass, the one four weeks older does not.
        for week in 0..<13 {
            fleet.change("slow", week * 168..<(week + 1) * 168) {
                Int((Double($0) * pow(1.15, Double(week))).rounded())
            }
        }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<13 * 168)
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W17..2026-W20")
            let refused = try await stack.jobs("run", "rebuild-baselines", "--slot", "2026-W21")
            #expect(refused.status == 1 && refused.output.contains("7 keep what was in force"))
            let drifted = try await stack.done("detect", "baselines", "drifted", "--format", "csv")
            #expect(drifted.matches(of: #/slow,calls,/#).count == 7)
            #expect(!drifted.contains("steady"))
            let approved = try await stack.done(
                "detect", "baselines", "approve", "slow", "--reason", "a larger plan")
            #expect(approved.contains("from the next check on"))
            // The version four weeks older is still one of before.
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W22")
        }
    }

    @Test func `a version that is refused counts when a person promotes it, and not before`()
        async throws
    {
        let monday = 13 * 7
        var fleet = DetectedFleet(days: monday + 1)
        for (number, name) in ["steady", "one", "two"].enumerated() {
            fleet.add(name, mean: 6, seed: UInt64(161 + number))
        }
        for name in ["one", "two"] {
            fleet.change(name, 8 * 168..<(monday + 1) * 24) { $0 * 3 }
        }
        func unusual(_ stack: Stack) async throws -> [String] {
            try await stack.anomalies().filter { $0.status == "open" }
                .compactMap(\.customerID).sorted()
        }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<(monday + 1) * 24)
            try await stack.done("run", "rebuild-baselines", "--slot", "2026-W17")
            // Two of three have tripled: something is wrong with the usage, or with the limits.
            let refused = try await stack.jobs("run", "rebuild-baselines", "--slot", "2026-W22")
            #expect(refused.status == 1 && refused.output.contains("refused"))
            try await stack.checkPatterns(monday)
            #expect(try await unusual(stack) == ["one", "two"])

            let approved = try await stack.done(
                "detect", "baselines", "approve", "--all", "--reason", "two larger plans")
            #expect(approved.contains("is refused") && approved.contains("promote"))
            try await stack.checkPatterns(monday)
            #expect(try await unusual(stack) == ["one", "two"])

            let version = try await stack.values(
                "SELECT max(version)::text AS value FROM baseline_versions")
            try await stack.done("detect", "baselines", "promote", version[0])
            try await stack.checkPatterns(monday)
            #expect(try await unusual(stack).isEmpty)
            #expect(
                try await stack.anomalies().allSatisfy {
                    $0.closeReason?.contains("checked again") == true
                })

            try await stack.done("detect", "baselines", "rollback")
            try await stack.checkPatterns(monday)
            #expect(try await unusual(stack) == ["one", "two"])

            let anomalies = try await stack.anomalies()
            try await stack.postgres.query(
                "UPDATE baseline_versions SET expires_at = now() WHERE state = 'active'")
            let expired = try await stack.jobs(
                "run", "check-patterns", "--slot", DetectedFleet.day(monday),
                with: ["DETECTION_THRESHOLD": "50"])
            #expect(expired.status == 1 && expired.output.contains("has expired"))
            #expect(try await stack.anomalies() == anomalies)
        }
    }

    @Test func `hours in which nobody knows what was used are none without usage`() async throws {
        var fleet = DetectedFleet(days: 8 * 7)
        fleet.add("a", mean: 10, seed: 171)
        // A Monday, 49 days before the version.
        let hours = 7 * 24..<7 * 24 + 8
        fleet.change("a", hours) { _ in 0 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<8 * 7 * 24)
            #expect(try await stack.baselineDays() == "[8,8,8,8,8,8,8]")
            let first = DetectedFleet.instant(hours.lowerBound).milliseconds / 3_600_000
            try await stack.postgres.query(
                """
                INSERT INTO detection_missing_hours
                SELECT generate_series(\(first), \(first) + 7)
                """)
            // Too few of its hours are left.
            #expect(try await stack.baselineDays() == "[7,8,8,8,8,8,8]")
        }
    }

    @Test func `a day that a person calls unusual for the fleet makes nobody's baseline`()
        async throws
    {
        var fleet = DetectedFleet(days: 32)
        fleet.add("a", mean: 20, seed: 181)
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<32 * 24)
            func states() async throws -> [String] {
                try await stack.done(
                    "run", "refresh-state", "--slot", DetectedFleet.day(31), "--restart")
                return try await stack.states()
            }
            let before = try await states()
            #expect(try await states() == before)
            let day = DetectedFleet.day(20)
            try await stack.postgres.query(
                """
                INSERT INTO anomalies (anomaly_id, metric_key, metric, kind, severity, direction,
                    first_hour, last_hour, peak_hour, score, threshold, expected, observed, excess,
                    hours, method, recommended_action, expires_at)
                SELECT 'x', metric_key, 'calls', 'fleet', 'critical', 'down',
                    '\(day)'::timestamptz, '\(day)'::timestamptz, '\(day)'::timestamptz, 9, 3, 1, 9,
                    8, 1, 'fleet', 'look', now() + interval '1 year'
                FROM usage_metrics WHERE is_ready
                """)
            try await stack.done("anomalies", "acknowledge", "x", "--note", "an outage of ours")
            #expect(try await states() != before)
        }
    }
}
