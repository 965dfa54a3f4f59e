internal import Alerts
internal import Ledger
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Sends alerts while `jobs serve` runs. If `send-alerts` is at it on some host, that is as good.
struct AlertService: Service {
    let delivery: AlertDelivery
    let history: RunHistory
    let logger: Logger

    private static let idleSeconds = 5
    /// How often a run that did nothing is recorded, so that the job's last success stays young.
    private static let recordSeconds = 60

    /// A message that is begun is ended, also when the process is asked to end: else it is told twice.
    func run() async throws {
        var recordedAt: ContinuousClock.Instant?
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            await send(&recordedAt)
            await cancelWhenGracefulShutdown {
                _ = try? await Task.sleep(for: .seconds(Self.idleSeconds))
            }
        }
    }

    private func send(_ recordedAt: inout ContinuousClock.Instant?) async {
        do {
            let begin = ContinuousClock.now
            let summary = try await delivery.drain { Task.isShuttingDownGracefully }
            if summary == AlertSummary(), let last = recordedAt,
                begin - last < .seconds(Self.recordSeconds)
            {
                return
            }
            try await history.record(
                job: RunCommand.SendAlerts.job.name, holder: Live.processName,
                programVersion: programVersion,
                milliseconds: Int64((ContinuousClock.now - begin) / .milliseconds(1)),
                end: .succeeded, exitCode: ExitStatus.done.rawValue,
                figures:
                    "{\"routed\":\(summary.routed),\"delivered\":\(summary.delivered),\"failed\":\(summary.failed)}"
            )
            recordedAt = begin
        } catch let error as LedgerError where error.code == .held {
            // Another process tells the routes.
        } catch {
            if Task.isCancelled { return }
            logger.error("alerts wait", metadata: ["error": "\(error)"])
        }
    }
}
