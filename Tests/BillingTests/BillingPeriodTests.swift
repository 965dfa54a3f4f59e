import Billing
import Exact
import Foundation
import Testing

struct BillingPeriodTests {
    // Expected: Python's zoneinfo with the tz database 2025b.
    @Test(arguments: [
        ("UTC", "2026-12", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"),
        ("Asia/Kolkata", "2026-10", "2026-09-30T18:30:00Z", "2026-10-31T18:30:00Z"),
        ("Asia/Kathmandu", "2026-10", "2026-09-30T18:15:00Z", "2026-10-31T18:15:00Z"),
        ("Pacific/Chatham", "2026-10", "2026-09-30T10:15:00Z", "2026-10-31T10:15:00Z"),
        ("Pacific/Chatham", "2026-04", "2026-03-31T10:15:00Z", "2026-04-30T11:15:00Z"),
        ("Australia/Lord_Howe", "2026-10", "2026-09-30T13:30:00Z", "2026-10-31T13:00:00Z"),
        ("Australia/Lord_Howe", "2026-04", "2026-03-31T13:00:00Z", "2026-04-30T13:30:00Z"),
        ("Pacific/Kiritimati", "2026-10", "2026-09-30T10:00:00Z", "2026-10-31T10:00:00Z"),
        ("Etc/GMT+12", "2026-10", "2026-10-01T12:00:00Z", "2026-11-01T12:00:00Z"),
        ("Pacific/Honolulu", "2026-10", "2026-10-01T10:00:00Z", "2026-11-01T10:00:00Z"),
        ("Europe/Berlin", "2026-03", "2026-02-28T23:00:00Z", "2026-03-31T22:00:00Z"),
        ("Europe/Berlin", "2026-10", "2026-09-30T22:00:00Z", "2026-10-31T23:00:00Z"),
        ("America/New_York", "2026-03", "2026-03-01T05:00:00Z", "2026-04-01T04:00:00Z"),
        ("America/New_York", "2026-11", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"),
        // Leap years.
        ("UTC", "2024-02", "2024-02-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("Asia/Kolkata", "2024-02", "2024-01-31T18:30:00Z", "2024-02-29T18:30:00Z"),
        ("Europe/Berlin", "2024-02", "2024-01-31T23:00:00Z", "2024-02-29T23:00:00Z"),
        ("UTC", "2026-02", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        // The month's first midnight does not exist: the clock goes from 23:59 to 01:00.
        ("America/Havana", "2012-04", "2012-04-01T05:00:00Z", "2012-05-01T04:00:00Z"),
        ("America/Asuncion", "2017-10", "2017-10-01T04:00:00Z", "2017-11-01T03:00:00Z"),
        ("America/Asuncion", "2023-10", "2023-10-01T04:00:00Z", "2023-11-01T03:00:00Z"),
        ("Africa/Cairo", "2014-08", "2014-07-31T22:00:00Z", "2014-08-31T21:00:00Z"),
        ("Asia/Amman", "2016-04", "2016-03-31T22:00:00Z", "2016-04-30T21:00:00Z"),
        ("Asia/Damascus", "2011-04", "2011-03-31T22:00:00Z", "2011-04-30T21:00:00Z"),
        // It comes twice: from 00:59 back to 00:00.
        ("America/Havana", "2015-11", "2015-11-01T04:00:00Z", "2015-12-01T05:00:00Z"),
        ("America/Havana", "2020-11", "2020-11-01T04:00:00Z", "2020-12-01T05:00:00Z"),
        ("America/Havana", "2026-11", "2026-11-01T04:00:00Z", "2026-12-01T05:00:00Z"),
        // The month before each of them ends there.
        ("America/Havana", "2026-10", "2026-10-01T04:00:00Z", "2026-11-01T04:00:00Z"),
        ("America/Asuncion", "2023-09", "2023-09-01T04:00:00Z", "2023-10-01T04:00:00Z"),
        // Samoa had no 30 December 2011: 30 days in a month of 31.
        ("Pacific/Apia", "2011-12", "2011-12-01T10:00:00Z", "2011-12-31T10:00:00Z"),
        ("Pacific/Apia", "2012-01", "2011-12-31T10:00:00Z", "2012-01-31T10:00:00Z"),
    ])
    func `a month starts and ends with its first moments in the zone`(
        zone: String, label: String, start: String, end: String
    ) throws {
        let period = try BillingPeriod(month: month(label), zone: zone, nextZone: zone)
        #expect(period.start.description == start)
        #expect(period.end.description == end)
        #expect(period.month == month(label))
        #expect(period.zone == zone)
    }

    private static let knownZones = TimeZone.knownTimeZoneIdentifiers
        .filter(BillingPeriod.isKnown).sorted()

    @Test func `hundreds of zones are known`() {
        #expect(Self.knownZones.count > 350)
    }

    @Test(arguments: knownZones)
    func `months of a zone share their borders, from 2014 to 2030`(zone: String) throws {
        var label = month("2014-01")
        var period = try BillingPeriod(month: label, zone: zone, nextZone: zone)
        let longest: Int64 = (31 * 24 + 4) * 3_600_000
        let shortest: Int64 = (28 * 24 - 4) * 3_600_000
        while label.year <= 2030 {
            label = label.next
            let next = try BillingPeriod(month: label, zone: zone, nextZone: zone)
            #expect(period.end == next.start)
            let length = period.end.milliseconds - period.start.milliseconds
            #expect((shortest...longest).contains(length), "\(period)")
            period = next
        }
    }

    // MARK: Another zone

    @Test(arguments: [
        ("UTC", "Asia/Kolkata", "2026-10-31T18:30:00Z", 738.5),
        ("Asia/Kolkata", "UTC", "2026-11-01T00:00:00Z", 749.5),
        ("Pacific/Kiritimati", "Etc/GMT+12", "2026-11-01T12:00:00Z", 770),
        ("Etc/GMT+12", "Pacific/Kiritimati", "2026-10-31T10:00:00Z", 718),
    ])
    func `a change of zone makes one longer or shorter period, and no gap`(
        before: String, after: String, end: String, hours: Double
    ) throws {
        let label = month("2026-10")
        let last = try BillingPeriod(month: label.previous, zone: before, nextZone: before)
        let change = try BillingPeriod(month: label, zone: before, nextZone: after)
        let first = try BillingPeriod(month: label.next, zone: after, nextZone: after)
        #expect(last.end == change.start)
        #expect(change.end == first.start)
        #expect(change.end.description == end)
        #expect(change.zone == before)
        let milliseconds = change.end.milliseconds - change.start.milliseconds
        #expect(milliseconds == Int64(hours * 3_600_000))
    }

    // MARK: Names

    @Test(arguments: [
        "", " ", "utc", "GMT", "EST", "PST", "CET", "IST", "EST5EDT", "Z", "+05:30", "-08:00",
        "+0530",
        "GMT+5", "GMT+05:30", "UTC+1", "UTC-5", "UTC+05:30", "Kolkata", "Asia/Kolkatta",
        "Asia/", "/", "/Kolkata", "Mars/Olympus", "Asia/Kolkata ", " Asia/Kolkata",
        "Asia/Kolkata\n", "asia/kolkata", "ASIA/KOLKATA", "Asia/Kolkata/", "Asia//Kolkata",
        "Asia/../Europe/Berlin", "../../etc/passwd", "GMT/+05:30", "Etc/Unknown", "Etc/GMT+15",
        "posix/Europe/Berlin", "right/Europe/Berlin", "localtime/",
    ])
    func `what is no name of the tz database is refused, and named`(zone: String) {
        #expect(!BillingPeriod.isKnown(zone: zone))
        let error = #expect(throws: UnknownTimeZone.self) {
            try BillingPeriod(month: month("2026-10"), zone: zone, nextZone: "UTC")
        }
        #expect(error?.zone == zone)
        #expect(throws: UnknownTimeZone.self) {
            try BillingPeriod(month: month("2026-10"), zone: "UTC", nextZone: zone)
        }
    }

    @Test(arguments: [
        "UTC", "Etc/UTC", "Asia/Kolkata", "Asia/Calcutta", "America/Argentina/Buenos_Aires",
        "Europe/Kyiv", "Etc/GMT-14", "Antarctica/Troll", "America/Port-au-Prince",
    ])
    func `names of the tz database are known`(zone: String) {
        #expect(BillingPeriod.isKnown(zone: zone))
    }

    @Test func `the version of the tz database reads like one`() {
        let version = BillingPeriod.timeZoneDataVersion
        #expect(version.count == 5)
        #expect(Int(version.prefix(4)).map { $0 >= 2024 } == true)
        #expect(version.last?.isLetter == true)
    }
}
