internal import ClickHouse

/// Whether the log can be read as it is: the right columns, and no replica that lags behind.
struct SourceCheck: Sendable {
    let clickHouse: ClickHouseClient
    let source: SourceTable

    func check() async throws {
        let columns = try await rows(SQL.sourceColumns)
        let types = Dictionary(
            uniqueKeysWithValues: try columns.map {
                (try $0.string("name"), try $0.string("type"))
            })
        guard !types.isEmpty else {
            throw UsageError(
                isUnavailable: false,
                description: """
                    there is no table \(source): set usage.events_table to the log of usage events, or run \
                    jobs migrate
                    """)
        }
        for (column, expected) in Self.columns {
            let found = types[column]
            guard let found, expected.contains(found) else {
                throw UsageError(
                    isUnavailable: false,
                    description: """
                        \(source).\(column) is \(found ?? "missing"), but must be \
                        \(expected.joined(separator: " or ")): point usage.events_table to a view that \
                        converts it
                        """)
            }
        }
        for table in try await tables() { try await refuseLag(of: table) }
    }

    private static let texts = ["String", "LowCardinality(String)"]
    private static let instants = ["DateTime64(3, 'UTC')"]
    private static let columns = [
        ("transaction_id", texts), ("customer_id", texts), ("event_type", texts),
        ("timestamp", instants), ("properties", texts), ("ingested_at", instants),
    ]

    /// A table or a view, as the server describes it.
    private struct Table {
        let database: String
        let name: String
        let engine: String
        let definition: String
        /// The statement of a view.
        let select: String

        init(_ row: ClickHouseRow) throws {
            database = try row.string("database")
            name = try row.string("name")
            engine = try row.string("engine")
            definition = try row.string("engine_full")
            select = try row.string("as_select")
        }
    }

    /// Where the rows of the log lie: in itself, or, if it is a view, in what it reads.
    private func tables() async throws -> [Table] {
        var found = try await rows(SQL.sourceEngine).map(Table.init)
        var tables: [Table] = []
        var views: Set<String> = []
        while let table = found.popLast() {
            guard table.engine == "View" else {
                tables.append(table)
                continue
            }
            guard views.insert("\(table.database).\(table.name)").inserted else { continue }
            let read = try await clickHouse.rows(
                ClickHouseQuery(
                    SQL.sourceViewed, parameters: ["select": .string(table.select)]))
            guard !read.isEmpty else {
                throw UsageError(
                    isUnavailable: false,
                    description: """
                        \(table.database).\(table.name) is a view, and none of the tables that it reads can be \
                        seen, so that nobody knows whether their replicas lag: give the user SELECT on \
                        them, or point usage.events_table to a table
                        """)
            }
            found += try read.map(Table.init)
        }
        return tables
    }

    /// A row that one replica has and another has not yet would look like one that came late.
    private func refuseLag(of table: Table) async throws {
        let name = "\(table.database).\(table.name)"
        let replicas: String
        var parameters: [String: ClickHouseValue] = [
            "database": .string(table.database), "events": .string(table.name),
        ]
        if table.engine == "Distributed" {
            guard
                let match = table.definition
                    .firstMatch(of: /^Distributed\('?([^',]+)'?, '?([^',]*)'?, '?([^',)]+)'?/)
            else { return }
            replicas = "clusterAllReplicas({cluster:String}, system.replicas)"
            parameters = [
                "cluster": .string(String(match.1)), "database": .string(String(match.2)),
                "events": .string(String(match.3)),
            ]
        } else if table.engine.hasPrefix("Replicated") || table.engine.hasPrefix("Shared") {
            replicas = "system.replicas"
        } else {
            return
        }
        let query = ClickHouseQuery(
            SQL.sourceReplicas.replacing("/* replicas */", with: replicas), parameters: parameters)
        guard let row = try await clickHouse.rows(query).first else { return }
        let (cutOff, lagging) = (try row.int64("cut_off"), try row.int64("lagging"))
        if cutOff > 0 {
            throw UsageError(
                isUnavailable: true,
                description: """
                    replicas of \(name) that are read-only or without Keeper: \(cutOff) (see \
                    system.replicas). Nothing was sealed; run again when they work
                    """)
        }
        if lagging > 0 {
            throw UsageError(
                isUnavailable: true,
                description: """
                    replicas of \(name) that lag behind: \(lagging), by up to \
                    \(try row.int64("delay_seconds")) seconds. Nothing was sealed; run again when they have \
                    caught up
                    """)
        }
    }

    private func rows(_ sql: String) async throws -> [ClickHouseRow] {
        try await clickHouse.rows(ClickHouseQuery(sql, parameters: source.parameters))
    }
}

extension SourceTable: CustomStringConvertible {
    package var description: String { "\(database).\(table)" }
}
