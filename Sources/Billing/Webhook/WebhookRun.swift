package import Ledger

/// How many events came to which end.
package struct WebhookSummary: Sendable, Equatable {
    package private(set) var counts: [WebhookOutcome: Int] = [:]

    package init() {}

    mutating func add(_ outcome: WebhookOutcome) {
        counts[outcome, default: 0] += 1
    }

    package mutating func add(_ other: WebhookSummary) {
        counts.merge(other.counts, uniquingKeysWith: +)
    }

    package subscript(outcome: WebhookOutcome) -> Int { counts[outcome] ?? 0 }
}

/// Works on all events that are due, many side by side; those about one object one after the other.
package struct WebhookRun: Sendable {
    private let store: WebhookStore
    private let processor: WebhookProcessor
    private let width: Int

    package init(store: WebhookStore, processor: WebhookProcessor, width: Int = 8) {
        self.store = store
        self.processor = processor
        self.width = max(1, width)
    }

    /// - Parameter isStopping: asked before each event: whether to begin no more.
    package func drain(
        isStopping: @escaping @Sendable () -> Bool = { false }
    ) async throws -> WebhookSummary {
        var summary = WebhookSummary()
        while !isStopping() {
            let batch = try await store.take(limit: width * 8)
            guard !batch.isEmpty else { break }
            let part = try await work(batch, isStopping)
            summary.add(part)
        }
        return summary
    }

    /// The same until no event waits for an invoice that somebody works on, for a while.
    ///
    /// - Parameter wait: for so many seconds.
    package func drainPatiently(
        isStopping: @escaping @Sendable () -> Bool = { false },
        wait: (Int) async throws -> Void
    ) async throws -> WebhookSummary {
        var summary = WebhookSummary()
        for _ in 0..<10 {
            let part = try await drain(isStopping: isStopping)
            summary.add(part)
            guard part[.postponed] > 0, !isStopping() else { break }
            try await wait(WebhookProcessor.busySeconds + 1)
        }
        return summary
    }

    private func work(
        _ batch: [TakenEvent], _ isStopping: @escaping @Sendable () -> Bool
    ) async throws -> WebhookSummary {
        do {
            return try await sideBySide(batch, isStopping)
        } catch {
            // No event is to blame for it. A task that was cancelled writes nothing any more, so another one does.
            try? await Task.detached { [store] in
                try await store.putBack(batch, note: "the work was broken off: \(error)")
            }.value
            throw error
        }
    }

    private func sideBySide(
        _ batch: [TakenEvent], _ isStopping: @escaping @Sendable () -> Bool
    ) async throws -> WebhookSummary {
        var objects = Dictionary(grouping: batch, by: Self.object).values[...].makeIterator()
        return try await withThrowingTaskGroup(of: WebhookSummary.self) { group in
            func begin(_ events: [TakenEvent]) {
                group.addTask {
                    var summary = WebhookSummary()
                    for event in events {
                        if isStopping() {
                            try await store.postpone(
                                event, seconds: 0, isFailure: false, note: "the process ended")
                        } else {
                            summary.add(try await processor.process(event))
                        }
                    }
                    return summary
                }
            }
            for _ in 0..<width { if let events = objects.next() { begin(events) } }
            var summary = WebhookSummary()
            while let part = try await group.next() {
                summary.add(part)
                if let events = objects.next() { begin(events) }
            }
            return summary
        }
    }

    private static func object(_ taken: TakenEvent) -> String {
        guard let event = try? WebhookEvent(Array(taken.payload.utf8)) else { return taken.id }
        return event.object.invoice ?? event.object.paymentIntent ?? event.object.id ?? taken.id
    }
}
