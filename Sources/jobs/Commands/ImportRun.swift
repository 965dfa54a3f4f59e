internal import ArgumentParser
internal import Exact
internal import Foundation
internal import Usage

struct RejectOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp("Keep rejected lines, as they were, in this file.", valueName: "file"))
    var rejectFile: String?
}

/// Reads a file line by line, appends what are events, and accounts for every line.
struct ImportRun {
    let file: String
    let rejects: RejectOptions

    func run(_ common: CommonOptions, _ importer: some LineImporter) async throws -> ExitStatus {
        try await Live.run(common) { live in
            try await InputFile.withDescriptor(file) { descriptor in
                let log = EventLog(clickHouse: live.clickHouse, ingestedAt: .now)
                let rejected = try RejectedLines(path: rejects.rejectFile)
                let counts = try await feed(importer, from: descriptor, into: log, rejected)
                try rejected.close()
                try report(counts, log)
                return counts.rejected > 0 ? .needsAPerson : .done
            }
        }
    }

    private func feed(
        _ importer: some LineImporter, from descriptor: Int32, into log: EventLog,
        _ rejected: RejectedLines
    ) async throws -> ImportCounts {
        var importer = importer
        var reader = LineReader(descriptor: descriptor)
        var progress = Progress(file)
        defer { progress.finish() }
        while let line = try reader.next() {
            switch importer.feed(line) {
            case .event(let event): try await log.append(event)
            case .rejected(let line): try rejected.add(line)
            case .blank: break
            }
            if line.number % 10_000 == 0 {
                try Task.checkCancellation()
                progress.update(
                    "\(grouped(line.number)) lines, \(grouped(importer.counts.rejected)) rejected")
            }
        }
        try await log.finish()
        return importer.counts
    }

    private func report(_ counts: ImportCounts, _ log: EventLog) throws {
        let blank = counts.blank > 0 ? ", \(grouped(counts.blank)) blank" : ""
        try printLine(
            "\(grouped(counts.lines)) lines: \(grouped(counts.events)) events, "
                + "\(grouped(counts.rejected)) rejected\(blank)")
        for (code, count) in counts.rejectedByCode.sorted(by: { $0.key < $1.key }) {
            try printLine("  \(code): \(grouped(count))")
        }
        try printLine("\(grouped(log.added)) added, \(grouped(log.known)) known already")
    }
}

/// Reports rejected lines on stderr with number and reason, and keeps them if that was asked for.
private final class RejectedLines {
    private let file: FileHandle?

    init(path: String?) throws {
        guard let path else {
            file = nil
            return
        }
        guard FileManager.default.createFile(atPath: path, contents: nil) else {
            throw Failure(.usage, "--reject-file \(path) cannot be written")
        }
        file = try FileHandle(forWritingTo: URL(filePath: path))
    }

    func add(_ line: RejectedLine) throws {
        writeText(
            "line \(line.lineNumber): \(line.reason.code): \(line.reason)\n", to: STDERR_FILENO)
        try file?.write(contentsOf: line.bytes + [UInt8(ascii: "\n")])
    }

    func close() throws {
        try file?.close()
    }
}
