package import Exact
internal import Postgres

/// Something unusual, as people review it. Measured numbers are texts: nothing is computed from them here.
package struct Anomaly: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case open
        /// A person says that it is real.
        case acknowledged
        case resolved
        /// A person says that it is none.
        case dismissed
        /// Late data showed that there is nothing.
        case withdrawn
    }

    package let id: String
    /// nil: of the fleet.
    package let customerID: String?
    package let metricKey: String
    package let metric: String
    /// `volume`, `pattern`, `both` or `fleet`.
    package let kind: String
    package let severity: String
    /// `up`, `down` or `stopped`.
    package let direction: String
    package let status: String
    package let firstHour: Instant
    package let lastHour: Instant
    package let peakHour: Instant
    package let score: String
    package let threshold: String
    package let tailProbability: String?
    package let expected: String
    package let expectedLow: String?
    package let expectedHigh: String?
    package let observed: String
    package let excess: String
    /// Of a pattern.
    package let similarity: String?
    package let hours: Int
    package let series: Int64?
    package let method: String
    package let part: String?
    package let recommendedAction: String
    package let isConfirmed: Bool
    package let isMuted: Bool
    package let closeReason: String?

    init(_ row: PostgresRow) throws {
        id = try row.decode("anomaly_id")
        customerID = try row.decode("customer_id")
        metricKey = try row.decode("metric_key")
        metric = try row.decode("metric")
        kind = try row.decode("kind")
        severity = try row.decode("severity")
        direction = try row.decode("direction")
        status = try row.decode("status")
        firstHour = Instant(milliseconds: try row.decode("first_ms"))
        lastHour = Instant(milliseconds: try row.decode("last_ms"))
        peakHour = Instant(milliseconds: try row.decode("peak_ms"))
        score = try row.decode("score")
        threshold = try row.decode("threshold")
        tailProbability = try row.decode("tail_probability")
        expected = try row.decode("expected")
        expectedLow = try row.decode("expected_low")
        expectedHigh = try row.decode("expected_high")
        observed = try row.decode("observed")
        excess = try row.decode("excess")
        similarity = try row.decode("similarity")
        hours = try row.decode("hours")
        series = try row.decode("series")
        method = try row.decode("method")
        part = try row.decode("part")
        recommendedAction = try row.decode("recommended_action")
        isConfirmed = try row.decode("is_confirmed")
        isMuted = try row.decode("is_muted")
        closeReason = try row.decode("close_reason")
    }
}

/// What happened to an anomaly.
package struct AnomalyNote: Sendable {
    package let event: String
    package let by: String
    package let note: String?
    package let recordedAt: Instant
}

/// A time in which nobody is alerted.
package struct AnomalyMute: Sendable {
    package let id: Int64
    /// nil: any.
    package let customerID: String?
    package let metric: String?
    package let starts: Instant
    package let ends: Instant
    package let by: String
    package let reason: String
}
