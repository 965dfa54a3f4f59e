internal import Billing
internal import Exact
internal import Ledger
internal import Logging
internal import ServiceLifecycle
internal import Synchronization

/// Works on events as they come, and reads Stripe's list now and then for those that did not.
final class WebhookService: Service {
    private let webhooks: Webhooks
    private let metrics: ServeMetrics
    private let history: RunHistory
    private let backfillSeconds: Int
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let isStopping = Atomic(false)
    private let recordedAt = Mutex<ContinuousClock.Instant?>(nil)

    /// How often to look for events whose time has come.
    private static let idleSeconds = 2
    /// How often reading the list is recorded, at the most.
    private static let recordSeconds = 60
    /// How long to wait when Stripe does not let the key in.
    private static let refusedSeconds = 60

    init(
        _ webhooks: Webhooks, metrics: ServeMetrics, history: RunHistory, backfillSeconds: Int
    ) {
        self.webhooks = webhooks
        self.metrics = metrics
        self.history = history
        self.backfillSeconds = backfillSeconds
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Something new has come.
    func wake() {
        waker.yield()
    }

    /// - Throws: `AccountCheck.Refusal`: the key is of another account than the ledger's.
    func run() async throws {
        try await withGracefulShutdownHandler {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await self.work() }
                group.addTask { await self.every(seconds: Self.idleSeconds) { self.wake() } }
                group.addTask {
                    await self.every(seconds: self.backfillSeconds) { await self.backfill() }
                }
                // The first to fail ends the others.
                while try await group.next() != nil {}
            }
        } onGracefulShutdown: {
            self.isStopping.store(true, ordering: .releasing)
            self.waker.finish()
        }
    }

    /// An event that is begun is ended, also when the process is asked to end.
    private func work() async throws {
        var run: WebhookRun?
        for await _ in wakes {
            do {
                let ready = if let run { run } else { try await webhooks.run() }
                run = ready
                let summary = try await ready.drain {
                    self.isStopping.load(ordering: .acquiring)
                }
                for (outcome, count) in summary.counts {
                    metrics.add(.event(outcome.rawValue), count)
                }
            } catch let refusal as AccountCheck.Refusal {
                throw refusal
            } catch {
                if Task.isCancelled { return }
                webhooks.logger.error("events wait", metadata: ["error": "\(error)"])
                guard (error as? StripeError)?.kind == .unauthorized else { continue }
                // Nothing is taken before the account has been asked for again.
                run = nil
                await cancelWhenGracefulShutdown {
                    _ = try? await Task.sleep(for: .seconds(Self.refusedSeconds))
                }
            }
        }
    }

    private func backfill() async {
        let begin = ContinuousClock.now
        do {
            let now = Instant.now.unixSeconds
            let summary = try await webhooks.backfill.follow(now: now)
            metrics.backfilled(summary.new, at: now)
            if summary.new > 0 { wake() }
            try await record(summary, since: begin)
        } catch {
            if Task.isCancelled { return }
            webhooks.logger.warning(
                "Stripe's list of events cannot be read", metadata: ["error": "\(error)"])
        }
    }

    /// The list was read: that is what process-webhooks is watched for.
    private func record(
        _ summary: WebhookBackfill.Summary, since begin: ContinuousClock.Instant
    ) async throws {
        let last = recordedAt.withLock { $0 }
        if let last, begin - last < .seconds(Self.recordSeconds) { return }
        try await history.record(
            job: RunCommand.ProcessWebhooks.job.name, holder: Live.processName,
            programVersion: programVersion,
            milliseconds: Int64((ContinuousClock.now - begin) / .milliseconds(1)),
            end: .succeeded, exitCode: ExitStatus.done.rawValue,
            figures: "{\"listed\":\(summary.read),\"new\":\(summary.new)}")
        recordedAt.withLock { $0 = begin }
    }

    private func every(seconds: Int, _ body: @escaping @Sendable () async -> Void) async {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                await body()
                try? await Task.sleep(for: .seconds(seconds))
            }
        }
    }
}
