import Testing

@testable import Detection

/// What many series have in common, and what is one's own meanwhile.
struct FleetShiftTests {
    private static let metric = DetectedMetric(
        key: "k", code: "calls", rollupKey: "k", valueExpression: "sum(events)", isMaximum: false)

    /// Of 100 series: how many begin to be unusual in an hour, and how many are.
    private static func shifts(_ hours: [(new: Int, all: Int)]) -> [FleetShift] {
        var outcome = MetricOutcome(metric, Hour(100)..<Hour(100 + hours.count))
        for (offset, hour) in hours.enumerated() {
            outcome.tallies[offset] = HourTally(judged: 100, up: hour.all, newUp: hour.new)
        }
        return outcome.shifts(DetectionPolicy(), after: [])
    }

    @Test func `a shift begins when many begin to be unusual, and lasts while many are`() throws {
        let shifts = Self.shifts([(4, 4), (12, 14), (12, 16), (0, 15), (0, 12), (0, 3)])
        let shift = try #require(shifts.first)
        #expect(shifts.count == 1 && shift.isUp)
        #expect(shift.first == Hour(101) && shift.last == Hour(104) && shift.hours == 4)
        #expect(shift.onsets == [Hour(101), Hour(102)] && shift.series == 16)
    }

    @Test func `many that have been unusual for long begin no shift`() {
        #expect(Self.shifts([(0, 50), (3, 53), (9, 60)]).isEmpty)
    }

    /// Whether all, or none, of some hours are part of a shift.
    private static func arePart(_ hours: [VolumeEpisode], _ shift: ShiftHours) -> Bool? {
        let parts = hours.map { $0.isPart(of: shift) }
        return Set(parts).count == 1 ? parts[0] : nil
    }

    /// A Monday morning, and the Wednesday after it.
    private static let onset = 24 * 32 + 9
    private static let after = onset + 49
    private static let end = 24 * 35

    /// A lasting change upwards.
    private static func shift(onset: Int = FleetShiftTests.onset) -> ShiftHours {
        ShiftHours(
            isUp: true, first: Hour(onset), last: Hour(end), onsets: [Hour(onset)])
    }

    @Test func `who began with a shift is part of it, and who began in other hours is not`() {
        var usage = Usage(seed: 15)
        let member = unusualHours(usage.hours(Self.end) { $0.index >= Self.onset ? 4 : 1 })
            .filter { $0.last >= Hour(Self.onset) }
        #expect(member.first?.first == Hour(Self.onset) && member.count > 20)
        #expect(Self.arePart(member, Self.shift()) == true)
        #expect(Self.arePart(member, Self.shift(onset: Self.onset - 12)) == false)
        // It goes on for more than a day after the shift was over.
        let over = ShiftHours(
            isUp: true, first: Hour(Self.onset), last: Hour(Self.onset + 3),
            onsets: [Hour(Self.onset)])
        #expect(member.last?.isPart(of: over) == false)
        // The same hours, the other way.
        let outage = unusualHours(
            usage.hours(Self.end) { Self.onset..<Self.onset + 6 ~= $0.index ? 0 : 1 }
        ).filter { $0.last >= Hour(Self.onset) }
        #expect(outage.first?.first == Hour(Self.onset))
        #expect(outage.first?.isPart(of: Self.shift()) == false)
        let runaway = unusualHours(
            usage.hours(Self.end) { Self.after..<Self.after + 3 ~= $0.index ? 6 : 1 }
        ).filter { $0.last >= Hour(Self.after) }
        #expect(Self.arePart(runaway, Self.shift()) == false)
    }

    @Test func `an outage of one that is part of a shift upwards is its own`() throws {
        var usage = Usage(seed: 16)
        let hours = unusualHours(
            usage.hours(Self.end) {
                $0.index < Self.onset ? 1 : Self.after..<Self.after + 4 ~= $0.index ? 0 : 4
            }
        ).filter { $0.last >= Hour(Self.onset) }
        let shift = Self.shift()
        let before = hours.filter { $0.last < Hour(Self.after) }
        #expect(Self.arePart(before, shift) == true)
        let outage = try #require(hours.first { $0.last == Hour(Self.after) })
        #expect(outage.first == Hour(Self.onset), "one episode for the detector")
        #expect(!outage.isPart(of: shift) && outage.excess < 0)
        #expect(before.first?.breaks(at: outage) == true)
    }
}
