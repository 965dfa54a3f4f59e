import Foundation
import Postgres
import Testing

/// The hourly job on a real ledger and a real log.
struct DetectionTests {
    static let catalog = """
        version: "calls"
        effective_from: 2015-01-01
        metrics:
          - {code: calls, event_type: api_request, aggregation: count, unit: call}
        plans:
          - {code: basic, currency: usd, charges: [{metric: calls, model: per_unit, unit_amount: "0.01"}]}
        """

    @Test(arguments: [
        ["composite", "default"], ["composite", "sensitive"], ["zscore", "default"],
    ])
    func `the hourly job and the backtest agree to the last digit`(method: [String]) async throws {
        var fleet = DetectedFleet(days: 32)
        fleet.add("quiet", mean: 20, seed: 1)
        fleet.add("runaway", mean: 20, seed: 2)
        fleet.add("outage", mean: 30, seed: 3)
        let judged = 30 * 24..<32 * 24
        fleet.change("runaway", 30 * 24 + 9..<30 * 24 + 12) { $0 * 6 + 40 }
        fleet.change("outage", 30 * 24 + 20..<31 * 24 + 6) { _ in 0 }
        try await withStack(catalog: Self.catalog) { stack in
            try await fleet.append(stack, 0..<32 * 24)
            try await stack.detect(
                judged,
                with: ["DETECTION_METHOD": method[0], "DETECTION_SENSITIVITY": method[1]])
            let input = try stack.file("series.csv", fleet.csv)
            try await stack.done(
                "detect", "backtest", "--input", input, "--output", "\(stack.folder)/scores.csv",
                "--method", method[0], "--sensitivity", method[1])
            let scores = try String(contentsOfFile: "\(stack.folder)/scores.csv", encoding: .utf8)
                .split(separator: "\n").dropFirst()
                .map { $0.split(separator: ",", omittingEmptySubsequences: false) }
            var scoreOf: [String: Double] = [:]
            for line in scores { scoreOf["\(line[0]) \(line[1])"] = Double(line[2]) }
            let flagged = scores.filter { $0[3] == "1" && $0[1] >= "\(DetectedFleet.instant(720))" }

            let anomalies = try await stack.anomalies()
            #expect(!anomalies.isEmpty)
            #expect(Set(flagged.map { String($0[0]) }) == Set(anomalies.compactMap(\.customerID)))
            for anomaly in anomalies {
                let customer = anomaly.customerID ?? ""
                #expect(scoreOf["\(customer) \(anomaly.peakHour)"] == anomaly.score)
                #expect(flagged.contains { $0[0] == customer && $0[1] == anomaly.firstHour })
                #expect(anomaly.kind == "volume" && anomaly.severity == "critical")
            }
            let keys = try await stack.values("SELECT key AS value FROM alerts ORDER BY key")
            #expect(keys == anomalies.map { "anomaly_\($0.anomalyID)" }.sorted())
            guard method == ["composite", "default"] else { return }
            #expect(Set(anomalies.compactMap(\.customerID)) == ["outage", "runaway"])
            let outage = try #require(anomalies.first { $0.customerID == "outage" })
            #expect(outage.direction == "stopped" && outage.observed == 0)
            let runaway = try #require(anomalies.first { $0.customerID == "runaway" })
            #expect(runaway.direction == "up" && runaway.observed > 3 * runaway.expected)
            #expect(runaway.firstHour == "\(DetectedFleet.instant(729))")
        }
    }

    @Test func `late, doubled and shuffled events leave what a clean run leaves`() async throws {
        var fleet = DetectedFleet(days: 32)
        fleet.add("early", mean: 20, seed: 4)
        fleet.add("late", mean: 25, seed: 5)
        fleet.change("late", 30 * 24 + 5..<30 * 24 + 9) { $0 * 5 + 30 }
        func found(_ stack: Stack) async throws -> [ListedAnomaly] {
            try await stack.anomalies().filter { $0.status != "withdrawn" }
        }
        let history = 0..<30 * 24
        let (first, second) = (30 * 24..<31 * 24, 31 * 24..<31 * 24 + 10)
        try await withStack(catalog: Self.catalog) { clean in
            try await fleet.append(clean, 0..<second.upperBound)
            try await clean.detect(first)
            try await clean.detect(second)
            try await withStack(catalog: Self.catalog) { stack in
                try await fleet.append(stack, history)
                try await fleet.append(stack, first, of: ["early"], copies: 2)
                // A day without any event of one customer: it looks like an outage.
                try await stack.detect(first)
                let outage = try #require(try await found(stack).first)
                #expect(outage.customerID == "late" && outage.direction == "stopped")
                // Over a day later all of it comes, twice.
                try await fleet.append(stack, second)
                try await stack.detect(second.lowerBound..<second.lowerBound + 3)
                try await fleet.append(stack, first, copies: 2)
                try await stack.detect(second)
                #expect(try await stack.states() == clean.states())
                #expect(try await found(stack) == found(clean))
                let withdrawn = try await stack.anomalies().filter { $0.status == "withdrawn" }
                #expect(withdrawn.map(\.anomalyID) == [outage.anomalyID])
                // Of what stays, people heard as often as in a clean run; and of what was none.
                func told(_ stack: Stack) async throws -> [String] {
                    try await stack.values(
                        "SELECT key || ' ' || round AS value FROM alerts ORDER BY key")
                }
                let wrong = try await told(stack).filter { $0.contains(outage.anomalyID) }
                #expect(wrong.count == 1)
                #expect(try await told(stack) == (told(clean) + wrong).sorted())
            }
        }
    }

    @Test func `an hour that is not over is not judged`() async throws {
        try await withStack(catalog: Self.catalog) { stack in
            let now = String("\(Date().ISO8601Format())".prefix(13))
            let result = try await stack.jobs("run", "detect-anomalies", "--slot", now)
            #expect(result.status == 1 && result.output.contains("is not over"))
            #expect(try await stack.count("detection_positions") == 0)
        }
    }

    @Test func `what a person says of anomalies is kept, with who and why`() async throws {
        var fleet = DetectedFleet(days: 32)
        fleet.add("a", mean: 20, seed: 7)
        fleet.add("b", mean: 20, seed: 8)
        for customer in ["a", "b"] {
            fleet.change(customer, 30 * 24 + 2..<30 * 24 + 5) { $0 * 6 + 40 }
        }
        try await withStack(catalog: Self.catalog) { stack in
            try await fleet.append(stack, 0..<32 * 24)
            try await stack.detect(30 * 24..<30 * 24 + 4)
            let ids = try await stack.anomalies().map(\.anomalyID)
            try #require(ids.count == 2)
            try await stack.done(
                "anomalies", "acknowledge", ids[0], "--by", "ann", "--note", "a load test")
            try await stack.done("anomalies", "dismiss", "--slot", DetectedFleet.slot(722))
            let both = try await stack.anomalies()
            #expect(both.allSatisfy { $0.status == "dismissed" && !$0.isConfirmed })
            // Its further hours do not open it again.
            try await stack.detect(30 * 24 + 4..<30 * 24 + 6)
            #expect(try await stack.anomalies().map(\.status) == ["dismissed", "dismissed"])
            #expect(try await stack.count("anomaly_notes WHERE by = 'ann'") == 1)
            let unknown = try await stack.jobs("anomalies", "resolve", "nobody")
            #expect(unknown.status == 65 && unknown.errors.contains("anomalies list"))
            #expect(try await stack.jobs("anomalies", "resolve").status == 64)
        }
    }

    @Test func `a muted customer's anomalies are recorded, and nobody is told`() async throws {
        var fleet = DetectedFleet(days: 31)
        fleet.add("a", mean: 20, seed: 9)
        fleet.change("a", 30 * 24 + 2..<30 * 24 + 5) { $0 * 6 + 40 }
        try await withStack(catalog: Self.catalog) { stack in
            try await stack.importCustomers("customer_id,plan,currency\na,basic,usd\n")
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.done(
                "anomalies", "mute", "--customer", "a", "--from", DetectedFleet.start, "--until",
                "2030-01-01T00:00:00Z", "--reason", "migration")
            try await stack.detect(30 * 24..<30 * 24 + 4)
            let anomalies = try await stack.anomalies()
            #expect(anomalies.count == 1 && anomalies[0].isMuted)
            #expect(try await stack.count("alerts") == 0)
            #expect(try await stack.done("anomalies", "mute").contains("migration"))
            try await stack.done("anomalies", "unmute", "1")
            #expect(try await stack.jobs("anomalies", "unmute", "1").status == 65)
        }
    }

    @Test func `many customers at once are one anomaly, and one alert`() async throws {
        var fleet = DetectedFleet(days: 31)
        for number in 0..<24 { fleet.add("c\(number)", mean: 15, seed: UInt64(100 + number)) }
        for number in 0..<20 {
            fleet.change("c\(number)", 30 * 24 + 10..<30 * 24 + 14) { _ in 0 }
        }
        try await withStack(catalog: Self.catalog) { stack in
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.detect(30 * 24..<31 * 24)
            let anomalies = try await stack.anomalies()
            let shift = try #require(anomalies.first { $0.kind == "fleet" })
            #expect(shift.customerID == nil && shift.series ?? 0 >= 10)
            #expect(shift.firstHour == "\(DetectedFleet.instant(730))")
            #expect(shift.direction != "up")
            #expect(anomalies.count <= 3, "those that went down with the fleet are part of it")
            #expect(
                try await stack.count("alerts WHERE key = 'anomaly_\(shift.anomalyID)'") == 1)
        }
    }

    @Test func `an hour in which the whole fleet is silent is missing, and no outage of each`()
        async throws
    {
        var fleet = DetectedFleet(days: 31)
        for number in 0..<12 { fleet.add("c\(number)", mean: 15, seed: UInt64(200 + number)) }
        try await withStack(catalog: Self.catalog) { stack in
            let silent = 30 * 24 + 10..<30 * 24 + 13
            try await fleet.append(stack, 0..<silent.lowerBound)
            try await fleet.append(stack, silent.upperBound..<31 * 24)
            let output = try await stack.detect(30 * 24..<31 * 24)
            #expect(output.matches(of: #/"missing_hours":1/#).count == 3)
            #expect(try await stack.anomalies().isEmpty)
            // It was the exporter, and catches up.
            try await withStack(catalog: Self.catalog) { clean in
                try await fleet.append(clean, 0..<31 * 24)
                try await clean.detect(30 * 24..<31 * 24)
                try await fleet.append(stack, silent)
                try await stack.detect(31 * 24 - 1..<31 * 24)
                #expect(try await stack.states() == clean.states())
                #expect(try await stack.count("detection_missing_hours") == 0)
            }
        }
    }
}

extension Stack {
    func values(_ sql: String) async throws -> [String] {
        try await postgres.query(sql).rows.map { try $0.decode("value") }
    }
}
