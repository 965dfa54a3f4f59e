internal import ArgumentParser
internal import Exact
internal import Ledger

/// One run of a job for one slot.
struct SlotRun: Sendable {
    let slot: Slot
    /// Under which everything must be written that another run could write, too.
    let lease: Lease
    /// By the database's clock, when the attempt began.
    let now: Instant
    let stop: StopRequest
}

/// What a run of a slot came to.
struct SlotOutcome: Sendable {
    /// False: all went well, but the slot remains due (not closed, or only a part was asked for).
    let isComplete: Bool
    let status: ExitStatus
    /// What was done, as a JSON object.
    let figures: String?
}

/// A job with slots, as the runner works with it.
struct SlotJob: Sendable {
    /// As it stands in `job_slots`.
    let name: String
    let description: JobDescription
    let cadence: Cadence
    let catchUp: CatchUp
    /// The first slot that is taken up by itself; `nil`: when the job first runs, the last that is due.
    let firstSlot: Slot?
    let dueAt: @Sendable (Slot) async throws -> Instant
    /// What is begun and not done, of any slot: in a run without a slot it comes first. `nil`: nothing is.
    var resume: @Sendable (StopRequest) async throws -> Unattended.Outcome? = { _ in nil }
    let body: @Sendable (SlotRun) async throws -> SlotOutcome
}

extension Instant {
    func adding(seconds: Int64) -> Instant {
        Instant(milliseconds: milliseconds + seconds * 1000)
    }
}

struct SlotOptions: ParsableArguments, Sendable {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "One slot, or a range (default: every slot that is due).", valueName: "S | S..T"))
    var slot: SlotRange?
    @OptionGroup var metrics: MetricsOption
}

/// Where a job that runs unattended leaves word of itself.
struct MetricsOption: ParsableArguments, Sendable {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "Write the age of every job's last success here, for Prometheus' textfile collector.",
            valueName: "file"))
    var metricsFile: String?
}

extension SlotRange: ExpressibleByArgument {
    package init?(argument: String) {
        self.init(argument)
    }
}

/// A command that runs a job with slots: `jobs run NAME [--slot S | S..T]`.
protocol SlotJobCommand: StatusCommand, Sendable {
    static var job: JobDescription { get }
    var common: CommonOptions { get }
    var slots: SlotOptions { get }
    /// False for what asks the ledger only.
    static var usesClickHouse: Bool { get }

    /// Under which name an unattended run is recorded.
    static func recordedName(_ settings: Settings) -> String
    /// Under which name this run of it is.
    func name(_ settings: Settings) -> String
    /// Refuses what must not be done, before anything is opened.
    func check(_ settings: Settings) throws
    /// Which slots were asked for; `nil`: those that are due.
    func slotRange() throws -> SlotRange?
    func slotJob(_ live: Live) throws -> SlotJob
}

extension SlotJobCommand {
    static var usesClickHouse: Bool { true }

    static func recordedName(_ settings: Settings) -> String { job.name }

    func name(_ settings: Settings) -> String { Self.recordedName(settings) }

    func check(_ settings: Settings) throws {}

    func slotRange() throws -> SlotRange? { slots.slot }

    mutating func validate() throws { try validateSlots() }

    func validateSlots() throws {
        guard let cadence = Self.job.cadence, let slot = slots.slot else { return }
        guard slot.first.cadence == cadence else {
            throw ValidationError(
                "--slot \(slot): the slots of \(Self.job.name) are written like \(cadence.example)")
        }
    }

    mutating func runToStatus() async throws -> ExitStatus {
        let settings = try common.settings()
        let launched = name(settings)
        let range = try await Launch(job: launched, settings: settings).preparing { [self] in
            try check(settings)
            return try slotRange()
        }
        return try await Live.run(
            common, usesClickHouse: Self.usesClickHouse, job: launched
        ) { [self] live in
            let job = try slotJob(live)
            return try await Unattended.run(job.name, live, slots.metrics) { stop in
                try await SlotRunner(job: job, live: live, stop: stop).run(range)
            }
        }
    }
}
