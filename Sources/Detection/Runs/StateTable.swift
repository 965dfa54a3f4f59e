internal import ClickHouse
internal import Ledger
internal import Usage

/// The states of series in ClickHouse.
struct StateTable: Sendable {
    let clickHouse: ClickHouseClient

    /// The state of a series, still encoded.
    struct Row: Sendable {
        let customer: ArraySlice<UInt8>
        let lastActive: Hour
        let state: ArraySlice<UInt8>

        func series() throws -> TrackedSeries {
            guard let state = SeriesState(encoded: state) else {
                throw DetectionError.unreadableState
            }
            return TrackedSeries(state: state, lastActive: lastActive)
        }
    }

    /// Where states are, and under which versions.
    typealias Place = DetectionStore.Position

    func create() async throws {
        try await clickHouse.execute(ClickHouseQuery(SQL.statesTable))
    }

    /// The states of a range of customers, in order.
    func read(
        _ place: Place, _ metric: DetectedMetric, _ range: CustomerRange
    ) async throws -> [Row] {
        let query = ClickHouseQuery(
            SQL.statesRead,
            parameters: parameters(place).merging(range.parameters) { $1 }
                .merging(["metric_key": .string(metric.key)]) { $1 },
            settings: ClickHouseQuery.oneThread)
        var reader = RowBinaryReader(try await clickHouse.bytes(query, format: "RowBinary"))
        let (from, to) = (Array(range.from.utf8), Array(range.to.utf8))
        var (rows, versions): ([Row], [UInt64]) = ([], [])
        while !reader.isAtEnd {
            let version: UInt64 = try reader.integer()
            let count = try reader.length()
            var customers: [ArraySlice<UInt8>] = []
            customers.reserveCapacity(count)
            for _ in 0..<count { customers.append(try reader.text()) }
            _ = try reader.length()
            var lastActive: [Int32] = []
            lastActive.reserveCapacity(count)
            for _ in 0..<count { lastActive.append(try reader.integer()) }
            let states = try reader.text()
            let size = SeriesState.encodedBytes
            guard states.count == count * size else { throw DetectionError.unreadableState }
            for index in 0..<count {
                let customer = customers[index]
                guard !customer.lexicographicallyPrecedes(from),
                    to.isEmpty || customer.lexicographicallyPrecedes(to)
                else { continue }
                let start = states.startIndex + index * size
                rows.append(
                    Row(
                        customer: customer, lastActive: Hour(Int(lastActive[index])),
                        state: states[start..<start + size]))
                versions.append(version)
            }
        }
        return place.versions.count == 1 ? rows : Self.latest(rows, versions)
    }

    /// Of several rows of a customer the one of the last version, in order of customer.
    private static func latest(_ rows: [Row], _ versions: [UInt64]) -> [Row] {
        let order = rows.indices.sorted { left, right in
            if rows[left].customer.lexicographicallyPrecedes(rows[right].customer) { return true }
            return rows[left].customer.elementsEqual(rows[right].customer)
                && versions[left] > versions[right]
        }
        var latest: [Row] = []
        for index in order
        where latest.last?.customer.elementsEqual(rows[index].customer) != true {
            latest.append(rows[index])
        }
        return latest
    }

    /// Ranges of about `size` customers, by key of the metric; nothing of those that fit into one.
    func ranges(_ place: Place, size: Int) async throws -> [String: [CustomerRange]] {
        let blocks = try await clickHouse.rows(
            ClickHouseQuery(SQL.statesRanges, parameters: parameters(place)))
        var starts: [String: [String]] = [:]
        var counts: [String: Int] = [:]
        for block in blocks {
            let key = try block.string("metric_key")
            let series = Int(try block.int64("series"))
            let count = counts[key] ?? 0
            let isFull = count > 0 && count + series > size
            if isFull { starts[key, default: []].append(try block.string("first_customer")) }
            counts[key] = isFull ? series : count + series
        }
        return starts.mapValues(CustomerRange.between)
    }

    func write(_ blocks: StateBlocks) async throws {
        let bytes = blocks.finished()
        guard !bytes.isEmpty else { return }
        try await clickHouse.insert(
            into: "detection_blocks",
            columns: [
                "position", "version", "metric_key", "first_customer", "last_customer",
                "customers", "last_active", "states",
            ], format: "RowBinary", rows: bytes, isCompressed: false)
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

    private func parameters(_ place: Place) -> [String: ClickHouseValue] {
        ["position": .integer(place.number), "versions": .integers(place.versions)]
    }
}

extension ClickHouseQuery {
    /// For one of several that are asked side by side: more threads would take longer to begin than they save.
    static let oneThread = ["max_threads": "1"]
}

/// States as they are inserted; of each position in order of customer.
struct StateBlocks: Sendable {
    fileprivate struct Block {
        var first: ArraySlice<UInt8> = []
        var last: ArraySlice<UInt8> = []
        var count = 0
        var customers = RowBinaryWriter()
        var lastActive = RowBinaryWriter()
        var states: [UInt8] = []
    }

    fileprivate static let seriesPerBlock = 1000

    private var writer = RowBinaryWriter()
    private var open: [StatePosition: Block] = [:]
    private let version: Int64
    private let metricKey: [UInt8]

    init(version: Int64, _ metric: DetectedMetric) {
        (self.version, metricKey) = (version, Array(metric.key.utf8))
    }

    /// Makes room for the states of so many series at one position.
    mutating func reserve(series: Int) {
        // A name takes a few bytes beside its state.
        writer.reserve(series * (SeriesState.encodedBytes + 64))
    }

    mutating func add(
        _ position: StatePosition, _ customer: ArraySlice<UInt8>, _ series: TrackedSeries
    ) {
        let count = open[position, default: Block()].add(customer, series)
        guard count == Self.seriesPerBlock, let block = open.removeValue(forKey: position) else {
            return
        }
        write(block, position)
    }

    /// All rows.
    consuming func finished() -> [UInt8] {
        for (position, block) in open.sorted(by: { $0.key < $1.key }) { write(block, position) }
        return writer.bytes
    }

    private mutating func write(_ block: Block, _ position: StatePosition) {
        writer.integer(position.number)
        writer.integer(version)
        writer.text(metricKey)
        writer.text(block.first)
        writer.text(block.last)
        writer.length(block.count)
        writer.append(block.customers.bytes)
        writer.length(block.count)
        writer.append(block.lastActive.bytes)
        writer.text(block.states)
    }
}

extension StateBlocks.Block {
    /// - Returns: how many there are now.
    fileprivate mutating func add(_ customer: ArraySlice<UInt8>, _ series: TrackedSeries) -> Int {
        if count == 0 {
            first = customer
            states.reserveCapacity(StateBlocks.seriesPerBlock * SeriesState.encodedBytes)
        }
        last = customer
        count += 1
        customers.text(customer)
        lastActive.integer(Int32(truncatingIfNeeded: series.lastActive.index))
        series.state.encode(into: &states)
        return count
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
