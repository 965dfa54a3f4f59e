internal import ClickHouse
internal import Ledger

/// The log of usage events, theirs or ours: read, never written.
package struct SourceTable: Sendable, Equatable {
    let database: String
    let table: String

    /// - Parameter name: `table`, or `database.table` if it lies in another database.
    /// - Returns: `nil` if it reads otherwise.
    package init?(_ name: String, defaultDatabase: String) {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        database = parts.count == 2 ? parts[0] : defaultDatabase
        table = parts[parts.count - 1]
    }

    var parameters: [String: ClickHouseValue] {
        ["database": .string(database), "events": .string(table)]
    }
}

/// The state of the log by minute of ingestion, against what was read of it.
struct SourceSweep: Sendable {
    struct Minute: Sendable, Equatable {
        /// Since 1970, of `ingested_at`.
        let minute: Int64
        let rows: Int64
        /// Whether its rows are others than those that were read, as far as can be seen.
        let differs: Bool
    }

    let source: SourceTable
    let sealed: SealedUsage
    /// Compares contents as well as counts: finds rows that came while a merge took others away.
    let comparesContents: Bool

    var query: ClickHouseQuery {
        let checksum = """
            sum(cityHash64(customer_id, transaction_id, event_type, timestamp, properties, ingested_at))
            """
        let sql =
            !comparesContents
            ? SQL.sweep
            : SQL.sweep.replacing("/* checksum */ 0", with: checksum)
                .replacing("/* state checksum */ 0", with: "sum(checksum)")
        var query = ClickHouseQuery(
            sql, parameters: sealed.parameters.merging(source.parameters) { $1 })
        // It reads the whole log; the job's own time-out ends it.
        query.mayTakeLong = comparesContents
        return query
    }

    func minutes(_ clickHouse: ClickHouseClient) async throws -> [Minute] {
        var minutes: [Minute] = []
        try await clickHouse.forEachBatch(query) { rows in
            for row in rows {
                minutes.append(
                    Minute(
                        minute: try row.int64("minute"), rows: try row.int64("rows"),
                        differs: try row.int64("differs") == 1))
            }
        }
        return minutes
    }
}

/// Which rows of the log a batch reads.
struct BatchRange: Sendable, Equatable {
    var firstMinute: Int64
    var endMinute: Int64
    /// Only these, if they are not all minutes that have rows; empty: the whole range.
    var minutes: [Int64] = []
    /// A minute with more rows than a batch takes is read in parts, by hash.
    var part = 0
    var parts = 1
    /// How many rows there were when the log was looked through.
    var rows: Int64

    var parameters: [String: ClickHouseValue] {
        [
            "first_minute": .integer(firstMinute), "end_minute": .integer(endMinute),
            "minutes": .integers(minutes), "part": .integer(Int64(part)),
            "parts": .integer(Int64(parts)),
        ]
    }

    /// The most that stands in one question.
    static let mostMinutes = 1000

    /// Cuts what differs into batches of at most so many rows, oldest first.
    static func plan(_ minutes: [SourceSweep.Minute], rows limit: Int64) -> [BatchRange] {
        var ranges: [BatchRange] = []
        var open: [SourceSweep.Minute] = []
        var openRows: Int64 = 0
        /// Whether minutes that need not be read lie between those of the open batch.
        var hasGap = false
        var gapAhead = false

        func close() {
            guard let first = open.first, let last = open.last else { return }
            ranges.append(
                BatchRange(
                    firstMinute: first.minute, endMinute: last.minute + 1,
                    minutes: hasGap ? open.map(\.minute) : [], rows: openRows))
            (open, openRows, hasGap, gapAhead) = ([], 0, false, false)
        }

        for minute in minutes {
            guard minute.differs else {
                gapAhead = !open.isEmpty
                continue
            }
            if minute.rows > limit {
                close()
                let parts = Int((minute.rows + limit - 1) / limit)
                for part in 0..<parts {
                    ranges.append(
                        BatchRange(
                            firstMinute: minute.minute, endMinute: minute.minute + 1, part: part,
                            parts: parts, rows: minute.rows / Int64(parts)))
                }
                continue
            }
            let becomesList = hasGap || gapAhead
            if openRows + minute.rows > limit || becomesList && open.count >= mostMinutes {
                close()
            }
            hasGap = !open.isEmpty && (hasGap || gapAhead)
            gapAhead = false
            open.append(minute)
            openRows += minute.rows
        }
        close()
        return ranges
    }
}
