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

extension RunCommand {
    struct DetectAnomalies: SlotJobCommand {
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

        @OptionGroup var common: CommonOptions
        @OptionGroup var slots: SlotOptions
        @OptionGroup var options: DetectionOptions

        func slotJob(_ live: Live) throws -> SlotJob {
            DetectionJob(job: Self.job, live: live, options: options).slotJob(
                CatchUp(maxAgeSeconds: 14 * 86_400)
            ) { run, slot in
                try await run.judge(through: slot.hours.upperBound + -1, restart: options.restart)
            }
        }
    }

    struct RefreshState: SlotJobCommand {
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

        @OptionGroup var common: CommonOptions
        @OptionGroup var slots: SlotOptions
        @OptionGroup var options: DetectionOptions

        func slotJob(_ live: Live) throws -> SlotJob {
            DetectionJob(job: Self.job, live: live, options: options).slotJob(.latest) {
                run, slot in
                try await run.refresh(at: slot.hours.upperBound, restart: options.restart)
            }
        }
    }
}

extension Slot {
    /// The hours of a slot that is none of a month.
    var hours: Range<Hour> {
        Hour(Int(start.milliseconds / 3_600_000))..<Hour(Int(end.milliseconds / 3_600_000))
    }
}

/// A job of detection: seals, then works under the lease of detection, and says what it came to.
struct DetectionJob: Sendable {
    let job: JobDescription
    let live: Live
    let options: DetectionOptions

    func slotJob(
        _ catchUp: CatchUp,
        _ body: @escaping @Sendable (DetectionRun, Slot) async throws -> DetectionSummary
    ) -> SlotJob {
        guard let cadence = job.cadence else { preconditionFailure("jobs of detection have slots") }
        return SlotJob(
            name: job.name, description: job, cadence: cadence, catchUp: catchUp, firstSlot: nil,
            dueAt: { slot in slot.end.adding(seconds: job.graceSeconds) },
            body: { run in try await self.run(run, body) })
    }

    private func run(
        _ run: SlotRun,
        _ body: @escaping @Sendable (DetectionRun, Slot) async throws -> DetectionSummary
    ) async throws -> SlotOutcome {
        let due = run.slot.end.adding(seconds: job.graceSeconds)
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
        ) { detection in try await body(detection, run.slot) }
        try report(run.slot, summary)
        return SlotOutcome(isComplete: true, status: .done, figures: summary.json)
    }

    private func report(_ slot: Slot, _ summary: DetectionSummary) throws {
        do {
            if options.format == .json { return try printLine(summary.json) }
            let anomalies = summary.anomalies
            try printLine(
                "\(job.name) \(slot)  \(grouped(summary.series)) series, \(grouped(summary.hours)) hours: "
                    + "\(grouped(anomalies.new)) new, \(grouped(anomalies.changed)) go on, "
                    + "\(grouped(anomalies.recovered)) over, \(grouped(anomalies.withdrawn)) withdrawn"
            )
            if summary.lateSeries > 0 || summary.tooLateHours > 0 {
                try printLine(
                    "late data   \(grouped(summary.lateSeries)) series judged anew; "
                        + "\(grouped(Int(summary.tooLateHours))) hours are too old for that")
            }
            if summary.missingHours > 0 {
                try printLine(
                    "missing     \(grouped(summary.missingHours)) hours without any usage: check the exporter"
                )
            }
        } catch is BrokenOutput {
            // Nobody reads it; the work is done all the same.
        }
    }
}
