import Foundation
import Testing

@testable import Usage

struct ImportTimestampTests {
    private func read(
        _ text: String, _ format: TimestampFormat
    ) -> Result<Int64, TimestampFault> {
        Result { () throws(TimestampFault) in try format.milliseconds(Array(text.utf8)[...]) }
    }

    @Test(arguments: [
        ("17/May/2015:10:05:03 +0000", TimestampFormat.clf, 1_431_857_103_000),
        ("17/May/2015:10:05:03 +0530", .clf, 1_431_837_303_000),
        ("17/May/2015:10:05:03 -0330", .clf, 1_431_869_703_000),
        ("01/Jan/1970:00:00:00 +0000", .clf, 0),
        ("01/Jan/1970:01:00:00 +0100", .clf, 0),
        ("29/Feb/2000:23:59:59 +0000", .clf, 951_868_799_000),
        ("29/Feb/2024:00:00:00 +0000", .clf, 1_709_164_800_000),
        ("31/Dec/2299:23:59:59 +0000", .clf, 10_413_791_999_000),
        ("2015-05-17T10:05:03Z", .rfc3339, 1_431_857_103_000),
        ("2015-05-17t10:05:03.5z", .rfc3339, 1_431_857_103_500),
        ("2015-05-17 10:05:03.123+05:30", .rfc3339, 1_431_837_303_123),
        ("2015-05-17T10:05:03.999999999-00:00", .rfc3339, 1_431_857_103_999),
        ("2015-05-17T10:05:03.01-03:30", .rfc3339, 1_431_869_703_010),
        ("1431857103", .epochSeconds, 1_431_857_103_000),
        ("1431857103.5", .epochSeconds, 1_431_857_103_500),
        ("1431857103.1239", .epochSeconds, 1_431_857_103_123),
        ("5", .epochSeconds, 5_000), ("5", .epochMilliseconds, 5),
        ("1431857103123", .epochMilliseconds, 1_431_857_103_123),
        ("1431857103", .automatic, 1_431_857_103_000),
        ("1431857103123", .automatic, 1_431_857_103_123),
        ("99999999999", .epochMilliseconds, 99_999_999_999),
        ("100000000000", .automatic, 100_000_000_000),
        ("1431857103.123", .automatic, 1_431_857_103_123),
        ("17/May/2015:10:05:03 +0000", .automatic, 1_431_857_103_000),
        ("2015-05-17T10:05:03Z", .automatic, 1_431_857_103_000),
    ])
    func `an instant is read exactly`(text: String, format: TimestampFormat, expected: Int64) {
        #expect(read(text, format) == .success(expected))
    }

    @Test(arguments: [
        ("31/Apr/2015:10:05:03 +0000", TimestampFormat.clf, TimestampFault.noSuchInstant),
        ("29/Feb/2015:10:05:03 +0000", .clf, .noSuchInstant),
        ("29/Feb/2100:10:05:03 +0000", .clf, .noSuchInstant),
        ("00/May/2015:10:05:03 +0000", .clf, .noSuchInstant),
        ("17/May/2015:24:05:03 +0000", .clf, .noSuchInstant),
        ("17/May/2015:10:60:03 +0000", .clf, .noSuchInstant),
        ("17/May/2015:10:05:61 +0000", .clf, .noSuchInstant),
        ("17/May/2015:10:05:03 +2400", .clf, .noSuchInstant),
        ("17/May/2015:10:05:03 +0060", .clf, .noSuchInstant),
        ("30/Jun/2015:23:59:60 +0000", .clf, .leapSecond),
        ("2015-06-30T23:59:60Z", .rfc3339, .leapSecond),
        ("31/Dec/1969:23:59:59 +0000", .clf, .beforeEpoch),
        ("01/Jan/1970:00:00:00 +0001", .clf, .beforeEpoch),
        ("0000-01-01T00:00:00Z", .rfc3339, .beforeEpoch),
        ("01/Jan/2300:00:00:00 +0000", .clf, .tooLate),
        ("9999-12-31T23:59:59Z", .rfc3339, .tooLate),
        ("-1", .epochSeconds, .beforeEpoch), ("-1", .epochMilliseconds, .beforeEpoch),
        ("10413792000", .epochSeconds, .tooLate), ("9223372036854775807", .epochSeconds, .tooLate),
        ("10413792000000", .epochMilliseconds, .tooLate),
        ("17/may/2015:10:05:03 +0000", .clf, .notInFormat),
        ("17/05/2015:10:05:03 +0000", .clf, .notInFormat),
        ("7/May/2015:10:05:03 +0000", .clf, .notInFormat),
        ("17/May/2015:10:05:03", .clf, .notInFormat),
        ("17/May/2015:10:05:03 +00000", .clf, .notInFormat),
        ("17/May/2015:10:05:03 0000", .clf, .notInFormat),
        ("2015-13-17T10:05:03Z", .rfc3339, .noSuchInstant),
        ("2015-05-17T10:05:03", .rfc3339, .notInFormat),
        ("2015-05-17T10:05:03.Z", .rfc3339, .notInFormat),
        ("2015-05-17T10:05:03+0000", .rfc3339, .notInFormat),
        ("2015-05-17", .rfc3339, .notInFormat), ("", .automatic, .notInFormat),
        ("1431857103.", .epochSeconds, .notInFormat), ("1e9", .epochSeconds, .notInFormat),
        ("1431857103.5", .epochMilliseconds, .notInFormat), ("now", .automatic, .notInFormat),
    ])
    func `what is no instant is refused`(
        text: String, format: TimestampFormat, expected: TimestampFault
    ) {
        #expect(read(text, format) == .failure(expected))
    }

    /// Every 1,009th hour up to 2299 falls on each hour, day and month.
    @Test func `dates are those of Foundation's calendar, both ways`() throws {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
        for instant in stride(from: Int64(7), to: 10_413_791_999_999, by: 1009 * 3_600_000 + 61_003)
        {
            let parts = calendar.dateComponents(
                [.year, .month, .day, .hour, .minute, .second],
                from: Date(timeIntervalSince1970: Double(instant / 1000)))
            let expected = String(
                format: "%04d-%02d-%02d %02d:%02d:%02d.%03d", try #require(parts.year),
                try #require(parts.month), try #require(parts.day), try #require(parts.hour),
                try #require(parts.minute), try #require(parts.second), Int(instant % 1000))
            var text: [UInt8] = []
            CivilTime.append(instant, to: &text)
            #expect(String(decoding: text, as: UTF8.self) == expected)
            #expect(read(expected + "Z", .rfc3339) == .success(instant))
        }
    }

    @Test func `an event is one line of JSONEachRow with exact times`() throws {
        let event = UsageEvent(
            transactionID: "t", customerID: "c", eventType: "e",
            timestampMilliseconds: 1_431_857_103_007, properties: Array(#"{"a":"\"é\n"}"#.utf8))
        var rows: [UInt8] = Array("before\n".utf8)
        event.appendJSONEachRow(to: &rows, ingestedAtMilliseconds: importNow)
        let expected =
            #"{"transaction_id":"t","customer_id":"c","event_type":"e","#
            + #""timestamp":"2015-05-17 10:05:03.007","properties":"{\"a\":\"\\\"é\\n\"}","#
            + #""ingested_at":"2026-11-22 12:00:00.000"}"#
        #expect(String(decoding: rows, as: UTF8.self) == "before\n" + expected + "\n")
    }

    @Test func `an event before 1970 is a bug of ours`() async {
        await #expect(processExitsWith: .failure) {
            _ = UsageEvent(
                transactionID: "t", customerID: "c", eventType: "e", timestampMilliseconds: -1,
                properties: [])
        }
    }
}
