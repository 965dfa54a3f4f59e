import Exact
import Foundation
import Testing

@testable import jobs

/// What launches the jobs: accepted by systemd and Prometheus themselves.
struct ScheduleTests {
    private static let repository = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().path
    private static let schedules = repository + "/schedules"

    @Test func `the files in schedules are those that the program prints`() throws {
        var names: Set<String> = []
        for kind in ScheduleFile.Kind.allCases {
            for file in ScheduleFile.files(kind, ScheduleFile.Places()) {
                names.insert(file.name)
                let text = try String(
                    contentsOfFile: "\(Self.schedules)/\(file.name)", encoding: .utf8)
                #expect(
                    text == file.text,
                    "\(file.name): .build/debug/jobs schedules install --program /usr/local/bin/jobs --dir schedules \(kind)"
                )
            }
        }
        let there = try FileManager.default.contentsOfDirectory(atPath: Self.schedules)
        #expect(Set(there.filter { $0 != "README.md" }) == names)
    }

    @Test func `systemd has nothing to say against the units`() async throws {
        try await withFolder { folder in
            let installed = try await Self.jobs(
                "schedules", "install", "--dir", folder, "--metrics-file", "\(folder)/jobs.prom")
            #expect(installed.status == 0, "\(installed.errors)")
            let units = installed.output.split(separator: "\n").map(String.init)
            // A service and a timer a job, one for failures, and the server.
            #expect(units.count == 2 * JobRegistry.descriptions.count + 2)
            let verified = try await Tool.run("systemd-analyze", ["verify", "--man=no"] + units)
            // Of keys that it does not know, it only warns.
            #expect(verified.status == 0 && verified.errors.isEmpty, "\(verified.errors)")
            for unit in units where unit.hasSuffix(".service") {
                let rated = try await Tool.run(
                    "systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
                #expect(rated.status == 0, "\(rated.output.split(separator: "\n").last ?? "")")
            }
        }
    }

    @Test(arguments: ["relative/jobs", "/with space/jobs", "/per%cent", "/new\nline", "/", ""])
    func `a path that cron or systemd would take for something else is refused`(path: String)
        async throws
    {
        let result = try await Self.jobs("schedules", "print", "--program", path)
        #expect(result.status == 64)
        #expect(result.output.isEmpty && result.errors.contains("absolute path"))
    }

    @Test func `a folder that is not there is refused`() async throws {
        let result = try await Self.jobs("schedules", "install", "--dir", "/nowhere/at/all")
        #expect(result.status == 64)
        #expect(result.errors.contains("/nowhere/at/all"))
    }

    /// How much earlier or later than its end in UTC a slot may end.
    private static let shifts: [Int64] = [-14 * 3600, 0, 12 * 3600]

    /// Before a leap day, and before the end of a year and of its 53rd ISO week.
    private static let bases = ["2028-02-28T21:58:00Z", "2026-12-31T21:58:00Z"]

    @Test(arguments: JobRegistry.descriptions.map(\.name))
    func `every slot that is due is met by a launch within the promised delay`(name: String)
        async throws
    {
        let job = try #require(JobRegistry.descriptions.first { $0.name == name })
        let timer = job.timer
        let calendar = try await Tool.run("systemd-analyze", "calendar", timer.calendar)
        #expect(calendar.status == 0 && calendar.errors.isEmpty)
        for base in Self.bases {
            guard let cadence = job.cadence else {
                // Without slots: launched again within that time, at any time.
                let next = try await Self.launches(timer, after: base, count: 3)
                let gaps = zip(next.dropFirst(), next).map { $0.unixSeconds - $1.unixSeconds }
                #expect(
                    gaps.allSatisfy {
                        $0 + timer.randomizedDelaySeconds <= timer.promisedDelaySeconds
                    })
                continue
            }
            var slot = Slot(cadence, containing: try #require(Instant(base)))
            for _ in 0..<5 {
                for shift in cadence == .monthly ? Self.shifts : [0] {
                    let due = slot.end.adding(seconds: shift + job.graceSeconds)
                    let first = try await Self.launches(
                        timer, after: "\(due.adding(seconds: -1))", count: 1)[0]
                    #expect(first >= due)
                    let latest = first.adding(seconds: timer.randomizedDelaySeconds)
                    #expect(
                        latest <= due.adding(seconds: timer.promisedDelaySeconds), "\(slot) \(due)")
                }
                slot = slot.next
            }
        }
    }

    @Test(arguments: JobRegistry.descriptions.map(\.name))
    func `systemd refuses no start of a timer, and starts again what failed until it gives up`(
        name: String
    ) async throws {
        let job = try #require(JobRegistry.descriptions.first { $0.name == name })
        let lines = SystemdUnit.service(job, ScheduleFile.Places()).text.split(separator: "\n")
        func value(_ key: String) throws -> Int64 {
            let line = try #require(lines.first { $0.hasPrefix(key + "=") })
            return try #require(Int64(line.dropFirst(key.count + 1)), "\(line)")
        }
        let interval = try value("StartLimitIntervalSec")
        let isRestarted = lines.contains("Restart=on-failure")
        guard interval > 0 else {
            // What is restarted without a limit never counts as failed.
            #expect(!isRestarted)
            return
        }
        let starts = try await Self.launches(job.timer, after: "2026-11-22T23:30:00Z", count: 70)
        let window = interval + job.timer.randomizedDelaySeconds
        let most = starts.map { start in
            starts.filter { $0 >= start && $0.unixSeconds - start.unixSeconds <= window }.count
        }.max()
        let (burst, pause) = (try value("StartLimitBurst"), try value("RestartSec"))
        #expect(Int64(try #require(most)) * 2 <= burst)
        #expect(isRestarted && pause * burst < interval)
    }

    @Test(arguments: [
        (0, "", ""), (0, "late", "late\n"), (75, "taken", ""), (69, "away", "away\n"),
    ])
    func `cron mails what was said, but not that another run is at work`(
        status: Int, said: String, mail: String
    ) async throws {
        try await withFolder { folder in
            let program = folder + "/jobs"
            let script = "#!/bin/sh\necho done\nprintf '%s' '\(said)' >&2\nexit \(status)\n"
            try Data(script.utf8).write(to: URL(filePath: program + ".sh"))
            // By another process: a child that is forked from this one meanwhile would keep it open ("text
            // file busy").
            #expect(
                try await Tool.run("install", "-m", "755", program + ".sh", program).status == 0)
            let places = ScheduleFile.Places(program: program)
            let lines = ScheduleFile.files(.crontab, places)[0].text.split(separator: "\n")
            let line = try #require(lines.first { $0.contains("run send-alerts ") })
            // Without the five fields that say when.
            let command = try #require(line.split(separator: " ", maxSplits: 5).last)
            let told = try await Tool.run("sh", "-c", String(command))
            #expect(told.output + told.errors == mail)
        }
    }

    @Test(arguments: JobRegistry.descriptions.map(\.name))
    func `cron launches as often as systemd`(name: String) async throws {
        let timer = try #require(JobRegistry.descriptions.first { $0.name == name }).timer
        let fields = timer.cron.split(separator: " ")
        #expect(fields.count == 5 && fields.dropFirst(2).allSatisfy { $0 == "*" })
        for launch in try await Self.launches(timer, after: "2026-11-22T00:00:00Z", count: 20) {
            let (hour, minute) = (
                "\(launch)".dropFirst(11).prefix(2), "\(launch)".dropFirst(14).prefix(2)
            )
            #expect(
                Self.matches(fields[0], Int(minute) ?? -1)
                    && Self.matches(fields[1], Int(hour) ?? -1))
        }
    }

    /// `*`, `5` or `*/5`.
    private static func matches(_ field: Substring, _ value: Int) -> Bool {
        if let step = field.wholeMatch(of: #/\*\/(\d+)/#)?.1 {
            return value % (Int(step) ?? 1) == 0
        }
        return field == "*" || Int(field) == value
    }

    /// When a timer fires, without its random delay.
    private static func launches(
        _ timer: JobDescription.Timer, after base: String, count: Int
    ) async throws -> [Instant] {
        let result = try await Tool.run(
            "systemd-analyze", "calendar", "--iterations=\(count)",
            "--base-time=\(base.dropLast().replacing("T", with: " ")) UTC", timer.calendar)
        #expect(result.status == 0 && result.errors.isEmpty, "\(result.errors)")
        let times = result.output.matches(of: #/: \w{3} (\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC/#)
        try #require(times.count >= count)
        return try times.prefix(count).map { try #require(Instant("\($0.1)T\($0.2)Z")) }
    }

    @Test func `Prometheus accepts the alert rules, and they fire when they should`() async throws {
        let rules = try await Tool.run(
            "promtool", "check", "rules", Self.schedules + "/alerts.yaml")
        #expect(rules.status == 0, "\(rules.output)\(rules.errors)")
        let tests = try await Tool.run(
            "promtool", "test", "rules",
            Self.repository + "/Tests/IntegrationTests/Golden/alerts.test.yaml")
        #expect(tests.status == 0, "\(tests.output)\(tests.errors)")
    }

    private static func jobs(_ arguments: String...) async throws -> JobsProcess.Result {
        try await JobsProcess(arguments, environment: [:], folder: NSTemporaryDirectory()).result()
    }

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = NSTemporaryDirectory() + "units-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try await body(folder)
    }
}
