internal import Foundation
package import Ledger

/// Reads Stripe's list of events, so that an endpoint that was away loses nothing. Stripe keeps 30 days.
package struct WebhookBackfill: Sendable {
    package struct Summary: Sendable, Equatable {
        package var read = 0
        package var new = 0

        package init() {}
    }

    private let store: WebhookStore
    private let client: StripeClient
    /// Stripe may list an event a little after younger ones: the cursor stays this far behind.
    private let lagSeconds: Int64

    package static let keptDays: Int64 = 30

    package init(store: WebhookStore, client: StripeClient, lagSeconds: Int64 = 300) {
        self.store = store
        self.client = client
        self.lagSeconds = lagSeconds
    }

    /// Reads on from where it ended; the first time, all that Stripe has.
    ///
    /// - Parameter now: Unix time in seconds.
    package func follow(now: Int64) async throws -> Summary {
        guard var last = try await store.cursor() else {
            return try await sweep(since: now - Self.keptDays * 86_400, now: now, movesCursor: true)
        }
        var summary = Summary()
        while true {
            var query = Self.query
            query.add("ending_before", last)
            let page: StripeList<JSONTree>
            do {
                page = try await client.ask(.get("/v1/events", query))
            } catch let error as StripeError where error.isMissing {
                // Older than what Stripe keeps.
                return try await sweep(
                    since: now - Self.keptDays * 86_400, now: now, movesCursor: true)
            }
            let settled = page.data.first { isSettled($0, now) }
            summary.read += page.data.count
            summary.new += try await store.insert(
                page.data.map(Self.received), cursor: settled.flatMap(Self.id))
            guard page.hasMore, let next = page.data.first.flatMap(Self.id) else { return summary }
            last = next
        }
    }

    /// Reads all events since a time, the newest first.
    package func sweep(
        since: Int64, now: Int64, movesCursor: Bool = false
    ) async throws -> Summary {
        var summary = Summary()
        var cursor: String?
        var query = Self.query
        query.add("created[gte]", String(since))
        var last: String?
        while true {
            var pageQuery = query
            if let last { pageQuery.add("starting_after", last) }
            let page: StripeList<JSONTree> = try await client.ask(.get("/v1/events", pageQuery))
            cursor = cursor ?? page.data.first { isSettled($0, now) }.flatMap(Self.id)
            summary.read += page.data.count
            // What was swept in part is swept again: only the end says that nothing is missing.
            let isLast = !page.hasMore
            summary.new += try await store.insert(
                page.data.map(Self.received), cursor: isLast && movesCursor ? cursor : nil)
            guard page.hasMore, let next = page.data.last.flatMap(Self.id) else { return summary }
            last = next
        }
    }

    private func isSettled(_ event: JSONTree, _ now: Int64) -> Bool {
        guard case .integer(let created)? = event["created"] else { return false }
        return created <= now - lagSeconds
    }

    private static func id(_ event: JSONTree) -> String? {
        if case .string(let id)? = event["id"] { id } else { nil }
    }

    private static func received(_ event: JSONTree) throws -> ReceivedEvent {
        do {
            return try ReceivedEvent(payload: event.bytes)
        } catch {
            throw StripeError(kind: .refused, message: "Stripe lists an event that cannot be read")
        }
    }

    private static var query: StripeForm {
        var query: StripeForm = ["limit": "100"]
        for (index, type) in WebhookTypes.all.enumerated() { query.add("types[\(index)]", type) }
        return query
    }
}
