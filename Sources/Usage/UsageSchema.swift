package import ClickHouse
internal import Exact

/// The tables that this program expects in ClickHouse, and the journal of how they came about.
///
/// Each migration is one statement that can be run again, because ClickHouse has no transactions: a
/// process that dies between a migration and its journal entry does no harm.
package struct UsageSchema: Sendable {
    package enum State: Sendable, Equatable {
        case current
        case tooOld(have: Int, want: Int)
        case tooNew(have: Int, want: Int)
    }

    private let clickHouse: ClickHouseClient

    package init(clickHouse: ClickHouseClient) {
        self.clickHouse = clickHouse
    }

    private static let newest = SQL.migrations.last?.version ?? 0

    /// UNKNOWN_TABLE of ClickHouse's `ErrorCodes.cpp`.
    private static let noSuchTable = ClickHouseError.Code.server(code: 60)

    package func state() async throws -> State {
        var have = 0
        do {
            let rows = try await clickHouse.rows(ClickHouseQuery(SQL.migrationsNewest))
            have = Int(try rows.first?.int64("version") ?? 0)
        } catch let error as ClickHouseError where error.code == Self.noSuchTable {
            // Nothing was ever applied.
        }
        if have == Self.newest { return .current }
        return have < Self.newest
            ? .tooOld(have: have, want: Self.newest) : .tooNew(have: have, want: Self.newest)
    }

    /// Applies what is missing. Callers see to it that one process does so at a time.
    ///
    /// - Returns: the names of the migrations applied now.
    /// - Precondition: the database is not newer than this program.
    package func apply() async throws -> [String] {
        try await clickHouse.execute(ClickHouseQuery(SQL.migrationsTable))
        guard case .tooOld(let have, _) = try await state() else { return [] }
        let missing = SQL.migrations.filter { $0.version > have }
        for migration in missing {
            try await clickHouse.execute(ClickHouseQuery(migration.sql))
            try await clickHouse.execute(
                ClickHouseQuery(
                    SQL.migrationsRecord,
                    parameters: [
                        "version": .integer(Int64(migration.version)),
                        "name": .string(migration.name),
                    ]))
        }
        return missing.map(\.name)
    }
}
