SELECT count() AS found FROM system.tables
WHERE database = currentDatabase() AND name = 'schema_migrations'
