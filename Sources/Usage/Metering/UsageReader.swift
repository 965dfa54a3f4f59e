package import ClickHouse
package import Exact

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
    /// Rows with the identity of one of them, but another content.
    package var conflicts: Int64 = 0
    /// Rows without an id, or whose properties are no JSON object.
    package var quarantined: Int64 = 0

    package init() {}
}

/// Puts questions of usage to ClickHouse.
package struct UsageReader: Sendable {
    private let clickHouse: ClickHouseClient

    package init(clickHouse: ClickHouseClient) {
        self.clickHouse = clickHouse
    }

    /// Every customer's usage in order of `customer_id`, in batches; memory stays flat.
    package func forEachBatch(
        _ query: PeriodUsageQuery, customer: String? = nil,
        _ body: ([CustomerUsage]) async throws -> Void
    ) async throws {
        let metrics = query.metrics.count
        try await clickHouse.forEachBatch(query.byCustomer(customer)) { rows in
            try await body(rows.map { try CustomerUsage($0, metrics: metrics) })
        }
    }

    package func figures(_ query: PeriodUsageQuery) async throws -> UsageFigures {
        guard let row = try await clickHouse.rows(query.figures()).first else {
            preconditionFailure("an aggregate answers one row")
        }
        var figures = UsageFigures()
        figures.events = try row.int64("events")
        figures.duplicates = try row.int64("duplicates")
        figures.conflicts = try row.int64("conflicts")
        figures.quarantined = try row.int64("quarantined")
        return figures
    }

    package func forEachConflict(
        _ query: PeriodUsageQuery, customer: String?,
        _ body: ([ConflictingEvent]) async throws -> Void
    ) async throws {
        try await clickHouse.forEachBatch(query.conflicts(of: customer)) { rows in
            try await body(rows.map(ConflictingEvent.init))
        }
    }

    package func forEachQuarantined(
        _ query: PeriodUsageQuery, customer: String?,
        _ body: ([QuarantinedEvent]) async throws -> Void
    ) async throws {
        try await clickHouse.forEachBatch(query.quarantined(of: customer)) { rows in
            try await body(rows.map(QuarantinedEvent.init))
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

/// A row that cannot be billed as it is.
package struct QuarantinedEvent: Sendable {
    package let customerID: String
    package let transactionID: String
    package let content: EventContent
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
