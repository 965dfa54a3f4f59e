package import Exact
package import Postgres

/// A row of the log that cannot be billed as it is; what is no text is written in hexadecimal.
package struct QuarantinedRow: Sendable, Equatable {
    package let id: String
    package let customerID: String
    package let transactionID: String
    package let eventType: String
    package let timestamp: Instant
    package let ingestedAt: Instant
    package let properties: String
    package let reasons: String
    /// How many such rows there are.
    package let copies: Int64

    package init(
        id: String, customerID: String, transactionID: String, eventType: String,
        timestamp: Instant, ingestedAt: Instant, properties: String, reasons: String, copies: Int64
    ) {
        self.id = id
        self.customerID = customerID
        self.transactionID = transactionID
        self.eventType = eventType
        self.timestamp = timestamp
        self.ingestedAt = ingestedAt
        self.properties = properties
        self.reasons = reasons
        self.copies = copies
    }

    static let columns = """
        generation, batch, quarantine_id, customer_id, transaction_id, event_type, event_at, \
        ingested_at, properties, reasons, copies
        """

    var fields: [String] {
        [
            id, customerID, transactionID, eventType, "\(timestamp)", "\(ingestedAt)", properties,
            reasons, String(copies),
        ]
    }
}

/// The rows of a period that wait for a person.
package struct QuarantineStore: Sendable {
    private let pool: PostgresPool
    private let sealed: SealedUsage

    package init(pool: PostgresPool, sealed: SealedUsage) {
        self.pool = pool
        self.sealed = sealed
    }

    package func count(_ period: Range<Instant>) async throws -> Int64 {
        let rows = try await pool.query(SQL.quarantineCount, parameters(period)).rows
        return try rows.first?.decode("copies") ?? 0
    }

    /// Who has such rows.
    package func customers(
        _ period: Range<Instant>, customer: String? = nil
    ) async throws -> Set<String> {
        let rows = try await pool.query(
            SQL.quarantineCustomers, parameters(period) + [customer]
        ).rows
        return Set(try rows.map { try $0.decode("customer_id") })
    }

    /// Hands over the rows in order of time; memory stays flat.
    package func forEach(
        _ period: Range<Instant>, customer: String?,
        _ body: ([QuarantinedRow]) async throws -> Void
    ) async throws {
        try await pool.withConnection { connection in
            try await connection.query("BEGIN READ ONLY")
            try await connection.query(
                "DECLARE quarantined NO SCROLL CURSOR FOR \(SQL.quarantineList)",
                parameters(period) + [customer])
            while true {
                let rows = try await connection.query("FETCH FORWARD 1000 FROM quarantined").rows
                guard !rows.isEmpty else { break }
                try await body(rows.map(QuarantinedRow.init))
            }
            try await connection.query("COMMIT")
        }
    }

    /// Takes rows off the list: they were mended at their source, or nothing is to be done.
    ///
    /// - Parameters:
    ///   - ids: these; `nil`: all of the period and customer.
    ///   - batch: only what was sealed up to it, as somebody saw it.
    ///   - person: whose word it is.
    /// - Returns: how many rows of the log that were.
    package func release(
        _ period: Range<Instant>, customer: String?, ids: [String]?, through batch: Int64?,
        by person: String, reason: String
    ) async throws -> Int64 {
        try await pool.query(
            SQL.quarantineRelease,
            parameters(period, through: batch) + [customer, ids, person, reason]
        ).rows.reduce(0) { $0 + (try $1.decode("copies", as: Int64.self)) }
    }

    private func parameters(
        _ period: Range<Instant>, through batch: Int64? = nil
    ) -> [(any PostgresEncodable)?] {
        [
            sealed.generation, min(batch ?? sealed.cutoff, sealed.cutoff),
            period.lowerBound.milliseconds, period.upperBound.milliseconds,
        ]
    }
}

extension QuarantinedRow {
    fileprivate init(_ row: PostgresRow) throws {
        id = try row.decode("quarantine_id")
        customerID = try row.decode("customer_id")
        transactionID = try row.decode("transaction_id")
        eventType = try row.decode("event_type")
        timestamp = Instant(milliseconds: try row.decode("event_ms"))
        ingestedAt = Instant(milliseconds: try row.decode("ingested_ms"))
        properties = try row.decode("properties")
        reasons = try row.decode("reasons")
        copies = try row.decode("copies")
    }
}
