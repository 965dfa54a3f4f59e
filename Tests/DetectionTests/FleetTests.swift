import Testing

@testable import Detection

/// A small fleet with bounds: they are wide enough for chance, and narrow enough to see a mistake.
struct FleetTests {
    static let days = 46
    static let start = 24 * 36 + 9

    enum Anomaly: String, CaseIterable, Sendable {
        case spike, drop, ramp, nightShift, level

        var hours: Int {
            switch self {
            case .spike: 3
            case .drop: 6
            case .ramp, .level: 168
            case .nightShift: 72
            }
        }
    }

    private static func values(_ seed: UInt64, _ anomaly: Anomaly?) -> [Double?] {
        var usage = Usage(seed: seed)
        usage.mean = [15.0, 60, 400, 5000][Int(seed % 4)]
        usage.size = [15.0, 40, 90][Int(seed % 3)]
        let window = start..<start + (anomaly?.hours ?? 0)
        if anomaly == .nightShift { return usage.hours(24 * days, nightShift: window) }
        return usage.hours(24 * days) { hour in
            guard let anomaly, window.contains(hour.index) else { return 1 }
            return switch anomaly {
            case .spike: 3
            case .drop: 0
            case .ramp: 1 + 0.7 * Double(hour.index - window.lowerBound) / 168
            case .level: 1.5
            case .nightShift: 1
            }
        }
    }

    @Test(arguments: zip(Anomaly.allCases, [0.85, 0.95, 0.85, 0.95, 0.85]))
    func `each kind of anomaly is found in nearly every series`(anomaly: Anomaly, recall: Double) {
        let found = (0..<20).count { seed in
            let window = Self.start..<Self.start + anomaly.hours
            return alerts(judge(Self.values(UInt64(seed), anomaly))).contains(
                where: window.contains)
        }
        #expect(Double(found) / 20 >= recall)
    }

    @Test func `a spike and an outage are told within two hours`() {
        for anomaly in [Anomaly.spike, .drop] {
            let delays = (0..<20).compactMap { seed in
                alerts(judge(Self.values(UInt64(seed), anomaly))).first { $0 >= Self.start }
            }.map { $0 - Self.start }.sorted()
            #expect(delays[delays.count / 2] <= 1)
        }
    }

    @Test func `quiet customers are left alone`() {
        let told = (100..<150).reduce(0) { sum, seed in
            sum + alerts(judge(Self.values(UInt64(seed), nil))).count
        }
        // 50 series of 46 days: one in a thousand series a day would be two.
        #expect(told <= 3)
    }

    @Test func `the end of an anomaly is no second one`() {
        let after = [Anomaly.spike, .drop, .level].reduce(0) { sum, anomaly in
            (0..<12).reduce(sum) { sum, seed in
                let end = Self.start + anomaly.hours
                let late = alerts(judge(Self.values(UInt64(seed), anomaly))).filter { $0 >= end }
                return sum + (late.isEmpty ? 0 : 1)
            }
        }
        #expect(after <= 4)
    }

    @Test func `the composite finds what daily totals do not`() {
        let window = Self.start..<Self.start + Anomaly.drop.hours
        func found(_ method: Method) -> Int {
            (0..<12).count { seed in
                let values = Self.values(UInt64(seed), .drop)
                return alerts(judge(values, .init(method: method))).contains(where: window.contains)
            }
        }
        #expect(found(.composite) > found(.zscore) + 3)
    }
}
