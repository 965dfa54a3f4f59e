internal import ClickHouse
internal import Ledger

/// The weekdays' baselines in ClickHouse.
struct BaselineTable: Sendable {
    let clickHouse: ClickHouseClient

    struct Series: Sendable {
        let customer: ArraySlice<UInt8>
        var weekdays: [WeekdayBaseline] = []
    }

    func create() async throws {
        try await clickHouse.execute(ClickHouseQuery(SQL.baselinesTable))
    }

    /// What counts of a version, in order of customer.
    func read(
        _ version: Int64, _ approvals: BaselineApprovals, _ metric: DetectedMetric,
        _ range: CustomerRange, weekdays: [Int] = Array(0..<7)
    ) async throws -> [Series] {
        var parameters = Self.parameters(version, approvals)
            .merging(range.parameters) { $1 }
        parameters["metric_key"] = .string(metric.key)
        parameters["weekdays"] = .integers(weekdays.map(Int64.init))
        var reader = RowBinaryReader(
            try await clickHouse.bytes(
                ClickHouseQuery(SQL.baselinesRead, parameters: parameters), format: "RowBinary"))
        var series: [Series] = []
        while !reader.isAtEnd {
            let customer = try reader.text()
            let weekday = Int(try reader.integer(UInt8.self))
            let days = Int(try reader.integer(UInt16.self))
            let volume = try reader.double()
            var shape: [Double] = []
            for _ in 0..<(try reader.length()) { shape.append(try reader.double()) }
            if series.last?.customer.elementsEqual(customer) != true {
                series.append(Series(customer: customer))
            }
            series[series.count - 1].weekdays.append(
                WeekdayBaseline(weekday: weekday, shape: shape, volume: volume, days: days))
        }
        return series
    }

    func write(_ rows: BaselineRows) async throws {
        guard rows.count > 0 else { return }
        try await clickHouse.insert(
            into: "detection_baselines",
            columns: [
                "version", "metric_key", "customer_id", "weekday", "is_drifted", "days",
                "volume", "shape",
            ], format: "RowBinary", rows: rows.bytes, isCompressed: false)
    }

    /// Removes versions before one that the ledger does not know; a later one may be on its way.
    func drop(before last: Int64, keeping versions: [Int64]) async throws {
        for row in try await clickHouse.rows(ClickHouseQuery(SQL.baselinesPartitions)) {
            let version = try row.int64("version")
            guard version < last, !versions.contains(version) else { continue }
            try await clickHouse.execute(
                ClickHouseQuery(SQL.baselinesDrop, parameters: ["version": .integer(version)]))
        }
    }

    static func parameters(
        _ version: Int64, _ approvals: BaselineApprovals
    ) -> [String: ClickHouseValue] {
        [
            "version": .integer(version), "all_approved": .integer(approvals.all ? 1 : 0),
            "approved": .strings(approvals.customers),
        ]
    }
}

/// Rows of baselines as they are inserted.
struct BaselineRows: Sendable {
    private var writer = RowBinaryWriter()
    private let version: Int64
    private let metricKey: [UInt8]
    private(set) var count = 0
    private(set) var drifted = 0

    init(version: Int64, _ metric: DetectedMetric) {
        (self.version, metricKey) = (version, Array(metric.key.utf8))
    }

    var bytes: [UInt8] { writer.bytes }

    mutating func add(
        _ baseline: WeekdayBaseline, of customer: ArraySlice<UInt8>, isDrifted: Bool = false
    ) {
        writer.integer(version)
        writer.text(metricKey)
        writer.text(customer)
        writer.integer(UInt8(baseline.weekday))
        writer.integer(UInt8(isDrifted ? 1 : 0))
        writer.integer(UInt16(clamping: baseline.days))
        writer.double(baseline.volume)
        writer.length(baseline.shape.count)
        for share in baseline.shape { writer.double(share) }
        if isDrifted { drifted += 1 } else { count += 1 }
    }
}
