/// Why usage cannot be read or sealed.
package struct UsageError: Error, Sendable, CustomStringConvertible {
    /// Whether that may pass: else the settings or the tables must change.
    package let isUnavailable: Bool
    package let description: String

    static func lost(known: Int64, found: Int64) -> Self {
        Self(
            isUnavailable: false,
            description: """
                ClickHouse has lost sealed usage: the ledger knows batch \(known), the tables end at \
                \(found); restore them, or seal the log anew: jobs run seal-usage --rebuild \
                --accept-differences
                """)
    }

    static func outOfBalance(_ batch: Int64, _ figures: String) -> Self {
        Self(
            isUnavailable: true,
            description: """
                ClickHouse did not keep what was written for batch \(batch): \(figures). Nothing of it \
                counts. CLICKHOUSE_URL must lead to one server, not to one of several by turns; run again
                """)
    }

    static func notSealed(_ metrics: [String]) -> Self {
        Self(
            isUnavailable: false,
            description: """
                \(metrics.joined(separator: ", ")): not added up yet, since the catalog is newer than the \
                last sealed batch; run: jobs run seal-usage
                """)
    }
}
