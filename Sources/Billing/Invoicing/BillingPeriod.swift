package import Exact
internal import Foundation
package import Ledger

/// The month of a customer's calendar, as a half-open interval of instants.
///
/// It starts with the first moment of the month's first day in the zone in force then, and ends where
/// the next one starts: a customer who moves to another zone has one longer or shorter period, never a
/// gap or an overlap. The only place where time zones are computed with.
package struct BillingPeriod: Sendable, Hashable {
    package let month: CivilMonth
    /// The IANA name of the zone in which the period starts.
    package let zone: String
    package let start: Instant
    package let end: Instant

    /// - Parameter nextZone: the zone in force a month later.
    /// - Throws: `UnknownTimeZone`.
    package init(
        month: CivilMonth, zone: String, nextZone: String
    ) throws(UnknownTimeZone) {
        self.month = month
        self.zone = zone
        start = try Self.firstMoment(of: month, zone: zone)
        end = try Self.firstMoment(of: month.next, zone: nextZone)
    }

    /// A period whose borders are known: those of an invoice.
    package init(month: CivilMonth, zone: String, start: Instant, end: Instant) {
        self.month = month
        self.zone = zone
        self.start = start
        self.end = end
    }

    /// When the last of the periods of a month ends, over customers in these zones; in UTC if there are
    /// none.
    package static func lastEnd(
        of month: CivilMonth, zones: [SlotComputation.Zones]
    ) throws(UnknownTimeZone) -> Instant {
        var last: Instant?
        for zones in zones {
            let end = try BillingPeriod(month: month, zone: zones.start, nextZone: zones.end).end
            last = max(last ?? end, end)
        }
        if let last { return last }
        return try BillingPeriod(month: month, zone: "UTC", nextZone: "UTC").end
    }

    /// The version of the tz database that the program computes with, such as `2025b`.
    package static var timeZoneDataVersion: String { TimeZone.timeZoneDataVersion }

    package static func isKnown(zone: String) -> Bool {
        // Foundation also takes abbreviations and offsets; what a zone's rules were needs its name.
        (zone == "UTC" || zone.contains("/")) && TimeZone(identifier: zone) != nil
    }

    private static func firstMoment(
        of month: CivilMonth, zone: String
    ) throws(UnknownTimeZone) -> Instant {
        guard isKnown(zone: zone), let timeZone = TimeZone(identifier: zone) else {
            throw UnknownTimeZone(zone: zone)
        }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let day = DateComponents(year: month.year, month: month.month, day: 1, hour: 12)
        guard let noon = calendar.date(from: day) else { throw UnknownTimeZone(zone: zone) }
        // Midnight itself may not exist, or come twice: the day starts with its first moment.
        let start = calendar.startOfDay(for: noon)
        return Instant(milliseconds: Int64((start.timeIntervalSince1970 * 1000).rounded()))
    }
}

package struct UnknownTimeZone: Error, Sendable, CustomStringConvertible {
    package let zone: String

    package var description: String {
        "'\(zone)' is no time zone of the tz database; write it as Asia/Kolkata, or UTC"
    }
}
