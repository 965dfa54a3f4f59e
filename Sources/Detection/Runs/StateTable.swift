internal import ClickHouse
internal import Ledger
internal import Usage

/// The states of series in ClickHouse.
struct StateTable: Sendable {
    let clickHouse: ClickHouseClient

    struct Row: Sendable {
        let customer: ArraySlice<UInt8>
        let series: TrackedSeries
    }

    /// Where states are, and under which versions.
    typealias Place = DetectionStore.Position

    func create() async throws {
        try await clickHouse.execute(ClickHouseQuery(SQL.statesTable))
    }

    /// The states of a range of customers, in order.
    ///
    /// - Parameter filter: nil: of all of them.
    func read(
        _ place: Place, _ metric: DetectedMetric, _ range: CustomerRange,
        _ filter: SeriesFilter? = nil
    ) async throws -> [Row] {
        let query = ClickHouseQuery(
            (filter ?? .all).text(SQL.statesRead),
            parameters: parameters(place, metric).merging(range.parameters) { $1 }
                .merging((filter ?? .all).parameters(metric)) { $1 })
        var reader = RowBinaryReader(
            try await clickHouse.bytes(query, format: "RowBinary"))
        var rows: [Row] = []
        while !reader.isAtEnd {
            let customer = try reader.text()
            let lastActive = Hour(Int(try reader.integer(Int32.self)))
            guard let state = SeriesState(encoded: try reader.text()) else {
                throw DetectionError.unreadableState
            }
            rows.append(
                Row(
                    customer: customer,
                    series: TrackedSeries(state: state, lastActive: lastActive)))
        }
        return rows
    }

    /// Ranges of about `size` customers.
    func ranges(
        _ place: Place, _ metric: DetectedMetric, size: Int, _ filter: SeriesFilter? = nil
    ) async throws -> [CustomerRange] {
        var parameters = parameters(place, metric)
            .merging((filter ?? .all).parameters(metric)) { $1 }
        parameters["size"] = .integer(Int64(size))
        let query = ClickHouseQuery(
            (filter ?? .all).text(SQL.statesRanges), parameters: parameters)
        return CustomerRange.between(
            try await clickHouse.rows(query).map { try $0.string("customer_id") })
    }

    func write(_ rows: StateRows) async throws {
        guard !rows.isEmpty else { return }
        try await clickHouse.insert(
            into: "detection_states",
            columns: [
                "position", "version", "metric_key", "customer_id", "last_active", "state",
            ], format: "RowBinary", rows: rows.bytes, isCompressed: false)
    }

    /// Removes the positions that are not kept, and what processes that died have left.
    ///
    /// What lies ahead is another one's, if we were paused and do not know it yet.
    func drop(keeping positions: [Int64]) async throws {
        let head = positions.max() ?? .min
        for row in try await clickHouse.rows(ClickHouseQuery(SQL.statesPartitions)) {
            let position = try row.int64("position")
            guard position < head, !positions.contains(position) else { continue }
            try await clickHouse.execute(
                ClickHouseQuery(SQL.statesDrop, parameters: ["position": .integer(position)]))
        }
    }

    private func parameters(
        _ place: Place, _ metric: DetectedMetric
    ) -> [String: ClickHouseValue] {
        [
            "position": .integer(place.number), "metric_key": .string(metric.key),
            "versions": .integers(place.versions),
        ]
    }
}

/// Rows of states as they are inserted.
struct StateRows: Sendable {
    private var writer = RowBinaryWriter()
    private let version: Int64
    private let metricKey: [UInt8]

    init(version: Int64, _ metric: DetectedMetric) {
        (self.version, metricKey) = (version, Array(metric.key.utf8))
    }

    var bytes: [UInt8] { writer.bytes }
    var isEmpty: Bool { writer.bytes.isEmpty }

    mutating func add(
        _ position: StatePosition, _ customer: ArraySlice<UInt8>, _ series: TrackedSeries
    ) {
        writer.integer(position.number)
        writer.integer(version)
        writer.text(metricKey)
        writer.text(customer)
        writer.integer(Int32(truncatingIfNeeded: series.lastActive.index))
        writer.text(series.state.encoded())
    }
}

/// Which series a pass is about.
enum SeriesFilter: Sendable {
    case all
    /// Those with usage in these hours that came in batches after one.
    case late(hours: Range<Hour>, after: Int64, SealedUsage)

    func text(_ sql: String) -> String {
        guard case .late = self else { return sql }
        return sql.replacing("/* dirty */ true", with: SQL.lateFilter)
    }

    func parameters(_ metric: DetectedMetric) -> [String: ClickHouseValue] {
        guard case .late(let hours, let after, let sealed) = self else { return [:] }
        return sealed.parameters.merging([
            "rollup_key": .string(metric.rollupKey), "after": .integer(after),
            "late_first": .integer(Int64(hours.lowerBound.index)),
            "late_end": .integer(Int64(hours.upperBound.index)),
        ]) { $1 }
    }
}

/// What detection cannot go on with.
package struct DetectionError: Error, Sendable, CustomStringConvertible {
    package let description: String

    static let unreadableState = Self(
        description: """
            the stored states are of another version of this program; begin anew with: \
            jobs run refresh-state --restart
            """)
}
