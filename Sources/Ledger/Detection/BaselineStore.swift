package import Exact
package import Postgres

/// A version of the weekdays' baselines; its rows are in ClickHouse.
package struct BaselineVersion: Sendable, Equatable {
    package let version: Int64
    package let slot: String
    package let firstDay: String
    package let lastDay: String
    /// `active`, `retired` or `refused`.
    package let state: String
    package let baselines: Int64
    package let drifted: Int64
    package let createdAt: Instant
    package let promotedAt: Instant?
    package let promotedBy: String?
    package let expiresAt: Instant
    /// Too old to judge by.
    package let isExpired: Bool
}

/// Which drifted baselines a person has approved.
package struct BaselineApprovals: Sendable {
    package var all = false
    package var customers: [String] = []

    package init(all: Bool = false) { self.all = all }
}

/// Versions of baselines: which one is judged by, and who said so.
package struct BaselineStore: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// The newest first.
    package func versions() async throws -> [BaselineVersion] {
        try await pool.query(SQL.baselineVersions).rows.map { row in
            BaselineVersion(
                version: try row.decode("version"), slot: try row.decode("slot"),
                firstDay: try row.decode("first_day"), lastDay: try row.decode("last_day"),
                state: try row.decode("state"), baselines: try row.decode("baselines"),
                drifted: try row.decode("drifted"),
                createdAt: Instant(milliseconds: try row.decode("created_ms")),
                promotedAt: try row.decode("promoted_ms", as: Int64?.self).map(
                    Instant.init(milliseconds:)),
                promotedBy: try row.decode("promoted_by"),
                expiresAt: Instant(milliseconds: try row.decode("expires_ms")),
                isExpired: try row.decode("is_expired"))
        }
    }

    package func approvals(of version: Int64) async throws -> BaselineApprovals {
        var approvals = BaselineApprovals()
        for row in try await pool.query(SQL.baselineApproved, [version]).rows {
            if let customer = try row.decode("customer_id", as: String?.self) {
                approvals.customers.append(customer)
            } else {
                approvals.all = true
            }
        }
        return approvals
    }

    /// - Parameter customers: nil: all.
    package func approve(
        _ version: Int64, customers: [String]?, by person: String, reason: String
    ) async throws {
        _ = try await pool.query(SQL.baselineApprove, [version, customers, person, reason])
    }

    /// Makes a version known.
    ///
    /// - Parameter isPromoted: whether it is judged by from now on; else a person has to look first.
    package func add(
        _ version: Int64, slot: String, days: ClosedRange<CivilDate>, baselines: Int64,
        drifted: Int64, isPromoted: Bool, _ lease: Lease
    ) async throws {
        try await pool.transaction { connection in
            try connection.mark(lease)
            try connection.query(
                SQL.baselineAdd,
                [version, slot, "\(days.lowerBound)", "\(days.upperBound)", baselines, drifted])
            if isPromoted {
                try connection.query(SQL.baselineRetire)
                try connection.query(SQL.baselinePromote, [version, "detection"])
            }
            try connection.fenceCommit(lease)
        }
    }

    /// From now on judges by a version, be it an older one.
    ///
    /// - Throws: `LedgerError` (notFound).
    package func promote(_ version: Int64, by person: String) async throws {
        try await pool.transaction { connection in
            try connection.query(SQL.baselineRetire)
            guard try !connection.query(SQL.baselinePromote, [version, person]).rows.isEmpty else {
                throw LedgerError(
                    code: .notFound,
                    description:
                        "there is no version \(version) of the baselines; jobs detect baselines list shows them"
                )
            }
        }
    }

    /// Days on which something was unusual, as whole days since 1970; nil: of the whole fleet.
    package struct Flagged: Sendable {
        package let customerID: String?
        package let days: ClosedRange<Int>
        /// By its volume, not (only) by its pattern.
        package let isVolume: Bool
    }

    package func flagged(
        metricKey: String, _ period: Range<Instant>
    ) async throws -> [Flagged] {
        try await pool.query(
            SQL.flaggedDays, ["\(period.lowerBound)", "\(period.upperBound)", metricKey]
        ).rows.map { row in
            Flagged(
                customerID: try row.decode("customer_id"),
                days: try row.decode("first_day")...row.decode("last_day"),
                isVolume: try row.decode("is_volume"))
        }
    }

    /// An unusual day that the daily check found, or several in a row.
    package struct DayEpisode: Sendable {
        /// Empty: the fleet.
        package let customerID: String
        package let metricKey: String
        /// By its volume alone.
        package let isVolume: Bool
        package let isUp: Bool
        /// Hours since 1970.
        package let firstHour: Int64

        package init(
            customerID: String, metricKey: String, isVolume: Bool, isUp: Bool, firstHour: Int64
        ) {
            (self.customerID, self.metricKey) = (customerID, metricKey)
            (self.isVolume, self.isUp, self.firstHour) = (isVolume, isUp, firstHour)
        }
    }

    /// Those of a day and of the day before.
    package func dayEpisodes(_ day: Instant) async throws -> [DayEpisode] {
        try await pool.query(SQL.dayEpisodes, ["\(day)"]).rows.map { row in
            DayEpisode(
                customerID: try row.decode("customer_id"),
                metricKey: try row.decode("metric_key"), isVolume: try row.decode("is_volume"),
                isUp: try row.decode("is_up"), firstHour: try row.decode("first_hour"))
        }
    }

    /// A day that was checked, in days since 1970, and up to which batch usage was known.
    package struct CheckedDay: Sendable {
        package let day: Int
        package let generation: Int
        package let cutoff: Int64
    }

    /// The latest first.
    package func checkedDays(since day: Int) async throws -> [CheckedDay] {
        try await pool.query(SQL.checkedDays, [day]).rows.map { row in
            CheckedDay(
                day: try row.decode("day"), generation: try row.decode("generation"),
                cutoff: try row.decode("cutoff_batch"))
        }
    }

    /// Records what a check of a day came to, in one transaction under the lease.
    package func record(
        _ findings: AnomalyFindings, _ joins: PatternJoins, _ check: DayCheck, _ lease: Lease
    ) async throws -> AnomalyFindings.Outcome {
        try await pool.transaction { connection in
            try connection.mark(lease)
            var outcome = try connection.take(findings)
            let (first, end) = ("\(check.hours.lowerBound)", "\(check.hours.upperBound)")
            let withdrawn = try connection.query(
                SQL.daysWithdraw,
                [first, end, check.metricKeys, check.customers, check.customerMetricKeys]
            ).rows
            let replaced = try connection.query(SQL.daysReplace).rows
            let joined = try connection.query(
                SQL.anomaliesJoin,
                [
                    joins.customers, joins.metricKeys, first, end, joins.kinds, joins.actions,
                    joins.similarities, findings.actions,
                ]
            ).rows
            outcome.withdrawn += withdrawn.count
            outcome.changed += replaced.count + joined.count
            try connection.tell(of: withdrawn + replaced + joined, findings, &outcome)
            try connection.query(
                SQL.checkedDayAdd, [check.day, check.generation, check.cutoff, check.oldestDay])
            try connection.fenceCommit(lease)
            return outcome
        }
    }
}

/// What a check of a day was about.
package struct DayCheck: Sendable {
    /// Days since 1970.
    package var day: Int
    package var hours: Range<Instant>
    /// Up to which batch usage was known.
    package var generation: Int
    package var cutoff: Int64
    /// Days before it are not checked again.
    package var oldestDay: Int
    /// Of metrics all of whose series were checked.
    package var metricKeys: [String] = []
    /// Other series that were, in step.
    package var customers: [String] = []
    package var customerMetricKeys: [String] = []

    package init(
        day: Int, hours: Range<Instant>, generation: Int, cutoff: Int64, oldestDay: Int
    ) {
        (self.day, self.hours, self.oldestDay) = (day, hours, oldestDay)
        (self.generation, self.cutoff) = (generation, cutoff)
    }
}

/// What the check of a day says of series whose hours are on record as unusual; in step.
package struct PatternJoins: Sendable {
    package var customers: [String] = []
    package var metricKeys: [String] = []
    /// `volume`, `pattern` or `both`.
    package var kinds: [String] = []
    package var actions: [String] = []
    package var similarities: [String] = []

    package init() {}
}
