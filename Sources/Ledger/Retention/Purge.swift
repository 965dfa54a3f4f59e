package import Postgres

/// Deletes what has served its time, a few rows at a time; adds up what monitoring would count again and again.
///
/// Invoices, their lines and journals, requests, balances, dead letters and whatever waits for somebody are
/// never touched.
package struct Purge: Sendable {
    /// For how many days what is kept.
    package struct Retention: Sendable {
        /// Stripe may send an event, and lists it, for 30 days.
        package static let fewestWebhookEventDays = 35

        package var webhookEventDays: Int
        package var alertDays: Int
        package var runDays: Int

        package init(webhookEventDays: Int, alertDays: Int, runDays: Int) {
            self.webhookEventDays = webhookEventDays
            self.alertDays = alertDays
            self.runDays = runDays
        }
    }

    private static let batchRows = 5000

    private let retention: Retention
    private let lease: Lease
    private let pool: PostgresPool

    /// - Parameter lease: whoever lost it deletes nothing more.
    package init(retention: Retention, lease: Lease, pool: PostgresPool) {
        self.retention = retention
        self.lease = lease
        self.pool = pool
    }

    /// - Returns: how many rows of which table went, in the order in which they did.
    package func run() async throws -> [(table: String, rows: Int)] {
        let steps: [(table: String, sql: String, days: Int?)] = [
            ("webhook_events", SQL.purgeWebhookEvents, retention.webhookEventDays),
            ("alerts", SQL.purgeAlerts, retention.alertDays),
            ("alert_messages", SQL.purgeAlertMessages, retention.alertDays),
            ("anomalies", SQL.purgeAnomalies, nil),
            ("anomaly_mutes", SQL.purgeAnomalyMutes, nil),
            ("baseline_versions", SQL.purgeBaselineVersions, nil),
            ("job_attempts", SQL.purgeJobAttempts, retention.runDays),
            ("job_slots", SQL.purgeJobSlots, retention.runDays),
        ]
        // Not deleted, but added up.
        try await pool.transaction { [lease] connection in
            try connection.fence(lease)
            try connection.query(SQL.stripeTotalsAdd)
        }
        var purged: [(String, Int)] = []
        for step in steps {
            let parameters: [Int] = (step.days.map { [$0] } ?? []) + [Self.batchRows]
            var rows = 0
            while true {
                try Task.checkCancellation()
                let count = try await pool.transaction { [lease] connection in
                    try connection.fence(lease)
                    return try connection.query(step.sql, parameters).affectedRows
                }
                rows += count
                if count < Self.batchRows { break }
            }
            purged.append((step.table, rows))
        }
        return purged
    }
}
