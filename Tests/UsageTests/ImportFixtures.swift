@testable import Usage

/// 2026-11-22T12:00:00Z, the clock of the import's tests.
let importNow: Int64 = 1_795_348_800_000

/// A stand-in for SHA-256, good enough to tell texts apart: four FNV-1a sums of 64 bits.
@Sendable func testHash(_ bytes: [UInt8]) -> [UInt8] {
    (0..<4).flatMap { (lane: UInt64) -> [UInt8] in
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325 &+ lane
        for byte in bytes + [UInt8(lane)] { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return (0..<8).map { UInt8(truncatingIfNeeded: (sum ^ sum >> 29) >> ($0 * 8)) }
    }
}

func inputLine(_ text: String, number: Int = 1, isTerminated: Bool = true) -> InputLine {
    InputLine(number: number, bytes: Array(text.utf8), isTerminated: isTerminated)
}

/// Feeds a whole file as `LineReader` would cut it.
func feed(_ file: String, to importer: inout some LineImporter) -> [ImportOutcome] {
    // Not by Character: CRLF would be one.
    var lines = Array(file.utf8).split(separator: 0x0A, omittingEmptySubsequences: false)
    let isTerminated = lines.last?.isEmpty ?? true
    if isTerminated { _ = lines.popLast() }
    return lines.enumerated().map { index, line in
        importer.feed(
            InputLine(
                number: index + 1, bytes: Array(line),
                isTerminated: isTerminated || index + 1 < lines.count))
    }
}

func accessLogImporter(
    _ format: AccessLogFormat = .automatic, customer: AccessLogCustomer = .automatic,
    source: String = ""
) -> AccessLogImporter {
    AccessLogImporter(
        options: AccessLogOptions(format: format, customer: customer, source: source),
        nowMilliseconds: importNow, hash: testHash)
}

extension ImportOutcome {
    var event: UsageEvent? { if case .event(let event) = self { event } else { nil } }
    var rejected: RejectedLine? { if case .rejected(let line) = self { line } else { nil } }
    var code: String? { rejected?.reason.code }
}

extension UsageEvent {
    var propertiesText: String { String(decoding: properties, as: UTF8.self) }
}
