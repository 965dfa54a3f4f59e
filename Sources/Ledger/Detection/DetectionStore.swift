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
        try await pool.query(
            SQL.anomaliesSince, [series.customers, series.metricKeys, "\(series.since)"]
        ).rows.first?.decode("first_hour")
    }

    /// What a person said of a series' days, as whole days since 1970.
    package struct Review: Sendable {
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
        /// Hours since 1970.
        package let hours: ClosedRange<Int64>
    }

    /// Those that touch hours since a day before one.
    package func fleetEpisodes(since hour: Instant) async throws -> [FleetEpisode] {
        try await pool.query(SQL.fleetEpisodes, ["\(hour)"]).rows.map { row in
            let direction: String = try row.decode("direction")
            return FleetEpisode(
                metricKey: try row.decode("metric_key"), isUp: direction == "up",
                hours: try row.decode("first_hour")...row.decode("last_hour"))
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
        /// By customer and key of the metric, in step; nil: all series.
        package let customers: [String]?
        package let metricKeys: [String]?
        package let since: Instant

        package init(customers: [String]?, metricKeys: [String]?, since: Instant) {
            (self.customers, self.metricKeys, self.since) = (customers, metricKeys, since)
        }
    }

    /// The outcome of a transaction, counted.
    package struct Outcome: Sendable, Equatable {
        package var new = 0
        package var changed = 0
        package var recovered = 0
        package var withdrawn = 0
        package var alerts = 0

        package init() {}
    }

    /// The slot that found them, which names the digest.
    package let name: String
    /// The hour after the last one that was judged.
    package let judgedThrough: Instant
    /// A JSON array; see sql/postgres/detection/anomalies_stage.sql for its members.
    package var episodes = "[]"
    /// nil: `episodes` are further hours of episodes.
    package var rejudged: Rejudged?
    package var alertBudget: Int
    package var keptDays: Int

    package init(name: String, judgedThrough: Instant, alertBudget: Int, keptDays: Int) {
        (self.name, self.judgedThrough) = (name, judgedThrough)
        (self.alertBudget, self.keptDays) = (alertBudget, keptDays)
    }
}

extension PostgresConnection {
    /// Within a transaction: takes what was found into the anomalies, and alerts of what is new.
    func take(_ findings: AnomalyFindings) throws -> AnomalyFindings.Outcome {
        var outcome = AnomalyFindings.Outcome()
        let through = "\(findings.judgedThrough)"
        try query(SQL.anomaliesStaged)
        try query(SQL.anomaliesStage, [findings.episodes, findings.keptDays, through])
        var over: [PostgresRow] = []
        if let rejudged = findings.rejudged {
            let withdrawn = try query(
                SQL.anomaliesWithdraw,
                [rejudged.customers, rejudged.metricKeys, "\(rejudged.since)"]
            ).rows
            outcome.withdrawn = withdrawn.count
            over += withdrawn
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
        let taken = try query(
            findings.rejudged == nil ? SQL.anomaliesExtend : SQL.anomaliesReplace
        ).rows
        var new: [String] = []
        for row in taken where try row.decode("is_new") { new.append(try row.decode("anomaly_id")) }
        outcome.new = new.count
        outcome.changed = taken.count - new.count
        outcome.alerts = try alert(of: new, findings)
        return outcome
    }

    /// The most important by themselves, the rest in one digest.
    private func alert(of anomalies: [String], _ findings: AnomalyFindings) throws -> Int {
        let rows = try query(SQL.anomaliesNew, [anomalies]).rows
        var alerts = try rows.prefix(findings.alertBudget).map { row in
            Alert(
                key: "anomaly_\(try row.decode("anomaly_id", as: String.self))", kind: "anomaly",
                severity: try row.decode("severity") == "critical" ? .critical : .warning,
                subject: try row.decode("subject"), body: try row.decode("body"))
        }
        let rest = rows.count - alerts.count
        if rest > 0 {
            alerts.append(
                Alert(
                    key: "anomalies_\(findings.name)", kind: "anomalies", severity: .warning,
                    subject: "\(rest) more anomalies in \(findings.name)",
                    body: """
                        {"anomalies":\(rest),"slot":"\(findings.name)",\
                        "recommended_action":"jobs anomalies list --status open"}
                        """))
        }
        for alert in alerts { try AlertStore.raise(alert, on: self) }
        return alerts.count
    }
}
