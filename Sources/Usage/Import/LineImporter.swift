/// Turns the lines of one input into events, one at a time.
package protocol LineImporter {
    mutating func feed(_ line: InputLine) -> ImportOutcome
    var counts: ImportCounts { get }
}

/// What became of one line.
package enum ImportOutcome: Hashable, Sendable {
    case event(UsageEvent)
    case rejected(RejectedLine)
    case blank
}

/// A line that was not taken, with what a person needs to mend it.
package struct RejectedLine: Hashable, Sendable {
    package let lineNumber: Int
    package let reason: Rejection
    /// The line without its newline; of one that is too long, its first
    /// `LineReader.maxLineBytes` bytes.
    package let bytes: [UInt8]
}

/// How the lines of an input were taken; the three kinds add up to the lines fed.
package struct ImportCounts: Hashable, Sendable {
    package private(set) var events = 0
    package private(set) var blank = 0
    /// By the code of the reason.
    package private(set) var rejectedByCode: [String: Int] = [:]

    package var rejected: Int { rejectedByCode.values.reduce(0, +) }
    package var lines: Int { events + blank + rejected }

    package init() {}

    mutating func add(_ outcome: ImportOutcome) {
        switch outcome {
        case .event: events += 1
        case .blank: blank += 1
        case .rejected(let line): rejectedByCode[line.reason.code, default: 0] += 1
        }
    }
}

extension InputLine {
    /// The line without blanks at its end, of which the carriage return of CRLF is one.
    var content: [UInt8] {
        let end = bytes.lastIndex { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }.map { $0 + 1 } ?? 0
        return end == bytes.count ? bytes : Array(bytes[..<end])
    }

    func rejected(_ reason: Rejection) -> ImportOutcome {
        .rejected(RejectedLine(lineNumber: number, reason: reason, bytes: bytes))
    }

    /// Reads the line as one JSON object.
    func jsonObject(_ content: [UInt8]) throws(Rejection) -> JSONDocument {
        let document: JSONDocument
        do {
            document = try JSONScanner.parse(content)
        } catch {
            if !isTerminated, error.fault == .unexpectedEnd { throw .incompleteLastLine }
            throw .badJSON(error)
        }
        guard document.root.kind == .object else { throw .notAnObject }
        return document
    }
}
