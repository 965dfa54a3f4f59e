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
