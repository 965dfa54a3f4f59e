/// Why usage cannot be read or sealed.
package struct UsageError: Error, Sendable, CustomStringConvertible {
    /// Whether that may pass: else the settings or the tables must change.
    package let isUnavailable: Bool
    package let description: String

    static func notSealed(_ metrics: [String]) -> Self {
        Self(
            isUnavailable: false,
            description: """
                \(metrics.joined(separator: ", ")): not added up yet, since the catalog is newer than the \
                last sealed batch; run: jobs run seal-usage
                """)
    }
}
