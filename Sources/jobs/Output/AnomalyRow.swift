internal import Ledger
internal import Synchronization

/// An anomaly as a row of a list.
enum AnomalyRow {
    static let columns: [Listing.Column] = [
        .init("anomaly_id"), .init("customer_id"), .init("metric"), .init("kind"),
        .init("severity"), .init("status"), .init("first_hour"), .init("last_hour"),
        .init("score"), .init("threshold", isInTable: false), .init("expected"),
        .init("observed"), .init("method", isInTable: false),
        .init("direction", isInTable: false), .init("peak_hour", isInTable: false),
        .init("hours", isInTable: false), .init("excess", isInTable: false),
        .init("similarity", isInTable: false),
        .init("series", isInTable: false), .init("is_confirmed", isInTable: false),
        .init("is_muted", isInTable: false), .init("close_reason", isInTable: false),
        .init("recommended_action", isInTable: false),
    ]

    static func cells(_ anomaly: Anomaly) -> [Cell] {
        [
            .text(anomaly.id), .text(anomaly.customerID), .text(anomaly.metric),
            .text(anomaly.kind), .text(anomaly.severity), .text(anomaly.status),
            .text("\(anomaly.firstHour)"), .text("\(anomaly.lastHour)"),
            .measured(anomaly.score), .measured(anomaly.threshold), .measured(anomaly.expected),
            .measured(anomaly.observed), .text(anomaly.method), .text(anomaly.direction),
            .text("\(anomaly.peakHour)"), .integer(Int64(anomaly.hours)),
            .measured(anomaly.excess), .measured(anomaly.similarity), .integer(anomaly.series),
            .json("\(anomaly.isConfirmed)"), .json("\(anomaly.isMuted)"),
            .text(anomaly.closeReason), .text(anomaly.recommendedAction),
        ]
    }
}

/// A listing that rows reach from elsewhere, one after the other.
final class SharedListing: Sendable {
    private let listing: Mutex<Listing>

    init(_ columns: [Listing.Column], format: ListFormat) {
        listing = Mutex(Listing(columns, format: format))
    }

    func add(_ cells: [Cell]) throws { try listing.withLock { try $0.add(cells) } }
    func finish() throws { try listing.withLock { try $0.finish() } }
    /// How many were added.
    var rows: Int { listing.withLock { $0.rows } }
}
