package import Exact
internal import Foundation

/// A part of every day, by a wall clock, in which only what is critical is told.
package struct QuietHours: Sendable, Equatable {
    /// Minutes after midnight; from 22:00 to 07:00 goes over midnight.
    let start: Int
    let end: Int
    private let zone: TimeZone

    /// - Parameters:
    ///   - text: `22:00-07:00`.
    ///   - zone: a name of the tz database.
    package init?(_ text: String, zone: String) {
        guard
            let match = text.wholeMatch(
                of: #/([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)/#),
            let zone = TimeZone(identifier: zone),
            let hours = Int(match.1), let minutes = Int(match.2),
            let endHours = Int(match.3), let endMinutes = Int(match.4)
        else { return nil }
        (start, end) = (hours * 60 + minutes, endHours * 60 + endMinutes)
        guard start != end else { return nil }
        self.zone = zone
    }

    package func contains(_ instant: Instant) -> Bool {
        let seconds = instant.unixSeconds
        let offset = zone.secondsFromGMT(
            for: Date(timeIntervalSince1970: TimeInterval(seconds)))
        let local = (seconds + Int64(offset)) % 86_400
        let minute = Int((local + 86_400) % 86_400 / 60)
        return start < end ? (start..<end).contains(minute) : minute >= start || minute < end
    }
}
