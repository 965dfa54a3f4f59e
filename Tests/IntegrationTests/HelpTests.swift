import Foundation
import Testing

/// What the program says without any database.
struct HelpTests {
    /// Every command, in the order in which `--help` lists them.
    private static let commands: [[String]] = [
        [], ["run"], ["run", "seal-usage"], ["run", "process-webhooks"], ["run", "send-alerts"],
        ["run", "detect-anomalies"], ["run", "refresh-state"], ["run", "check-patterns"],
        ["run", "rebuild-baselines"], ["run", "bill"], ["run", "reconcile"], ["run", "purge"],
        ["migrate"], ["doctor"],
        ["import"], ["import", "access-log"], ["import", "events"], ["import", "customers"],
        ["catalog"], ["catalog", "check"], ["catalog", "apply"], ["catalog", "show"],
        ["usage"], ["usage", "show"],
        ["invoices"], ["invoices", "list"], ["invoices", "show"], ["invoices", "export"],
        ["invoices", "verify"], ["invoices", "hold"], ["invoices", "release"],
        ["invoices", "propose"], ["invoices", "approve"], ["invoices", "reject"],
        ["billing"], ["billing", "status"], ["billing", "pause"], ["billing", "resume"],
        ["serve"], ["webhooks"], ["webhooks", "list"], ["webhooks", "show"],
        ["webhooks", "replay"], ["webhooks", "endpoint"], ["webhooks", "endpoint", "create"],
        ["alerts"], ["alerts", "list"], ["alerts", "show"], ["alerts", "retry"],
        ["alerts", "resolve"], ["alerts", "discard"], ["alerts", "test"],
        ["dead-letters"], ["dead-letters", "list"], ["dead-letters", "show"],
        ["dead-letters", "retry"], ["dead-letters", "discard"],
        ["anomalies"], ["anomalies", "list"], ["anomalies", "show"], ["anomalies", "acknowledge"],
        ["anomalies", "resolve"], ["anomalies", "dismiss"], ["anomalies", "mute"],
        ["anomalies", "unmute"],
        ["detect"], ["detect", "backtest"], ["detect", "tune"], ["detect", "baselines"],
        ["detect", "baselines", "list"], ["detect", "baselines", "drifted"],
        ["detect", "baselines", "approve"], ["detect", "baselines", "promote"],
        ["detect", "baselines", "rollback"],
        ["report"],
        ["runs"], ["runs", "list"], ["runs", "show"],
        ["schedules"], ["schedules", "print"], ["schedules", "install"],
        ["customers"], ["customers", "erase"],
    ]

    private static let golden = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Golden/help.txt")

    /// To accept a change: `REWRITE_GOLDEN=1 dev/test --filter HelpTests`, then look at the difference.
    @Test func `the help of every command is the one that was agreed`() async throws {
        var text = ""
        for command in Self.commands {
            let result = try await bare(command + ["--help"])
            #expect(result.status == 0 && result.errors.isEmpty)
            text += "$ \((["jobs"] + command).joined(separator: " ")) --help\n\(result.output)\n"
        }
        if ProcessInfo.processInfo.environment["REWRITE_GOLDEN"] != nil {
            try Data(text.utf8).write(to: Self.golden)
        }
        let agreed = try String(contentsOf: Self.golden, encoding: .utf8)
        // The first line that differs: those behind it are often only moved.
        let (lines, agreedLines) = (text.split(separator: "\n"), agreed.split(separator: "\n"))
        let differing = zip(lines, agreedLines).first { $0 != $1 }
        #expect(differing?.0 == differing?.1)
        #expect(lines.count == agreedLines.count)
    }

    @Test func `the golden file covers every command that help names`() async throws {
        for command in Self.commands {
            let help = try await bare(command + ["--help"]).output
            guard let list = help.firstRange(of: "SUBCOMMANDS:\n") else { continue }
            for line in help[list.upperBound...].split(separator: "\n") {
                guard let name = line.prefixMatch(of: #/  ([a-z-]+)/#)?.1 else { continue }
                #expect(Self.commands.contains(command + [String(name)]))
            }
        }
    }

    @Test(arguments: [
        ["--version"], ["help"], ["help", "run", "bill"], ["run", "bill", "-h"], ["-h"],
    ])
    func `help and version go to standard output, and are no failure`(arguments: [String])
        async throws
    {
        let result = try await bare(arguments)
        #expect(result.status == 0)
        #expect(!result.output.isEmpty && result.errors.isEmpty)
    }

    @Test(arguments: [
        ["bogus"], ["run", "bogus"], ["run", "bill", "--bogus"], ["run", "bill", "2015-05"],
        ["run", "bill", "--slot", "2015-13"], ["run", "bill", "--slot", "2015-5"],
        ["run", "bill", "--slot", "May 2015"], ["run", "bill", "--slot", "2015-W05"],
        ["run", "bill", "--slot", "2015-05..2015-04"],
        ["run", "bill", "--slot", "2015-05..2015-06", "--requests", "plan.jsonl"],
        ["runs", "list", "--limit", "0"], ["runs", "list", "--status", "late"],
        ["runs", "show", "bill", "soon"], ["schedules", "install"], ["schedules", "print", "at"],
        ["run", "bill", "--slot"],
        ["run", "bill", "--format", "xml"], ["import", "events"], ["import", "access-log"],
        ["import", "access-log", "--log-format", "iis", "x"],
        ["import", "access-log", "--customer", "cookie", "x"],
        ["import", "access-log", "--field", "time", "x"],
        ["import", "access-log", "--field", "colour=red", "x"],
        ["import", "access-log", "--time-format", "stardate", "x"],
        ["import", "customers", "--effective-from", "2015-02-29", "x"], ["catalog", "apply"],
        ["usage", "show", "--only", "everything"], ["invoices", "show"], ["invoices", "verify"],
        ["invoices", "verify", "inv_1", "--slot", "2015-05"], ["invoices", "export"],
        ["invoices", "list", "--format", "yaml"],
    ])
    func `bad usage is 64, and says what would be right`(arguments: [String]) async throws {
        let result = try await bare(arguments)
        #expect(result.status == 64)
        #expect(result.output.isEmpty)
        #expect(result.errors.hasPrefix("Error: "))
        #expect(result.errors.contains("Usage: jobs") || result.errors.contains("--help"))
    }

    /// The program with nothing in its environment.
    private func bare(_ arguments: [String]) async throws -> JobsProcess.Result {
        let folder = NSTemporaryDirectory() + "it-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await JobsProcess(arguments, environment: [:], folder: folder).result()
    }
}
