package import Exact
package import Postgres

/// The versions of the catalog: written once, never changed.
package struct CatalogStore: Sendable {
    package struct Version: Sendable {
        package let version: String
        package let effectiveFrom: CivilDate
        package let source: String
        package let sourceSHA256: String

        package init(
            version: String, effectiveFrom: CivilDate, source: String, sourceSHA256: String
        ) {
            self.version = version
            self.effectiveFrom = effectiveFrom
            self.source = source
            self.sourceSHA256 = sourceSHA256
        }
    }

    private let pool: PostgresPool

    package init(pool: PostgresPool) {
        self.pool = pool
    }

    /// Keeps a version; the same one again changes nothing.
    ///
    /// - Returns: whether it is new.
    /// - Throws: `LedgerError` (conflict) if the version exists with another content, if another version
    ///   has its date, or if invoices were sent for a period that it would price anew.
    package func apply(_ catalog: Version) async throws -> Bool {
        try await pool.transaction { connection in
            // One at a time: the checks below must still hold when the row goes in.
            try connection.query(SQL.catalogLock)
            let known = try connection.query(
                SQL.catalogClashes, [catalog.version, "\(catalog.effectiveFrom)"])
            for row in known.rows {
                let version: String = try row.decode("version")
                guard version == catalog.version else {
                    throw LedgerError.catalogDateTaken("\(catalog.effectiveFrom)", by: version)
                }
                guard try row.decode("source_sha256", as: String.self) == catalog.sourceSHA256
                else {
                    throw LedgerError.catalogIsFixed(version)
                }
                return false
            }
            try connection.refuseBilledPast(
                "catalog \(catalog.version)", from: catalog.effectiveFrom, customer: nil)
            try connection.query(
                SQL.catalogInsert,
                [
                    catalog.version, "\(catalog.effectiveFrom)", catalog.source,
                    catalog.sourceSHA256,
                ])
            return true
        }
    }

    /// All versions, the oldest first.
    package func all() async throws -> [Version] {
        try await pool.query(SQL.catalogList).rows.map(Self.read)
    }

    /// The version in force on a day; `nil` if none was yet.
    package func inForce(on day: CivilDate) async throws -> Version? {
        try await pool.query(SQL.catalogInForce, ["\(day)"]).rows.first.map(Self.read)
    }

    private static func read(_ row: PostgresRow) throws -> Version {
        Version(
            version: try row.decode("version"),
            effectiveFrom: try row.civilDate("effective_from"),
            source: try row.decode("source"),
            sourceSHA256: try row.decode("source_sha256"))
    }
}

extension PostgresRow {
    /// A column of type date.
    func civilDate(_ column: String) throws -> CivilDate {
        let text: String = try decode(column)
        guard let date = CivilDate(text) else {
            preconditionFailure("Postgres writes dates as ISO 8601: DateStyle is set")
        }
        return date
    }
}

extension PostgresConnection {
    /// Refuses what would change the terms of a period that an invoice was sent for.
    func refuseBilledPast(_ what: String, from date: CivilDate, customer: String?) throws {
        let row = try query(SQL.billedUntil, [customer]).rows.first
        guard let until: String = try row?.decode("billed_until", as: String?.self),
            let day = CivilDate(until), date < day
        else { return }
        throw LedgerError.billedPast(what, "\(date)", billedUntil: until)
    }
}
