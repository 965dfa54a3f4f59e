import Foundation
import Testing

@testable import Detection

struct SeriesFileTests {
    /// Reads a text as the command reads a file.
    private static func withDescriptor<Result>(_ text: String, _ body: (Int32) throws -> Result)
        throws -> Result
    {
        let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try Data(text.utf8).write(to: path)
        defer { try? FileManager.default.removeItem(at: path) }
        let file = try FileHandle(forReadingFrom: path)
        defer { try? file.close() }
        return try body(file.fileDescriptor)
    }

    private static func read(_ rows: String...) throws -> SeriesFile {
        try withDescriptor("series,timestamp,value\n" + rows.joined(separator: "\n")) {
            try SeriesFile(descriptor: $0)
        }
    }

    @Test func `rows of an hour are summed, an hour without rows is missing, and zero is zero`()
        throws
    {
        let file = try Self.read(
            "a,2026-11-22T10:00:00Z,1.5", "b,2026-11-22T10:00:00Z,0", "a,2026-11-22T13:59:59Z,2",
            "a,2026-11-22T10:59:59.999Z,2", "\"b\",2026-11-22T09:00:00Z,7", "",
            "a,2026-11-22T12:00:00+01:00,1e1",
            "a,2026-11-22T13:00:00Z,1")
        #expect(file.series.map(\.name) == ["a", "b"])
        let (a, b) = (file.series[0], file.series[1])
        #expect(a.hours.map { a[$0] } == [3.5, 10, nil, 3])
        #expect(b.hours.map { b[$0] } == [7, 0])
        #expect(b.firstHour + 1 == a.firstHour)
    }

    @Test func `the columns may stand in any order, and names in quotes`() throws {
        let text = "\u{FEFF}value,series,timestamp\r\n3,\"a,\"\"b\"\"\",2026-11-22T10:00:00Z\r\n"
        let file = try Self.withDescriptor(text) { try SeriesFile(descriptor: $0) }
        #expect(file.series.map(\.name) == ["a,\"b\""])
        #expect(file.series[0][0] == 3)
    }

    @Test func `an hour that was not over when the file was written is not judged`() throws {
        let rows = (0..<29).map {
            "a,2026-11-22T\($0 < 12 ? "10" : $0 < 24 ? "11" : "12"):\(10 + $0 % 12 * 4):00Z,1"
        }
        let series = try Self.withDescriptor(
            "series,timestamp,value\n" + rows.joined(separator: "\n")
        ) {
            try SeriesFile(descriptor: $0).series[0]
        }
        #expect(series.hours.map { series.isPartial($0) } == [false, false, true])
    }

    @Test func `what comes later in the file changes nothing about the hours before`() throws {
        // The first hour has two rows, the others twelve.
        let rows = (0..<26).map {
            "a,2026-11-22T\($0 < 2 ? "10" : $0 < 14 ? "11" : "12"):\(10 + $0 % 12 * 4):00Z,1"
        }
        for count in [8, 26] {
            let text = "series,timestamp,value\n" + rows.prefix(count).joined(separator: "\n")
            let series = try Self.withDescriptor(text) {
                try SeriesFile(descriptor: $0).series[0]
            }
            #expect(!series.isPartial(0) && series[0] == 2)
        }
    }

    @Test(arguments: [
        ("a,2026-11-22T10:00:00Z,x", 2, "value"), ("a,2026-11-22T10:00:00Z,nan", 2, "value"),
        ("a,2026-11-22T10:00:00Z,0x10", 2, "value"), ("a,2026-11-22T10:00:00Z,", 2, "value"),
        ("a,2026-11-22T10:00:00Z,1e999", 2, "value"), ("a,22/11/2026,1", 2, "timestamp"),
        ("a,2026-11-22T10:00:00,1", 2, "timestamp"), ("a,2026-02-30T10:00:00Z,1", 2, "timestamp"),
        (",2026-11-22T10:00:00Z,1", 2, "series"),
        ("\na,2026-11-22T10:00:00Z,1\nb,c,d", 4, "timestamp"),
    ])
    func `a mistake is named with its line and column`(rows: String, line: Int, column: String) {
        let error = #expect(throws: SeriesFileError.self) { try Self.read(rows) }
        #expect(error?.lineNumber == line && error?.column == column)
    }

    @Test(arguments: [
        "", "series,timestamp\na,2026-11-22T10:00:00Z", "series,timestamp,value,value\n",
        "series,timestamp,value\na,2026-11-22T10:00:00Z", "series,timestamp,value\n\"a,1,2",
        "series,timestamp,value\na,1970-01-01T00:00:00Z,1\na,2026-01-01T00:00:00Z,1",
    ])
    func `a text that is no such table is refused`(text: String) {
        #expect(throws: SeriesFileError.self) {
            try Self.withDescriptor(text) { try SeriesFile(descriptor: $0) }
        }
    }

    @Test func `labels give precision, recall, false episodes and delay`() throws {
        let rows = (0..<336).map { hour in
            "a,\(day(hour / 24))T\(hour % 24 < 10 ? "0" : "")\(hour % 24):00:00Z,1"
        }
        func day(_ day: Int) -> String { "2026-11-\(day < 9 ? "0" : "")\(day + 1)" }
        let series = try Self.withDescriptor(
            "series,timestamp,value\n" + rows.joined(separator: "\n")
        ) {
            try SeriesFile(descriptor: $0).series[0]
        }
        let text =
            "series,start,end\na,2026-11-05T10:00:00Z,2026-11-05T12:00:00Z\na,2026-11-09T00:00:00Z,2026-11-09T01:00:00Z"
        let labels = try Self.withDescriptor(text) {
            try Labels(descriptor: $0, knownSeries: ["a"])
        }
        let start = series.firstHour
        var scores = LabelScores()
        // One hour late, then right behind the label; two false alerts within a day are one episode.
        scores.add(
            series, alerts: [start + (4 * 24 + 11), start + (4 * 24 + 12), start + (5 * 24 + 2)],
            labels)
        #expect(scores.labels == 2 && scores.found == 1 && scores.falseEpisodes == 1)
        #expect(scores.precision == 0.5 && scores.recall == 0.5)
        #expect(scores.falseEpisodesPerSeriesWeek == 0.5 && scores.medianDelayHours == 1)
        let unknown = #expect(throws: SeriesFileError.self) {
            try Self.withDescriptor(text) { try Labels(descriptor: $0, knownSeries: ["b"]) }
        }
        #expect(unknown?.lineNumber == 2 && unknown?.column == "series")
    }
}
