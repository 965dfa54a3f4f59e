internal import Postgres
internal import Synchronization

/// Keeps events that come side by side, many to a commit: what arrives while one commit is on its way
/// shares the next.
package final class WebhookInbox: Sendable {
    private struct Arrival {
        let event: ReceivedEvent
        let isKept: CheckedContinuation<Bool, any Error>
    }

    private struct State {
        var arrivals: [Arrival] = []
        var writers = 0
    }

    private let store: WebhookStore
    private let state = Mutex(State())

    /// One writes to disk while another takes in.
    private static let maximumWriters = 2

    package init(store: WebhookStore) {
        self.store = store
    }

    /// Returns when the event is committed, and not before.
    ///
    /// - Returns: false if it is known already.
    package func insert(_ event: ReceivedEvent) async throws -> Bool {
        try await withCheckedThrowingContinuation { continuation in
            let needsWriter = state.withLock { state in
                state.arrivals.append(Arrival(event: event, isKept: continuation))
                guard state.writers < Self.maximumWriters else { return false }
                state.writers += 1
                return true
            }
            if needsWriter { Task { await write() } }
        }
    }

    private func write() async {
        while let arrivals = takeArrivals() {
            do {
                let areNew = try await store.insert(arrivals.map(\.event), from: .endpoint)
                for (arrival, isNew) in zip(arrivals, areNew) {
                    arrival.isKept.resume(returning: isNew)
                }
            } catch let error as PostgresError where error.mayBeOfOneStatement {
                await writeSingly(arrivals)
            } catch {
                for arrival in arrivals { arrival.isKept.resume(throwing: error) }
            }
        }
    }

    /// One that Postgres does not take must not keep the others out.
    private func writeSingly(_ arrivals: [Arrival]) async {
        for arrival in arrivals {
            do {
                let areNew = try await store.insert([arrival.event], from: .endpoint)
                arrival.isKept.resume(returning: areNew[0])
            } catch {
                arrival.isKept.resume(throwing: error)
            }
        }
    }

    private func takeArrivals() -> [Arrival]? {
        state.withLock { state in
            guard !state.arrivals.isEmpty else {
                state.writers -= 1
                return nil
            }
            defer { state.arrivals = [] }
            // Two that hold some of the same events take them in the same order.
            return state.arrivals.sorted { $0.event.id < $1.event.id }
        }
    }
}

extension PostgresError {
    /// Not of the connection.
    fileprivate var mayBeOfOneStatement: Bool {
        switch code {
        case .server, .usage: true
        default: false
        }
    }
}
