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
    private let backfillSeconds: Int
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation
    private let isStopping = Atomic(false)

    /// How often to look for events whose time has come.
    private static let idleSeconds = 2

    init(_ webhooks: Webhooks, metrics: ServeMetrics, backfillSeconds: Int) {
        self.webhooks = webhooks
        self.metrics = metrics
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
            }
        }
    }

    private func backfill() async {
        do {
            let now = Instant.now.unixSeconds
            let summary = try await webhooks.backfill.follow(now: now)
            metrics.backfilled(summary.new, at: now)
            if summary.new > 0 { wake() }
        } catch {
            if Task.isCancelled { return }
            webhooks.logger.warning(
                "Stripe's list of events cannot be read", metadata: ["error": "\(error)"])
        }
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
