package import ClickHouse
package import Exact
internal import Ledger

/// What a customer used of one metric in a period.
package struct MetricUsage: Sendable, Equatable {
    /// How many events the metric counted.
    package var events: Int64
    /// `nil` if none of them could be read.
    package var quantity: ExactDecimal
    /// How many of them have a quantity that cannot be read exactly; it is not in `quantity`.
    package var unparsable: Int64

    package static let none = MetricUsage(events: 0, quantity: .zero, unparsable: 0)

    package init(events: Int64, quantity: ExactDecimal, unparsable: Int64) {
        self.events = events
        self.quantity = quantity
        self.unparsable = unparsable
    }
}

package struct CustomerUsage: Sendable, Equatable {
    package let customerID: String
    /// How many events there were, whether or not a metric counts them.
    package let events: Int64
    /// In the order of the metrics asked for.
    package let metrics: [MetricUsage]

    package init(customerID: String, events: Int64, metrics: [MetricUsage]) {
        self.customerID = customerID
        self.events = events
        self.metrics = metrics
    }
}

/// What became of the rows of a period.
package struct UsageFigures: Sendable, Equatable {
    /// Events that count.
    package var events: Int64 = 0
    /// Rows that repeat one of them.
    package var duplicates: Int64 = 0
    /// Contents with the identity of one of them, but another one.
    package var conflicts: Int64 = 0

    package init() {}
}

/// Puts questions of usage to ClickHouse.
package struct UsageReader: Sendable {
    private let clickHouse: ClickHouseClient

    package init(clickHouse: ClickHouseClient) {
        self.clickHouse = clickHouse
    }

    /// Every customer's usage in order of `customer_id`, in batches; memory stays flat.
    ///
    /// - Throws: `UsageError` if a metric was never sealed: its quantities would all be zero.
    package func forEachBatch(
        _ query: PeriodUsageQuery, customer: String? = nil,
        _ body: ([CustomerUsage]) async throws -> Void
    ) async throws {
        guard query.sealed.cutoff > 0 else { return }
        let unsealed = query.sealed.unsealed(query.metrics)
        guard unsealed.isEmpty else { throw UsageError.notSealed(unsealed.map(\.code)) }
        let metrics = query.metrics.count
        try await clickHouse.forEachBatch(query.byCustomer(customer)) { rows in
            try await body(rows.map { try CustomerUsage($0, metrics: metrics) })
        }
    }

    /// Of the UTC days that begin in the period.
    package func figures(_ query: PeriodUsageQuery) async throws -> UsageFigures {
        guard query.sealed.cutoff > 0 else { return UsageFigures() }
        guard let row = try await clickHouse.rows(query.figures()).first else {
            preconditionFailure("an aggregate answers one row")
        }
        var figures = UsageFigures()
        figures.events = try row.int64("events")
        figures.duplicates = try row.int64("duplicates")
        figures.conflicts = try row.int64("conflicts")
        return figures
    }

    package func forEachConflict(
        _ query: PeriodUsageQuery, customer: String?,
        _ body: ([ConflictingEvent]) async throws -> Void
    ) async throws {
        guard query.sealed.cutoff > 0 else { return }
        try await clickHouse.forEachBatch(query.conflicts(of: customer)) { rows in
            try await body(rows.map(ConflictingEvent.init))
        }
    }

    /// Events that count, but whose quantity a metric cannot read.
    package func forEachUnreadable(
        _ query: PeriodUsageQuery, customer: String?,
        _ body: ([UnreadableEvent]) async throws -> Void
    ) async throws {
        guard query.sealed.cutoff > 0, let question = query.unreadable(of: customer) else { return }
        try await clickHouse.forEachBatch(question) { rows in
            try await body(rows.map(UnreadableEvent.init))
        }
    }

    /// One customer's usage, added up from each event and not from the rollups; `nil` without any.
    package func fromWinners(
        _ query: PeriodUsageQuery, customer: String
    ) async throws -> CustomerUsage? {
        guard query.sealed.cutoff > 0 else { return nil }
        return try await clickHouse.rows(query.fromWinners(of: customer)).first.map {
            try CustomerUsage($0, metrics: query.metrics.count)
        }
    }
}

/// What one row of the log says happened.
package struct EventContent: Sendable, Equatable {
    package let eventType: String
    package let timestamp: Instant
    package let properties: String
}

/// A row with the identity of an event that counts, but another content. It is not billed.
package struct ConflictingEvent: Sendable {
    package let customerID: String
    package let transactionID: String
    package let counted: EventContent
    package let conflicting: EventContent

    init(_ row: ClickHouseRow) throws {
        customerID = try row.string("customer_id")
        transactionID = try row.string("transaction_id")
        counted = EventContent(
            eventType: try row.string("counted_event_type"),
            timestamp: Instant(milliseconds: try row.int64("counted_ms")),
            properties: try row.string("counted_properties"))
        conflicting = EventContent(
            eventType: try row.string("conflicting_event_type"),
            timestamp: Instant(milliseconds: try row.int64("conflicting_ms")),
            properties: try row.string("conflicting_properties"))
    }
}

/// An event that counts, but whose quantity cannot be read.
package struct UnreadableEvent: Sendable {
    package let customerID: String
    package let transactionID: String
    package let content: EventContent
    /// The codes of the metrics that cannot read it.
    package let reasons: String

    init(_ row: ClickHouseRow) throws {
        customerID = try row.string("customer_id")
        transactionID = try row.string("transaction_id")
        content = EventContent(
            eventType: try row.string("event_type"),
            timestamp: Instant(milliseconds: try row.int64("timestamp_ms")),
            properties: try row.string("properties"))
        reasons = try row.string("reasons")
    }
}

extension CustomerUsage {
    fileprivate init(_ row: ClickHouseRow, metrics: Int) throws {
        customerID = try row.string("customer_id")
        events = try row.int64("events")
        self.metrics = try (0..<metrics).map { index in
            let quantity = try row.optionalString("quantity_\(index)")
            guard let number = ExactDecimal(quantity ?? "0") else {
                throw ClickHouseError.decoding("quantity_\(index) is no plain decimal")
            }
            return MetricUsage(
                events: try row.int64("events_\(index)"), quantity: number,
                unparsable: try row.int64("unparsable_\(index)"))
        }
    }
}
