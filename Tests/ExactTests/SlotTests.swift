import Exact
import Testing

struct SlotTests {
    /// A slot, its interval, and the one after it.
    struct Case: Sendable, CustomTestStringConvertible {
        let slot: String
        let start: String
        let end: String
        let next: String

        var testDescription: String { slot }
    }

    @Test(arguments: [
        Case(
            slot: "2026-11-22T11", start: "2026-11-22T11:00:00Z", end: "2026-11-22T12:00:00Z",
            next: "2026-11-22T12"),
        Case(
            slot: "2026-12-31T23", start: "2026-12-31T23:00:00Z", end: "2027-01-01T00:00:00Z",
            next: "2027-01-01T00"),
        // The hours at which Europe and New York change their clocks are hours like others.
        Case(
            slot: "2026-03-29T01", start: "2026-03-29T01:00:00Z", end: "2026-03-29T02:00:00Z",
            next: "2026-03-29T02"),
        Case(
            slot: "2026-10-25T00", start: "2026-10-25T00:00:00Z", end: "2026-10-25T01:00:00Z",
            next: "2026-10-25T01"),
        Case(
            slot: "1969-12-31T23", start: "1969-12-31T23:00:00Z", end: "1970-01-01T00:00:00Z",
            next: "1970-01-01T00"),
        Case(
            slot: "2024-02-28", start: "2024-02-28T00:00:00Z", end: "2024-02-29T00:00:00Z",
            next: "2024-02-29"),
        Case(
            slot: "2024-02-29", start: "2024-02-29T00:00:00Z", end: "2024-03-01T00:00:00Z",
            next: "2024-03-01"),
        Case(
            slot: "2023-02-28", start: "2023-02-28T00:00:00Z", end: "2023-03-01T00:00:00Z",
            next: "2023-03-01"),
        Case(
            slot: "2000-02-29", start: "2000-02-29T00:00:00Z", end: "2000-03-01T00:00:00Z",
            next: "2000-03-01"),
        Case(
            slot: "2100-02-28", start: "2100-02-28T00:00:00Z", end: "2100-03-01T00:00:00Z",
            next: "2100-03-01"),
        Case(
            slot: "2026-W47", start: "2026-11-16T00:00:00Z", end: "2026-11-23T00:00:00Z",
            next: "2026-W48"),
        // 2026 starts on a Thursday: 53 weeks, and its first starts in 2025.
        Case(
            slot: "2026-W01", start: "2025-12-29T00:00:00Z", end: "2026-01-05T00:00:00Z",
            next: "2026-W02"),
        Case(
            slot: "2026-W53", start: "2026-12-28T00:00:00Z", end: "2027-01-04T00:00:00Z",
            next: "2027-W01"),
        Case(
            slot: "2020-W53", start: "2020-12-28T00:00:00Z", end: "2021-01-04T00:00:00Z",
            next: "2021-W01"),
        Case(
            slot: "2025-W52", start: "2025-12-22T00:00:00Z", end: "2025-12-29T00:00:00Z",
            next: "2026-W01"),
        // 2017-01-01 was a Sunday: the year's first week starts on the 2nd.
        Case(
            slot: "2016-W52", start: "2016-12-26T00:00:00Z", end: "2017-01-02T00:00:00Z",
            next: "2017-W01"),
        Case(
            slot: "1970-W01", start: "1969-12-29T00:00:00Z", end: "1970-01-05T00:00:00Z",
            next: "1970-W02"),
        Case(
            slot: "2026-10", start: "2026-10-01T00:00:00Z", end: "2026-11-01T00:00:00Z",
            next: "2026-11"),
        Case(
            slot: "2026-12", start: "2026-12-01T00:00:00Z", end: "2027-01-01T00:00:00Z",
            next: "2027-01"),
        Case(
            slot: "2024-02", start: "2024-02-01T00:00:00Z", end: "2024-03-01T00:00:00Z",
            next: "2024-03"),
        Case(
            slot: "1969-12", start: "1969-12-01T00:00:00Z", end: "1970-01-01T00:00:00Z",
            next: "1970-01"),
    ])
    func `a slot's interval and its successor`(test: Case) throws {
        let slot = try #require(Slot(test.slot))
        #expect("\(slot)" == test.slot)
        #expect("\(slot.start)" == test.start && "\(slot.end)" == test.end)
        #expect("\(slot.next)" == test.next && slot.next.previous == slot && slot < slot.next)
        #expect(Slot(slot.cadence, containing: slot.start) == slot)
        let last = Instant(milliseconds: slot.end.milliseconds - 1)
        #expect(Slot(slot.cadence, containing: last) == slot)
        #expect(Slot(slot.cadence, containing: slot.end) == slot.next)
    }

    @Test(arguments: [
        "", "2026", "2026-13", "2026-00", "2026-1", "26-01", "2026-02-29", "2026-11-31",
        "2026-11-22T24", "2026-11-22T1", "2026-11-22 11", "2026-11-22T11:00", "2026-W00",
        "2026-W54", "2025-W53", "2026-W1", "2026W01", "0000-W01", "-026-W01", "2026-w47",
        "2026-W47-1", "9999-01", "9999-12-31", "2026-10 ", "+026-10",
    ])
    func `what is no slot is refused`(text: String) {
        #expect(Slot(text) == nil)
    }

    @Test func `stepping through years meets every slot once, and every label reads back`() throws {
        for cadence in Cadence.allCases where cadence != .hourly {
            var slot = Slot(cadence, containing: try #require(Instant("1967-12-25T00:00:00Z")))
            var labels: Set<String> = []
            while slot.start < (try #require(Instant("2033-01-10T00:00:00Z"))) {
                #expect(Slot("\(slot)") == slot)
                #expect(labels.insert("\(slot)").inserted)
                #expect(slot.next.start == slot.end)
                slot = slot.next
            }
        }
    }

    @Test(arguments: [
        ("2026-10", ["2026-10"]), ("2026-10..2026-10", ["2026-10"]),
        ("2025-12..2026-02", ["2025-12", "2026-01", "2026-02"]),
        ("2026-W53..2027-W01", ["2026-W53", "2027-W01"]),
        ("2024-02-28..2024-03-01", ["2024-02-28", "2024-02-29", "2024-03-01"]),
        ("2026-12-31T23..2027-01-01T00", ["2026-12-31T23", "2027-01-01T00"]),
    ])
    func `a range has both of its ends`(text: String, slots: [String]) throws {
        #expect(try #require(SlotRange(text)).slots.map(String.init(describing:)) == slots)
    }

    @Test(arguments: [
        "2026-10..2026-09", "2026-10..2026-11-01", "2026-10..", "..2026-10", "2026-10...2026-11",
        "2026-08..2026-09..2026-10", "2000-01-01T00..2026-01-01T00", "",
    ])
    func `what is no range is refused`(text: String) {
        #expect(SlotRange(text) == nil)
    }

    @Test func `every cadence's example is one of its slots`() {
        for cadence in Cadence.allCases { #expect(Slot(cadence.example)?.cadence == cadence) }
    }
}
