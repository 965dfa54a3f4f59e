import Exact
import Testing

struct CivilDateTests {
    /// The days from 1600 to 2400, counted one by one with the rule of leap years.
    @Test func `every day of eight centuries round-trips`() throws {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        // Days from 1600-01-01 to 1970-01-01: 370 years, 90 of them leap years.
        var number: Int64 = -(370 * 365 + 90)
        var mistakes = 0
        for year in 1600...2400 {
            let isLeap = year % 400 == 0 || year % 4 == 0 && year % 100 != 0
            for month in 1...12 {
                let length = lengths[month - 1] + (month == 2 && isLeap ? 1 : 0)
                for day in 1...length {
                    let date = CivilDate(daysSinceEpoch: number)
                    let isRight =
                        (date.year, date.month, date.day) == (year, month, day)
                        && date.daysSinceEpoch == number
                        && CivilDate(year: year, month: month, day: day) == date
                    if !isRight { mistakes += 1 }
                    number += 1
                }
                #expect(CivilDate(year: year, month: month, day: length + 1) == nil)
                #expect(CivilDate(year: year, month: month, day: 0) == nil)
            }
        }
        #expect(mistakes == 0)
        #expect(CivilDate(daysSinceEpoch: number).description == "2401-01-01")
    }

    // Expected: Python's date.toordinal() - 719163.
    @Test(arguments: [
        ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2026-11-22", 20_779),
        ("1600-01-01", -135_140), ("2400-12-31", 157_419), ("0001-01-01", -719_162),
        ("9999-12-31", 2_932_896),
    ])
    func `a date is so many days from 1970`(text: String, days: Int64) throws {
        let date = try #require(CivilDate(text))
        #expect(date.daysSinceEpoch == days)
        #expect(date.description == text)
        #expect(CivilDate(daysSinceEpoch: days) == date)
    }

    @Test(arguments: [(2000, true), (1900, false), (2100, false), (2024, true), (2026, false)])
    func `February has 29 days in leap years`(year: Int, isLeap: Bool) {
        #expect((CivilDate(year: year, month: 2, day: 29) != nil) == isLeap)
        #expect((CivilDate("\(year)-02-29") != nil) == isLeap)
    }

    @Test(arguments: [
        "", "2026", "2026-10", "2026-10-1", "2026-1-01", "26-10-01", "02026-10-01", "2026-10-001",
        "2026-00-01", "2026-13-01", "2026-10-00", "2026-10-32", "2026-04-31", "2026-02-29",
        "0000-01-01", "2026/10/01", "2026-10-01-", "-2026-10-01", "2026-10-01T", " 2026-10-01",
        "2026-10-01 ", "2026-1０-01", "2026--1-01", "abcd-10-01",
    ])
    func `what is no date is not read`(text: String) {
        #expect(CivilDate(text) == nil)
    }

    @Test(arguments: ["2026-+1-01", "2026-10-+1", "+026-10-01", "2026-10-+0"])
    func `a sign is no digit of a date`(text: String) {
        #expect(CivilDate(text) == nil)
    }

    @Test func `dates are in the order of their days`() {
        var generator = SplitMix64(seed: 30)
        for _ in 0..<2_000 {
            let days = (0..<2).map { _ in Int64.random(in: -100_000...200_000, using: &generator) }
            let dates = days.map(CivilDate.init(daysSinceEpoch:))
            #expect((dates[0] < dates[1]) == (days[0] < days[1]))
            #expect((dates[0] == dates[1]) == (days[0] == days[1]))
        }
    }
}

struct CivilMonthTests {
    @Test(arguments: [
        ("2026-10", "2026-11", "2026-09"), ("2026-12", "2027-01", "2026-11"),
        ("2026-01", "2026-02", "2025-12"), ("2024-02", "2024-03", "2024-01"),
        ("2023-02", "2023-03", "2023-01"), ("2024-03", "2024-04", "2024-02"),
        ("1970-01", "1970-02", "1969-12"), ("1999-12", "2000-01", "1999-11"),
    ])
    func `a month has a next and a previous one`(
        text: String, next: String, previous: String
    ) throws {
        let month = try #require(CivilMonth(text))
        #expect(month.description == text)
        #expect(month.next.description == next)
        #expect(month.previous.description == previous)
        #expect(month.previous < month && month < month.next)
    }

    @Test func `next and previous undo each other through eight centuries`() throws {
        var month = try #require(CivilMonth("1600-01"))
        for index in 0..<(801 * 12) {
            #expect((month.year, month.month) == (1600 + index / 12, 1 + index % 12))
            #expect(month.next.previous == month)
            #expect(CivilMonth(month.description) == month)
            month = month.next
        }
        #expect(month.description == "2401-01")
    }

    @Test func `a month contains its days`() throws {
        let days = try ["2024-02-01", "2024-02-29"].map { try #require(CivilDate($0)) }
        for day in days { #expect(CivilMonth(containing: day).description == "2024-02") }
        let month = try #require(CivilMonth("2024-02"))
        #expect(month.firstDay == days[0])
    }

    @Test(arguments: [
        "", "2026", "2026-1", "2026-00", "2026-13", "26-10", "2026-10-01", "2026-10-", "2026_10",
        "2026-W10", " 2026-10", "2026-10 ", "October", "0000-01",
    ])
    func `what is no month is not read`(text: String) {
        #expect(CivilMonth(text) == nil)
    }

    @Test(arguments: ["2026-+1", "+026-10"])
    func `a sign is no digit of a month`(text: String) {
        #expect(CivilMonth(text) == nil)
    }
}
