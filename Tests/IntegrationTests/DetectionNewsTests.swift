import Postgres
import Testing

/// What people are told of, and when once more.
struct DetectionNewsTests {
    private static let day = 30 * 24

    private static func fleet(
        _ customers: String..., days: Int = 31, seed: UInt64
    ) -> DetectedFleet {
        var fleet = DetectedFleet(days: days)
        for (number, customer) in customers.enumerated() {
            fleet.add(customer, mean: 20, seed: seed + UInt64(number))
        }
        return fleet
    }

    @Test func `who was told is told again of what is twice as unusual, and of nothing less`()
        async throws
    {
        var fleet = Self.fleet("a", seed: 810)
        let hour = Self.day + 10
        fleet.change("a", hour..<hour + 2) { _ in 75 }
        fleet.change("a", hour + 2..<hour + 4) { _ in 700 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.detect(Self.day..<Self.day + 1)
            func rounds() async throws -> [String] {
                try await stack.values(
                    "SELECT round || ' ' || state AS value FROM alerts ORDER BY alert_id")
            }
            for (hours, told) in [(2, "1 open"), (3, "2 open"), (4, "2 open")] {
                try await stack.detect(hour + hours - 1..<hour + hours)
                #expect(try await rounds() == [told], "\(hours) hours")
            }
            #expect(try await stack.anomalies().count == 1)
            #expect(try await stack.count("alerts WHERE (body ->> 'score')::float8 > 10") == 1)
        }
    }

    @Test(arguments: ["dismiss", "resolve"])
    func `what is unusual again after a person's last word is another anomaly`(word: String)
        async throws
    {
        var fleet = Self.fleet("a", seed: 820)
        let (first, again) = (Self.day + 10, Self.day + 22)
        for hour in [first, again] { fleet.change("a", hour..<hour + 2) { $0 * 6 + 40 } }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.detect(Self.day..<Self.day + 1)
            try await stack.detect(first + 1..<first + 2)
            let closed = try #require(try await stack.anomalies().first)
            try await stack.done("anomalies", word, closed.anomalyID)
            // Its tail is no news.
            try await stack.detect(again - 1..<again)
            #expect(try await stack.anomalies().map(\.anomalyID) == [closed.anomalyID])
            try await stack.detect(again + 1..<again + 2)
            let anomalies = try await stack.anomalies()
            #expect(anomalies.map(\.anomalyID).first == closed.anomalyID && anomalies.count == 2)
            #expect(anomalies.first?.status != "open")
            let second = try #require(anomalies.last)
            #expect(second.status == "open" && !second.isConfirmed)
            #expect(second.firstHour == "\(DetectedFleet.instant(again))" && second.hours == 2)
            #expect(
                try await stack.values("SELECT state AS value FROM alerts ORDER BY alert_id")
                    == ["resolved", "open"])
        }
    }

    @Test func `a planned event mutes everybody, and what goes on when it is over is told`()
        async throws
    {
        var fleet = Self.fleet("a", "b", seed: 830)
        let hour = Self.day + 10
        fleet.change("a", hour..<hour + 6) { $0 * 6 + 40 }
        fleet.change("b", hour..<hour + 1) { $0 * 6 + 40 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.done(
                "anomalies", "mute", "--from", DetectedFleet.start, "--until",
                "\(DetectedFleet.instant(hour + 4))", "--reason", "a launch")
            try await stack.detect(Self.day..<Self.day + 1)
            try await stack.detect(hour + 3..<hour + 4)
            #expect(try await stack.anomalies().map(\.isMuted) == [true, true])
            #expect(try await stack.count("alerts") == 0)
            try await stack.detect(hour + 5..<hour + 6)
            let anomalies = try await stack.anomalies()
            #expect(anomalies.filter(\.isMuted).map(\.customerID) == ["b"])
            let told = try #require(anomalies.first { $0.customerID == "a" }).anomalyID
            #expect(
                try await stack.values("SELECT key || round AS value FROM alerts")
                    == ["anomaly_\(told)1"])
        }
    }

    @Test func `a run tells of the most important, and of the others in one digest`() async throws {
        var fleet = Self.fleet("a", "b", "c", "d", "e", days: 32, seed: 840)
        let hour = Self.day + 10
        for customer in ["a", "c"] { fleet.change(customer, hour..<hour + 2) { $0 * 6 + 40 } }
        fleet.change("b", hour..<hour + 2) { $0 * 20 + 100 }
        for customer in ["d", "e"] { fleet.change(customer, hour + 3..<hour + 5) { $0 * 6 + 40 } }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<32 * 24)
            try await stack.detect(hour + 5..<hour + 6, with: ["DETECTION_ALERT_BUDGET": "1"])
            let anomalies = try await stack.anomalies()
            #expect(anomalies.compactMap(\.customerID).sorted() == ["a", "b", "c", "d", "e"])
            let worst = try #require(anomalies.first { $0.customerID == "b" }).anomalyID
            #expect(
                try await stack.values("SELECT key AS value FROM alerts WHERE kind = 'anomaly'")
                    == ["anomaly_\(worst)"])
            #expect(
                try await stack.values(
                    "SELECT state || ' ' || (body ->> 'anomalies') AS value FROM alerts WHERE kind = 'anomalies'"
                ) == ["open 4"])
            // All of them are over a day later, and so is the digest.
            let later = hour + 34
            try await stack.detect(later..<later + 1)
            #expect(try await stack.count("alerts WHERE state <> 'resolved'") == 0)
            let list = ["anomalies", "list", "--since", DetectedFleet.day(30), "--format", "json"]
            #expect(try await stack.jobs(list).output.isEmpty)
            let recovered = list + ["--status", "recovered"]
            #expect(try await stack.jobs(recovered).output.lineCount == 5)
            let review = ["anomalies", "acknowledge", "--since", DetectedFleet.day(30)]
            #expect(try await stack.jobs(review).output.contains("0 acknowledged"))
            let all = try await stack.jobs(review + ["--recovered"])
            #expect(all.output.contains("5 acknowledged"))
            #expect(try await stack.jobs(recovered).output.isEmpty)
        }
    }

    @Test func `a mute of what there is not is refused`() async throws {
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await stack.importCustomers("customer_id,plan,currency\nann,basic,usd\n")
            func mute(_ options: String...) async throws -> JobsProcess.Result {
                try await stack.jobs(
                    ["anomalies", "mute", "--until", "2100-01-01T00:00:00Z", "--reason", "r"]
                        + options)
            }
            #expect(try await mute("--customer", "ann", "--metric", "calls").status == 0)
            let customer = try await mute("--customer", "anne")
            #expect(customer.status == 65 && customer.errors.contains("anne"))
            let metric = try await mute("--metric", "call")
            #expect(metric.status == 65 && metric.errors.contains("calls"))
            #expect(try await stack.count("anomaly_mutes") == 1)
        }
    }

    @Test func `the view of open anomalies has four digits of everything`() async throws {
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await stack.postgres.query(
                """
                INSERT INTO anomalies (anomaly_id, customer_id, metric_key, metric, kind, severity,
                    direction, first_hour, last_hour, peak_hour, score, threshold, expected, observed,
                    excess, hours, method, recommended_action, expires_at)
                VALUES ('x', 'a', 'k', 'calls', 'volume', 'critical', 'up', '2026-04-01T10:00Z',
                    '2026-04-01T12:00Z', '2026-04-01T11:00Z', 12345.678, 3, 0.00123456, 0, -1, 2,
                    'composite', 'look', now())
                """)
            #expect(
                try await stack.values(
                    """
                    SELECT concat_ws(', ', customer, since, last_hour, score, expected, observed) AS value
                    FROM open_anomalies
                    """)
                    == ["a, 2026-04-01 10:00, 2026-04-01 12:00, 12350, 0.001235, 0"])
        }
    }
}
