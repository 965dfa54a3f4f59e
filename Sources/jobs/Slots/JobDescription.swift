internal import Exact
internal import Ledger

/// What is fixed about a job: how often it runs, which slots it takes up, and how it is launched.
struct JobDescription: Sendable {
    let name: String
    /// What it does, in half a line: the description of its unit.
    let summary: String
    /// `nil`: a continuous job, which has no slots.
    let cadence: Cadence?
    /// How long after its slot's end it is due.
    var graceSeconds: Int64 = 0
    /// How much of a slot's end may come before its end in UTC (bill: customers east of Greenwich).
    var dueLeadSeconds: Int64 = 0
    /// For one slot, all attempts together.
    var timeoutSeconds: Int64 = 3600
    /// `jobs serve` does the same.
    var isServed = false
    let timer: Timer

    /// When the job is launched.
    struct Timer: Sendable {
        /// As systemd writes it; in UTC.
        let calendar: String
        /// The same for cron.
        let cron: String
        let randomizedDelaySeconds: Int64
        /// At most so long after a slot is due the job is launched.
        let promisedDelaySeconds: Int64
        let memoryMax: String
    }

    /// If its last success is older than this, something is wrong: no slot took so long to become due,
    /// be launched and be done.
    var alertAfterSeconds: Int64 {
        (cadence?.longestSeconds ?? 0) + timer.promisedDelaySeconds + timeoutSeconds
    }
}
