package import ClickHouse
package import Exact
package import Ledger
package import Postgres
package import Usage

/// A series around an anomaly, for people: what was seen, and what was expected.
package struct SeriesView: Sendable {
    package struct Point: Sendable {
        package let hour: Hour
        package let observed: Double?
        package let expected: ClosedRange<Double>?
        package let score: Double
        /// It reaches the threshold.
        package let isFlagged: Bool
    }

    package let points: [Point]
    /// The shares of the peak's day in its hours, and its weekday's; empty without a baseline.
    package let dayShape: [Double]
    package let weekdayShape: [Double]

    /// How many days before the anomaly are shown, and hours after it.
    private static let (daysBefore, hoursAfter) = (3, 24)

    /// Judges the hours around an anomaly again, from the record.
    ///
    /// - Returns: nil for the fleet, or if its metric is not sealed any more.
    package static func of(
        _ anomaly: Anomaly, clickHouse: ClickHouseClient, pool: PostgresPool, metrics: [Metric],
        policy: DetectionPolicy
    ) async throws -> SeriesView? {
        let sealed = try await BatchStore(pool: pool).sealed()
        guard let customer = anomaly.customerID,
            let metric = DetectedMetric.all(metrics, sealed).first(where: {
                $0.key == anomaly.metricKey
            })
        else { return nil }
        let usage = UsageHours(clickHouse: clickHouse, sealed: sealed)
        let peak = Hour(anomaly.peakHour)
        let from = StatePosition(next: Hour((Hour(anomaly.firstHour).day - daysBefore) * 24))
        let to = StatePosition(next: Hour(anomaly.lastHour) + 1 + hoursAfter)
        let range = CustomerRange(from: customer, to: customer + "\0")
        let rows =
            try await usage.read(
                metric, range, SeriesReplay.window(from: from, to: to)
            ).first?.rows ?? []
        let store = DetectionStore(pool: pool)
        let missing = try await store.missingHours(
            since: Int64((from.nextHour + -SeriesReplay.rowHours).index))
        // What lies behind the states is not known to be complete.
        let end = try await store.positions().first.map { min(to, $0.position) } ?? to
        var points: [Point] = []
        var series: TrackedSeries?
        let replay = SeriesReplay(
            policy.detector, totalDays: policy.totalDays,
            missingHours: Set(missing.map { Hour(Int($0)) }))
        if from < end {
            let reviewed = try await reviewed(
                metric, customer, since: SeriesReplay.window(from: from, to: to).lowerBound, store)
            replay.advance(&series, rows: rows, from: from, to: end, reviewed: reviewed) {
                judgement in
                points.append(
                    Point(
                        hour: judgement.hour, observed: judgement.observed,
                        expected: judgement.expectedRange, score: judgement.score,
                        isFlagged: judgement.severity == .critical))
            }
        }
        let shapes = try await shapes(of: peak, rows, metric, range, clickHouse, pool)
        return SeriesView(points: points, dayShape: shapes.day, weekdayShape: shapes.weekday)
    }

    private static func reviewed(
        _ metric: DetectedMetric, _ customer: String, since hour: Hour, _ store: DetectionStore
    ) async throws -> ReviewedDays {
        var days = ReviewedDays()
        for review in try await store.reviews(since: hour.instant)
        where [customer, ""].contains(review.customerID) && review.metricKey == metric.key {
            days.add(review)
        }
        return days
    }

    private static func shapes(
        of hour: Hour, _ rows: ArraySlice<UsageRow>, _ metric: DetectedMetric,
        _ range: CustomerRange,
        _ clickHouse: ClickHouseClient, _ pool: PostgresPool
    ) async throws -> (day: [Double], weekday: [Double]) {
        let store = BaselineStore(pool: pool)
        guard let version = try await store.versions().first(where: { $0.state == "active" }) else {
            return ([], [])
        }
        let table = BaselineTable(clickHouse: clickHouse)
        let baselines = try await table.read(
            version.version, store.approvals(of: version.version), metric, range,
            weekdays: [hour.weekday])
        guard let weekday = baselines.first?.weekdays.first else { return ([], []) }
        var day = [Double](repeating: 0, count: 24)
        for row in rows where row.hour.day == hour.day { day[row.hour.ofDay] = max(0, row.value) }
        return (WeekdayBaseline.normalised(day), weekday.shape)
    }
}

extension ReviewedDays {
    func adding(_ other: Self) -> Self {
        var days = self
        days.dismissed.formUnion(other.dismissed)
        days.confirmed.formUnion(other.confirmed)
        return days
    }

    mutating func add(_ review: DetectionStore.Review) {
        if review.isConfirmed {
            confirmed.formUnion(review.days)
        } else {
            dismissed.formUnion(review.days)
        }
    }
}

extension Hour {
    /// The hour in which an instant lies.
    package init(_ instant: Instant) { self.init(Int(instant.milliseconds / 3_600_000)) }
}
