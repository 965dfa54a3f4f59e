package import Exact
package import Postgres

/// Which states of series count, and how far they have come.
///
/// Rows of states lie in ClickHouse under a version; they count once that version is recorded here, in
/// the transaction that records what was found, under the lease.
package struct DetectionStore: Sendable {
    /// The lease of whoever moves the states on.
    package static let leaseName = "detection"

    /// A position at which states are kept.
    package struct Position: Sendable, Equatable {
        package let number: Int64
        /// Those that hold there; of several the latest counts for a series.
        package let versions: [Int64]
        /// What of usage is in the states.
        package let generation: Int
        package let cutoff: Int64
        package let activeSeries: Int64
    }

    /// What a pass over the fleet came to.
    package struct Record: Sendable {
        package var positions: [Int64]
        package var version: Int64
        package var generation: Int
        package var cutoff: Int64
        package var activeSeries: Int64
        /// Nothing else is kept before the last position than refreshed ones from this one on.
        package var oldestSnapshot: Int64
        package var missingHours: [Int64] = []
        package var presentHours: [Int64] = []
        /// All that was kept before is void: the states begin anew.
        package var isFirst = false

        package init(
            positions: [Int64], version: Int64, generation: Int, cutoff: Int64,
            activeSeries: Int64, oldestSnapshot: Int64
        ) {
            (self.positions, self.version, self.generation) = (positions, version, generation)
            (self.cutoff, self.activeSeries) = (cutoff, activeSeries)
            self.oldestSnapshot = oldestSnapshot
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// All positions that are kept, the last first: that is where the next run goes on.
    package func positions() async throws -> [Position] {
        try await pool.query(SQL.detectionHead).rows.map { row in
            let versions: String = try row.decode("versions")
            return Position(
                number: try row.decode("position"),
                versions: versions.split(separator: ",").compactMap { Int64($0) },
                generation: try row.decode("generation"), cutoff: try row.decode("cutoff_batch"),
                activeSeries: try row.decode("active_series"))
        }
    }

    package func newVersion() async throws -> Int64 {
        let rows = try await pool.query(SQL.detectionVersion).rows
        return try rows[0].decode("version")
    }

    /// Hours since 1970 in which the whole fleet was silent.
    package func missingHours(since hour: Int64) async throws -> [Int64] {
        try await pool.query(SQL.missingHours, [hour]).rows.map { try $0.decode("hour_index") }
    }

    /// When the first of the episodes began that these series had since an hour.
    package func episodesBegan(_ series: AnomalyFindings.Rejudged) async throws -> Int64? {
        try await pool.query(SQL.anomaliesSince, series.parameters).rows.first?.decode("first_hour")
    }

    /// Customers whose hours of a metric are on record as unusual since a day before an hour.
    package func ownEpisodes(metricKey: String, since hour: Instant) async throws -> Set<String> {
        Set(
            try await pool.query(SQL.anomaliesOwn, [metricKey, "\(hour)"]).rows.map {
                try $0.decode("customer_id")
            })
    }

    /// What a person said of a series' days, as whole days since 1970.
    package struct Review: Sendable {
        /// Empty: of the whole fleet's.
        package let customerID: String
        package let metricKey: String
        package let days: ClosedRange<Int>
        /// It was unusual; else it was dismissed.
        package let isConfirmed: Bool
    }

    package func reviews(since hour: Instant) async throws -> [Review] {
        try await pool.query(SQL.reviewedDays, ["\(hour)"]).rows.map { row in
            Review(
                customerID: try row.decode("customer_id"),
                metricKey: try row.decode("metric_key"),
                days: try row.decode("first_day")...row.decode("last_day"),
                isConfirmed: try row.decode("is_confirmed"))
        }
    }

    /// A shift of many series at once.
    package struct FleetEpisode: Sendable {
        package let metricKey: String
        package let isUp: Bool
        /// How many series at its worst.
        package let series: Int
        /// Hours since 1970.
        package let hours: ClosedRange<Int64>
        /// Those in which many series began to be unusual.
        package let onsets: [Int64]
    }

    /// Those that touch hours since a day before one.
    package func fleetEpisodes(since hour: Instant) async throws -> [FleetEpisode] {
        try await pool.query(SQL.fleetEpisodes, ["\(hour)"]).rows.map { row in
            let direction: String = try row.decode("direction")
            let onsets: String = try row.decode("onset_hours")
            return FleetEpisode(
                metricKey: try row.decode("metric_key"), isUp: direction == "up",
                series: try row.decode("series"),
                hours: try row.decode("first_hour")...row.decode("last_hour"),
                onsets: onsets.split(separator: ",").compactMap { Int64($0) })
        }
    }

    /// Makes a version count, with what was found, in one transaction.
    ///
    /// - Throws: `LedgerError` (leaseLost): then nothing of it counts.
    package func record(
        _ record: Record, _ findings: AnomalyFindings, _ lease: Lease
    ) async throws -> AnomalyFindings.Outcome {
        try await pool.transaction { connection in
            try connection.mark(lease)
            if record.isFirst { try connection.query(SQL.detectionForgetAll) }
            try connection.query(
                SQL.detectionRecord,
                [
                    record.positions, record.version, record.generation, record.cutoff,
                    record.activeSeries,
                ])
            if let last = record.positions.max() {
                try connection.query(SQL.detectionForget, [last, record.oldestSnapshot])
            }
            try connection.query(SQL.missingHoursAdd, [record.missingHours])
            try connection.query(SQL.missingHoursRemove, [record.presentHours])
            let outcome = try connection.take(findings)
            try connection.fenceCommit(lease)
            return outcome
        }
    }
}

/// What a run found, to be laid beside what is known.
package struct AnomalyFindings: Sendable {
    /// Series that were judged anew, whose episodes are given whole.
    package struct Rejudged: Sendable {
        /// By customer and key of the metric, in step.
        package let customers: [String]
        package let metricKeys: [String]
        /// Keys of metrics all of whose series were, and the fleet's shifts.
        package let wholeMetrics: [String]
        package let since: Instant

        package init(
            customers: [String], metricKeys: [String], wholeMetrics: [String], since: Instant
        ) {
            (self.customers, self.metricKeys) = (customers, metricKeys)
            (self.wholeMetrics, self.since) = (wholeMetrics, since)
        }

        var parameters: [(any PostgresEncodable)?] {
            [customers, metricKeys, "\(since)", wholeMetrics]
        }
    }

    /// The outcome of a transaction, counted.
    package struct Outcome: Sendable, Equatable {
        package var new = 0
        package var changed = 0
        package var recovered = 0
        package var withdrawn = 0
        /// Those that were told of by themselves.
        package var told = 0
        package var alerts = 0

        package init() {}
    }

    /// The slot that found them, which names the digest.
    package let name: String
    /// The hour after the last one that was judged.
    package let judgedThrough: Instant
    /// A JSON array; see sql/postgres/detection/anomalies_stage.sql for its members.
    package var episodes = "[]"
    /// What to do about hours, by kind and direction: a JSON object.
    package var actions = "{}"
    /// nil: `episodes` are further hours of episodes.
    package var rejudged: Rejudged?
    /// So many of them are told of by themselves.
    package var alertBudget: Int
    package var keptDays: Int

    package init(name: String, judgedThrough: Instant, alertBudget: Int, keptDays: Int) {
        (self.name, self.judgedThrough) = (name, judgedThrough)
        (self.alertBudget, self.keptDays) = (alertBudget, keptDays)
    }
}

extension PostgresConnection {
    /// Within a transaction: takes what was found into the anomalies, and tells what there is to tell.
    func take(_ findings: AnomalyFindings) throws -> AnomalyFindings.Outcome {
        var outcome = AnomalyFindings.Outcome()
        let through = "\(findings.judgedThrough)"
        let isRejudged = findings.rejudged != nil
        try query(SQL.anomaliesStaged)
        try query(SQL.anomaliesStage, [findings.episodes, findings.keptDays, through])
        try query(SQL.anomaliesIdentify, [isRejudged])
        var over: [PostgresRow] = []
        if let rejudged = findings.rejudged {
            let withdrawn = try query(SQL.anomaliesWithdraw, rejudged.parameters).rows
            outcome.withdrawn = withdrawn.count
            over += withdrawn
        } else {
            try query(SQL.anomaliesExtend)
            try query(SQL.anomaliesDirect, [findings.actions])
        }
        let recovered = try query(SQL.anomaliesRecover, [through]).rows
        outcome.recovered = recovered.count
        over += recovered
        let joined = try query(SQL.anomaliesJoinDays).rows
        outcome.withdrawn += joined.count
        over += joined
        over += try query(SQL.anomaliesClash).rows
        for row in over {
            try AlertStore.resolve(
                key: "anomaly_\(row.decode("anomaly_id", as: String.self))", on: self)
        }
        let taken = try query(SQL.anomaliesTake, [isRejudged]).rows
        for row in taken where try row.decode("is_new") { outcome.new += 1 }
        outcome.changed = taken.count - outcome.new
        try tell(of: taken, findings, &outcome)
        return outcome
    }

    /// Tells what there is to tell of anomalies: the most important by themselves, the rest in one digest.
    /// What is over is told, too, and that it is.
    ///
    /// - Parameter outcome: of the transaction so far.
    func tell(
        of anomalies: [PostgresRow], _ findings: AnomalyFindings,
        _ outcome: inout AnomalyFindings.Outcome
    ) throws {
        let ids: [String] = try anomalies.map { try $0.decode("anomaly_id") }
        let untold = try query(SQL.anomaliesUntold, [ids]).rows
        let room = max(0, findings.alertBudget - outcome.told)
        var alerts = try untold.prefix(room).map { row in
            Alert(
                key: "anomaly_\(try row.decode("anomaly_id", as: String.self))", kind: "anomaly",
                severity: try row.decode("severity") == "critical" ? .critical : .warning,
                subject: try row.decode("subject"), body: try row.decode("body"))
        }
        outcome.told += alerts.count
        let told: [String] = try untold.map { try $0.decode("anomaly_id") }
        try query(SQL.anomaliesTold, [Array(told.prefix(room)), nil as String?])
        if told.count > room {
            alerts.append(try digest(Array(told.dropFirst(room)), findings.name))
        }
        for alert in alerts {
            // What was told before is told again.
            try AlertStore.resolve(key: alert.key, on: self)
            try AlertStore.raise(alert, on: self)
        }
        outcome.alerts += alerts.count
        for row in try query(SQL.anomaliesOver, [ids]).rows {
            try AlertStore.resolve(key: row.decode("key"), on: self)
        }
    }

    /// A run has one digest, which says how many there are in it by now.
    private func digest(_ anomalies: [String], _ name: String) throws -> Alert {
        let key = "anomalies_\(name)"
        try query(SQL.anomaliesTold, [anomalies, key])
        let rows = try query(SQL.anomaliesDigested, [key]).rows
        let count: Int = try rows[0].decode("anomalies")
        return Alert(
            key: key, kind: "anomalies", severity: .warning,
            subject: "more anomalies in \(name)",
            body: """
                {"anomalies":\(count),"slot":"\(name)",\
                "recommended_action":"jobs anomalies list --status open"}
                """)
    }
}
