internal import ArgumentParser
internal import Billing
internal import Detection
internal import Exact
internal import Ledger
internal import Usage

/// Options of every job that judges usage.
struct DetectionOptions: ParsableArguments, Sendable {
    @Flag(name: .long, help: "Begin anew: make the states from the usage on record.")
    var restart = false
    @Option(name: .long, help: "How to print the result: table or json (one object).")
    var format: SummaryFormat = .table
}

/// A job of detection: seals, then works under the lease of detection, and says what it came to.
protocol DetectionJobCommand: SlotJobCommand {
    associatedtype Summary: DetectionReport

    static var catchUp: CatchUp { get }
    var options: DetectionOptions { get }
    func work(_ run: DetectionRun, _ slot: Slot) async throws -> Summary
}

extension RunCommand {
    struct DetectAnomalies: DetectionJobCommand {
        static let configuration = CommandConfiguration(
            commandName: "detect-anomalies",
            abstract: "Judge an hour of every customer and metric against its own history.",
            discussion: """
                Seals usage, moves the state of every series on by the hour, and records episodes of \
                unusual volume as anomalies. Late data has its hours judged anew. docs/detection.md says \
                how an hour is judged.
                """)

        static let job = JobDescription(
            name: "detect-anomalies", summary: "judge the closed hour of every customer and metric",
            cadence: .hourly, graceSeconds: 600, timeoutSeconds: 1800,
            timer: .init(
                calendar: "*-*-* *:12:00 UTC", cron: "12 * * * *", randomizedDelaySeconds: 60,
                promisedDelaySeconds: 300, memoryMax: "2G"))
        static let catchUp = CatchUp(maxAgeSeconds: 14 * 86_400)

        @OptionGroup var common: CommonOptions
        @OptionGroup var slots: SlotOptions
        @OptionGroup var options: DetectionOptions

        func work(_ run: DetectionRun, _ slot: Slot) async throws -> DetectionSummary {
            try await run.judge(through: slot.hours.upperBound + -1, restart: options.restart)
        }
    }

    struct RefreshState: DetectionJobCommand {
        static let configuration = CommandConfiguration(
            commandName: "refresh-state",
            abstract: "Make the baselines and scales of the next day from four weeks of usage.",
            discussion: """
                The first hour of a day is judged after that; if this job was not there, it is made \
                then. What the day's hours still lack is judged first.
                """)

        static let job = JobDescription(
            name: "refresh-state", summary: "make the baselines and scales of the next day",
            cadence: .daily, graceSeconds: 1200, timeoutSeconds: 3 * 3600,
            timer: .init(
                calendar: "*-*-* 00:25:00 UTC", cron: "25 0 * * *", randomizedDelaySeconds: 120,
                promisedDelaySeconds: 900, memoryMax: "2G"))
        static let catchUp = CatchUp.latest

        @OptionGroup var common: CommonOptions
        @OptionGroup var slots: SlotOptions
        @OptionGroup var options: DetectionOptions

        func work(_ run: DetectionRun, _ slot: Slot) async throws -> DetectionSummary {
            try await run.refresh(at: slot.hours.upperBound, restart: options.restart)
        }
    }

    struct CheckPatterns: DetectionJobCommand {
        static let configuration = CommandConfiguration(
            commandName: "check-patterns",
            abstract: "Hold a day of every customer and metric against its weekday's baseline.",
            discussion: """
                Finds what the hours do not show, such as a stolen key that is used at night at the same \
                volume, and says what volume and pattern mean together.
                """)

        static let job = JobDescription(
            name: "check-patterns", summary: "hold yesterday against its weekday's baseline",
            cadence: .daily, graceSeconds: 1800, timeoutSeconds: 3 * 3600,
            timer: .init(
                calendar: "*-*-* 00:40:00 UTC", cron: "40 0 * * *", randomizedDelaySeconds: 120,
                promisedDelaySeconds: 900, memoryMax: "2G"))
        static let catchUp = CatchUp(maxAgeSeconds: 14 * 86_400)

        @OptionGroup var common: CommonOptions
        @OptionGroup var slots: SlotOptions
        @OptionGroup var options: DetectionOptions

        func work(_ run: DetectionRun, _ slot: Slot) async throws -> DetectionSummary {
            try await run.checkPatterns(of: slot.hours.lowerBound, restart: options.restart)
        }
    }

    struct RebuildBaselines: DetectionJobCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild-baselines",
            abstract: "Make what a normal Monday, Tuesday, ... of every customer and metric is.",
            discussion: """
                From eight weeks of usage, without the days that were unusual. What has drifted too far \
                from what was in force does not count before somebody approves it: \
                jobs detect baselines drifted
                """)

        static let job = JobDescription(
            name: "rebuild-baselines", summary: "make the baselines of the weekdays",
            cadence: .weekly, graceSeconds: 3600, timeoutSeconds: 6 * 3600,
            timer: .init(
                calendar: "*-*-* 01:20:00 UTC", cron: "20 1 * * *", randomizedDelaySeconds: 300,
                promisedDelaySeconds: 3600, memoryMax: "2G"))
        static let catchUp = CatchUp.latest

        @OptionGroup var common: CommonOptions
        @OptionGroup var slots: SlotOptions
        @OptionGroup var options: DetectionOptions

        func work(_ run: DetectionRun, _ slot: Slot) async throws -> BaselineSummary {
            try await run.rebuildBaselines(until: slot.hours.upperBound)
        }
    }
}

extension Slot {
    /// The hours of a slot that is none of a month.
    var hours: Range<Hour> {
        Hour(Int(start.milliseconds / 3_600_000))..<Hour(Int(end.milliseconds / 3_600_000))
    }
}

extension DetectionJobCommand {
    func slotJob(_ live: Live) throws -> SlotJob {
        guard let cadence = Self.job.cadence else {
            preconditionFailure("jobs of detection have slots")
        }
        return SlotJob(
            name: Self.job.name, description: Self.job, cadence: cadence, catchUp: Self.catchUp,
            firstSlot: nil, dueAt: { slot in slot.end.adding(seconds: Self.job.graceSeconds) },
            body: { run in try await self.run(run, live) })
    }

    private func run(_ run: SlotRun, _ live: Live) async throws -> SlotOutcome {
        let due = run.slot.end.adding(seconds: Self.job.graceSeconds)
        guard run.now >= due else {
            try printLine("\(run.slot) is not over: its usage is complete at \(due)")
            return SlotOutcome(isComplete: false, status: .needsAPerson, figures: nil)
        }
        let catalogs = try await CatalogStore(pool: live.pool).all()
        // What had arrived by now is accounted for: from here on the slot is closed.
        _ = try await live.sealer().seal(waits: true)
        let summary = try await DetectionRun.with(
            "\(run.slot)", clickHouse: live.clickHouse, pool: live.pool,
            metrics: catalogs.flatMap { try Catalog(yaml: $0.source).metrics },
            policy: live.settings.detection, holder: Live.processName
        ) { detection in try await work(detection, run.slot) }
        do {
            if options.format == .json {
                try printLine(summary.json)
            } else {
                for line in summary.lines("\(Self.job.name) \(run.slot)") { try printLine(line) }
            }
        } catch is BrokenOutput {
            // Nobody reads it; the work is done all the same.
        }
        return SlotOutcome(isComplete: true, status: summary.status, figures: summary.json)
    }
}
