package import Exact
package import Postgres

/// Which anomalies are meant; nil: any.
package struct AnomalyFilter: Sendable {
    package var ids: [String]?
    package var customerID: String?
    package var metric: String?
    package var period: Range<Instant>?
    package var statuses: [Anomaly.Status]?
    /// Beside `statuses`: those that are over by themselves, and of which nobody has spoken.
    package var includesRecovered = false
    package var kind: String?
    /// Those with hours from then on.
    package var since: Instant?

    package init() {}

    var parameters: [(any PostgresEncodable)?] {
        [
            ids, customerID, metric, period.map { "\($0.lowerBound)" },
            period.map { "\($0.upperBound)" }, statuses.map { $0.map(\.rawValue) }, kind,
            since.map { "\($0)" }, includesRecovered,
        ]
    }
}

/// Anomalies, and what people say about them.
package struct AnomalyStore: Sendable {
    /// A person's word.
    package enum Review: String, Sendable {
        /// It is real.
        case acknowledged
        /// It was real, and is dealt with.
        case resolved
        /// It is none.
        case dismissed
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// In order of time; memory stays flat.
    package func forEachBatch(
        _ filter: AnomalyFilter, _ body: @escaping @Sendable ([Anomaly]) throws -> Void
    ) async throws {
        try await pool.withConnection { connection in
            try await connection.forEachBatch(
                SQL.anomalyList, filter.parameters, batchSize: 1000
            ) { rows in try body(rows.map(Anomaly.init)) }
        }
    }

    /// A few that are named.
    ///
    /// - Throws: `LedgerError` (notFound), naming the first that is not there.
    package func anomalies(_ ids: [String]) async throws -> [Anomaly] {
        var filter = AnomalyFilter()
        filter.ids = ids
        let found = try await pool.query(SQL.anomalyList, filter.parameters).rows
            .map(Anomaly.init)
        if let missing = ids.first(where: { id in !found.contains { $0.id == id } }) {
            throw LedgerError(
                code: .notFound,
                description: "there is no anomaly \(missing); jobs anomalies list shows them")
        }
        return found
    }

    package func ids(_ filter: AnomalyFilter) async throws -> [String] {
        try await pool.query(SQL.anomalyList, filter.parameters).rows.map {
            try $0.decode("anomaly_id")
        }
    }

    /// The newest first, before an earlier one.
    package func newest(
        status: Anomaly.Status?, before: (lastHour: Instant, id: String)?, limit: Int
    ) async throws -> [Anomaly] {
        let from = before ?? (Instant(milliseconds: 253_402_300_799_000), "")
        let ids: [String] = try await pool.query(
            SQL.anomalyIndex, [status?.rawValue, from.0.milliseconds, from.1, limit]
        ).rows.map { try $0.decode("anomaly_id") }
        let found = Dictionary(
            uniqueKeysWithValues: try await anomalies(ids).map { ($0.id, $0) })
        return ids.compactMap { found[$0] }
    }

    package func notes(of id: String) async throws -> [AnomalyNote] {
        try await pool.query(SQL.anomalyNotes, [id]).rows.map { row in
            AnomalyNote(
                event: try row.decode("event"), by: try row.decode("by"),
                note: try row.decode("note"),
                recordedAt: Instant(milliseconds: try row.decode("recorded_ms")))
        }
    }

    /// - Returns: those that were reviewed; what late data has withdrawn is left out.
    package func review(
        _ ids: [String], _ review: Review, by person: String, note: String?
    ) async throws -> [String] {
        try await pool.transaction { connection in
            let reviewed: [String] = try connection.query(
                SQL.anomalyReview, [ids, review.rawValue, person, note]
            ).rows.map { try $0.decode("anomaly_id") }
            for id in reviewed {
                switch review {
                case .acknowledged:
                    try AlertStore.acknowledge(key: "anomaly_\(id)", by: person, on: connection)
                case .resolved, .dismissed:
                    try AlertStore.resolve(key: "anomaly_\(id)", on: connection)
                }
            }
            return reviewed
        }
    }

    // MARK: Mutes

    package func mute(
        customerID: String?, metric: String?, _ period: Range<Instant>, by person: String,
        reason: String
    ) async throws -> Int64 {
        let rows = try await pool.query(
            SQL.muteAdd,
            [
                customerID, metric, "\(period.lowerBound)", "\(period.upperBound)", person,
                reason,
            ]
        ).rows
        return try rows[0].decode("mute_id")
    }

    /// Whether anything is known of a customer: terms, or an anomaly.
    package func isKnown(customerID: String) async throws -> Bool {
        try await !pool.query(SQL.muteCustomer, [customerID]).rows.isEmpty
    }

    /// Those that have not ended.
    package func mutes() async throws -> [AnomalyMute] {
        try await pool.query(SQL.muteList).rows.map { row in
            AnomalyMute(
                id: try row.decode("mute_id"), customerID: try row.decode("customer_id"),
                metric: try row.decode("metric"),
                starts: Instant(milliseconds: try row.decode("starts_ms")),
                ends: Instant(milliseconds: try row.decode("ends_ms")),
                by: try row.decode("by"), reason: try row.decode("reason"))
        }
    }

    /// - Returns: false if there is no such mute that has not ended.
    package func unmute(_ id: Int64) async throws -> Bool {
        try await !pool.query(SQL.muteEnd, [id]).rows.isEmpty
    }
}
