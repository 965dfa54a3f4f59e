import Foundation
import Testing

/// What is known later than the hour was judged: late data of many, and what people said.
struct DetectionLateTests {
    /// - Parameter share: from which on it was the fleet when the hours were judged first.
    @Test(arguments: ["0.05", "1"])
    func `a shift of the fleet is judged anew when late data comes`(share: String) async throws {
        var fleet = DetectedFleet(days: 31)
        let customers = (0..<24).map { "c\($0)" }
        let (late, others) = (Array(customers[..<20]), Array(customers[20...]))
        let hours = 30 * 24 + 10..<30 * 24 + 13
        for (number, customer) in customers.enumerated() {
            fleet.add(customer, mean: 15, seed: UInt64(300 + number))
        }
        for customer in late { fleet.change(customer, hours) { $0 * 6 + 40 } }
        func found(_ stack: Stack) async throws -> [ListedAnomaly] {
            try await stack.anomalies().filter { $0.status != "withdrawn" }
        }
        try await withStack(catalog: DetectionTests.catalog) { clean in
            try await fleet.append(clean, 0..<31 * 24)
            try await clean.detect(30 * 24..<31 * 24)
            let expected = try await found(clean)
            #expect(expected.contains { $0.kind == "fleet" && $0.direction == "up" })
            try await withStack(catalog: DetectionTests.catalog) { stack in
                try await fleet.append(stack, 0..<hours.lowerBound)
                try await fleet.append(stack, hours, of: others)
                try await fleet.append(stack, hours.upperBound..<31 * 24)
                try await stack.detect(
                    30 * 24..<31 * 24, with: ["DETECTION_FLEET_SHARE": share])
                let early = try await found(stack)
                #expect(early.contains { $0.kind == "fleet" } == (share == "0.05"))
                #expect(early.contains { $0.direction != "up" })
                try await fleet.append(stack, hours, of: late)
                try await stack.detect(31 * 24 - 1..<31 * 24)
                #expect(try await stack.states() == clean.states())
                #expect(try await found(stack) == expected)
                let open = try await stack.values(
                    """
                    SELECT key AS value FROM alerts WHERE state <> 'resolved' AND kind = 'anomaly'
                    EXCEPT SELECT 'anomaly_' || anomaly_id FROM anomalies WHERE status <> 'withdrawn'
                    """)
                #expect(open.isEmpty, "what is withdrawn is no alert any more")
            }
        }
    }

    @Test func `late data that makes an episode longer leaves its name, and what was said of it`()
        async throws
    {
        var fleet = DetectedFleet(days: 31)
        fleet.add("a", mean: 20, seed: 410)
        fleet.add("b", mean: 20, seed: 411)
        let hour = 30 * 24 + 10
        fleet.change("a", hour + 1..<hour + 4) { $0 * 6 + 40 }
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.detect(hour + 5..<hour + 6)
            let known = try #require(try await stack.anomalies().first)
            #expect(known.firstHour == "\(DetectedFleet.instant(hour + 1))")
            try await stack.done(
                "anomalies", "acknowledge", known.anomalyID, "--by", "ann", "--note", "a load test")
            try await stack.addCalls(200, of: "a", at: hour)
            // Judged anew, and then the hours go on.
            try await stack.detect(hour + 6..<hour + 8)
            let anomalies = try await stack.anomalies()
            #expect(anomalies.map(\.anomalyID) == [known.anomalyID])
            let longer = try #require(anomalies.first)
            #expect(longer.firstHour == "\(DetectedFleet.instant(hour))")
            #expect(longer.hours > known.hours && longer.excess > known.excess + 150)
            #expect(longer.status == "acknowledged" && longer.isConfirmed)
            let told = try await stack.values("SELECT state || ' ' || round AS value FROM alerts")
            #expect(told == ["acknowledged 1"])
        }
    }

    @Test func `of late hours and hours that were missing, the earliest is the first judged anew`()
        async throws
    {
        var fleet = DetectedFleet(days: 31)
        for number in 0..<12 { fleet.add("c\(number)", mean: 15, seed: UInt64(420 + number)) }
        let (yesterday, today) = (29 * 24, 30 * 24)
        let silent = today + 10..<today + 12
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<silent.lowerBound)
            try await fleet.append(stack, silent.upperBound..<31 * 24)
            try await stack.detect(yesterday..<yesterday + 1)
            try await stack.detect(today + 14..<today + 15)
            #expect(try await stack.count("detection_missing_hours") == 2)
            #expect(try await stack.anomalies().isEmpty)
            try await fleet.append(stack, silent)
            try await stack.addCalls(150, of: "c3", at: yesterday + 9)
            try await stack.detect(today + 15..<today + 16)
            #expect(try await stack.count("detection_missing_hours") == 0)
            let anomaly = try #require(try await stack.anomalies().first)
            #expect(anomaly.customerID == "c3")
            #expect(anomaly.firstHour == "\(DetectedFleet.instant(yesterday + 9))")
        }
    }

    @Test func `late data of before what is kept is counted, and not judged`() async throws {
        var fleet = DetectedFleet(days: 31)
        fleet.add("a", mean: 20, seed: 430)
        let hour = 30 * 24 + 5
        try await withStack(catalog: DetectionTests.catalog) { stack in
            try await fleet.append(stack, 0..<31 * 24)
            try await stack.detect(hour..<hour + 1)
            try await stack.addCalls(90, of: "a", at: hour - 24)
            let output = try await stack.detect(hour + 1..<hour + 2)
            #expect(output.contains("\"late_series\":0,\"too_late_hours\":1,"), "\(output)")
            #expect(try await stack.anomalies().isEmpty)
        }
    }

    @Test func `what people said of a day counts when the next baselines are made`() async throws {
        var fleet = DetectedFleet(days: 32)
        for (number, customer) in ["a", "b"].enumerated() {
            fleet.add(customer, mean: 20, seed: UInt64(400 + number))
        }
        fleet.change("a", 30 * 24 + 2..<30 * 24 + 12) { $0 * 3 + 10 }
        func states(after word: String?) async throws -> (states: [String], plot: Substring) {
            var states: [String] = []
            var plot: Substring = ""
            try await withStack(catalog: DetectionTests.catalog) { stack in
                try await fleet.append(stack, 0..<32 * 24)
                try await stack.detect(30 * 24..<31 * 24)
                let ids = try await stack.anomalies().map(\.anomalyID)
                try #require(ids.count == 1)
                if let word { try await stack.done("anomalies", word, ids[0]) }
                try await stack.done("run", "refresh-state", "--slot", DetectedFleet.day(30))
                states = try await stack.states()
                try await stack.detect(31 * 24..<31 * 24 + 6)
                let page = stack.folder + "/page.html"
                try await stack.done("anomalies", "show", ids[0], "--html", page)
                let html = try String(contentsOfFile: page, encoding: .utf8)
                plot = try #require(html.firstMatch(of: #/(?s)<svg.*?</svg>/#)).0
            }
            return (states, plot)
        }
        let unsaid = try await states(after: nil)
        let dismissed = try await states(after: "dismiss")
        let confirmed = try await states(after: "acknowledge")
        #expect(unsaid.states.count == 2)
        #expect(dismissed.states[0] != confirmed.states[0], "the day is in the one's baseline only")
        #expect(Set([unsaid.states[1], dismissed.states[1], confirmed.states[1]]).count == 1)
        // What is shown of the day after is what was expected of it.
        #expect(dismissed.plot != confirmed.plot)
    }
}
