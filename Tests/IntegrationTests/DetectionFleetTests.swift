import Testing

/// Shifts of the fleet, and what is one's own meanwhile.
struct DetectionFleetTests {
    private static let day = 30 * 24
    private static let onset = day + 10

    /// Some of them large.
    private static func fleet(days: Int, seed: UInt64) -> DetectedFleet {
        var fleet = DetectedFleet(days: days)
        for number in 0..<24 {
            fleet.add(
                "c\(number)", mean: number >= 20 ? 60 : 15,
                seed: seed + UInt64(number))
        }
        return fleet
    }

    @Test func `a lasting shift of the fleet hides nobody's outage, and no runaway`() async throws {
        var fleet = Self.fleet(days: 32, seed: 600)
        for number in 0..<14 {
            fleet.change("c\(number)", Self.onset..<32 * 24) { $0 * 4 + 20 }
        }
        // On the next day, two that are no part of the shift.
        let hours = Self.day + 24 + 8..<Self.day + 24 + 12
        fleet.change("c20", hours) { _ in 0 }
        fleet.change("c21", hours) { $0 * 6 + 40 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<32 * 24)
            try await stack.detect(Self.day..<Self.day + 1)
            try await stack.detect(hours.upperBound - 1..<hours.upperBound)
            let anomalies = try await stack.anomalies()
            let shift = try #require(anomalies.first { $0.kind == "fleet" })
            #expect(shift.direction == "up" && shift.status == "open")
            #expect(shift.firstHour == "\(DetectedFleet.instant(Self.onset))")
            #expect(shift.lastHour >= "\(DetectedFleet.instant(hours.lowerBound))")
            let own = anomalies.filter { $0.customerID != nil }
            #expect(own.map(\.customerID).sorted { $0 ?? "" < $1 ?? "" } == ["c20", "c21"])
            for anomaly in own {
                #expect(anomaly.direction == (anomaly.customerID == "c21" ? "up" : "stopped"))
                let key = "anomaly_\(anomaly.anomalyID)"
                #expect(try await stack.count("alerts WHERE key = '\(key)'") == 1)
            }
            // Late data of one has that one judged, while the shift lasts, and when it began.
            for hour in [hours.lowerBound, Self.onset] {
                try await stack.addCalls(1, of: "c22", at: hour)
                let next = hours.upperBound + (hour == Self.onset ? 1 : 0)
                let output = try await stack.detect(next..<next + 1)
                #expect(output.contains("\"late_series\":1,"), "\(output)")
            }
            let later = try await stack.anomalies()
            #expect(later.map(\.anomalyID) == anomalies.map(\.anomalyID))
            #expect(later.allSatisfy { $0.status == "open" })
        }
    }

    @Test func `an outage that outlives the fleet's is one's own, whatever comes late`()
        async throws
    {
        var fleet = Self.fleet(days: 33, seed: 700)
        for number in 0..<20 {
            fleet.change("c\(number)", Self.onset..<Self.onset + 3) { _ in 0 }
        }
        fleet.change("c0", Self.onset..<33 * 24) { _ in 0 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<33 * 24)
            let hour = Self.day + 50
            try await stack.detect(Self.day..<Self.day + 1)
            try await stack.detect(hour..<hour + 1)
            func outages() async throws -> [ListedAnomaly] {
                try await stack.anomalies().filter { $0.kind != "fleet" }
            }
            let early = try await outages()
            #expect(early.map(\.customerID) == ["c0"], "the others came back, and are the fleet's")
            #expect(early.first?.direction == "stopped" && early.first?.status == "open")
            let key = "anomaly_\(try #require(early.first).anomalyID)"
            try await stack.addCalls(1, of: "c0", at: Self.day + 30)
            try await stack.detect(hour + 1..<hour + 3)
            let late = try await outages()
            #expect(late.map(\.anomalyID) == early.map(\.anomalyID))
            #expect(late.first?.status == "open")
            #expect(late.first?.lastHour == "\(DetectedFleet.instant(hour + 2))")
            #expect(try await stack.count("alerts WHERE key = '\(key)' AND state = 'open'") == 1)
        }
    }
}
