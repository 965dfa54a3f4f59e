package import Postgres

/// The tables that this program knows, in order.
package enum LedgerSchema {
    package static let migrator = Migrator(
        migrations: SQL.migrations.map {
            Migration(version: $0.version, name: $0.name, sql: $0.sql)
        })
}
