internal import Foundation
internal import HTTP
internal import Ledger
internal import Logging

/// What is around every run of a job that nobody watches: signals, pings, and metrics.
enum Unattended {
    static func run(
        _ job: String, _ live: Live, _ metrics: MetricsOption,
        _ body: (StopRequest) async throws -> ExitStatus
    ) async throws -> ExitStatus {
        try await StopRequest.listening(graceSeconds: live.settings.stopGraceSeconds) { stop in
            do {
                let status = try await body(stop)
                await Ping(live).end(of: job, status)
                await write(metrics.metricsFile, live)
                return status
            } catch {
                await Ping(live).end(of: job, ExitStatus(error))
                await write(metrics.metricsFile, live)
                throw error
            }
        }
    }

    /// How a run of a continuous job ended, with figures as a JSON object.
    typealias Outcome = (status: ExitStatus, figures: String?)

    /// Runs a job that holds a lease of its own and has no slots, and records how it ended.
    ///
    /// - Parameter timeoutSeconds: instead of the job's.
    static func continuous(
        _ job: JobDescription, _ live: Live, _ metrics: MetricsOption,
        timeoutSeconds: Int64? = nil,
        _ body: @escaping @Sendable (StopRequest) async throws -> Outcome
    ) async throws -> ExitStatus {
        let begin = ContinuousClock.now
        let record = { (end: SlotStore.End, status: ExitStatus, error: String?, figures: String?) in
            try await RunHistory(pool: live.pool).record(
                job: job.name, holder: Live.processName, programVersion: programVersion,
                milliseconds: Int64((ContinuousClock.now - begin) / .milliseconds(1)), end: end,
                exitCode: status.rawValue, error: error, figures: figures)
        }
        return try await run(job.name, live, metrics) { stop in
            await Ping(live).start(of: job.name)
            do {
                let seconds = timeoutSeconds ?? job.timeoutSeconds
                let late = Failure(.unavailable, "not done after \(seconds) s, and stopped")
                let outcome = try await stop.cancelling(at: begin + .seconds(seconds), or: late) {
                    try await body(stop)
                }
                try await record(.succeeded, outcome.status, nil, outcome.figures)
                return outcome.status
            } catch let error where (error as? LedgerError)?.code == .held {
                throw error
            } catch let error where stop.isRequested {
                live.logger.info("stopped", metadata: ["error": "\(error)"])
                try await record(.stopped, .held, nil, nil)
                writeText(
                    "jobs: stopped by \(stop.signalName ?? "a signal"). \(job.name): what was finished counts, the rest is done by the next run.\n",
                    to: STDERR_FILENO)
                return .held
            } catch {
                // If it cannot even be recorded, the first error says more.
                try? await record(.failed, ExitStatus(error), String("\(error)".prefix(2000)), nil)
                throw error
            }
        }
    }

    /// The age of every job's last success, and what else monitoring reads of the ledger.
    static func metrics(_ live: Live) async throws -> [LedgerMetrics.Sample] {
        let successes = try await RunHistory(pool: live.pool).lastSuccesses()
        let jobs = MetricsFile.samples(successes, expected: JobRegistry.expected(live.settings))
        return jobs + (try await LedgerMetrics(pool: live.pool).samples())
    }

    /// What is written is no reason for a job that is done to fail.
    private static func write(_ path: String?, _ live: Live) async {
        guard let path else { return }
        do {
            try MetricsFile.write(MetricFamily.text(try await metrics(live)), to: path)
        } catch {
            live.logger.error("the metrics file was not written", metadata: ["error": "\(error)"])
        }
    }
}

/// Tells a dead man's switch how a job fares; the paths are those of healthchecks.io.
struct Ping {
    private let url: String?
    private let http: HTTPClient
    private let logger: Logger

    init(_ live: Live) {
        self.init(live.settings, live.http, live.logger)
    }

    init(_ settings: Settings, _ http: HTTPClient, _ logger: Logger) {
        url = settings.pingURL?.value
        (self.http, self.logger) = (http, logger)
    }

    /// Once the job has its lease: who finds it taken says nothing.
    func start(of job: String) async {
        await send(job, "/start")
    }

    func end(of job: String, _ status: ExitStatus) async {
        switch status {
        case .held: break
        case .done, .needsAPerson: await send(job, "")
        default: await send(job, "/fail")
        }
    }

    /// A switch that cannot be reached must not keep a job from running.
    private func send(_ job: String, _ path: String) async {
        guard let url else { return }
        let request = HTTPRequest(
            method: "POST", url: url.replacing("{job}", with: job) + path,
            timeouts: HTTPTimeouts(connectSeconds: 3, totalSeconds: 5), pathIsSecret: true)
        do {
            let status = try await http.send(request).status
            guard !(200..<300).contains(status) else { return }
            logger.warning("the ping was refused", metadata: ["status": "\(status)"])
        } catch {
            logger.warning("the ping was not sent", metadata: ["error": "\(error)"])
        }
    }
}
