-- What of the ledger this user may not read or write as a job does. Nobody changes what refuses every change,
-- and only its owner writes the journal of migrations.
SELECT name, may_read, may_write
FROM (
    SELECT relname AS name,
        relkind = 'S' OR has_table_privilege(oid, 'SELECT') AS may_read,
        CASE
            WHEN relkind = 'S' THEN has_sequence_privilege(oid, 'USAGE')
            WHEN relname = 'schema_migrations' THEN true
            ELSE has_table_privilege(oid, 'INSERT')
                AND (has_table_privilege(oid, 'UPDATE') OR EXISTS (
                    SELECT FROM pg_trigger
                    WHERE tgrelid = pg_class.oid AND tgfoid = to_regproc('refuse_change')
                        -- On UPDATE, of any column, of any row.
                        AND tgtype & 16 <> 0 AND tgattr::text = '' AND tgqual IS NULL))
        END AS may_write
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'S')
) AS rights
WHERE NOT (may_read AND may_write)
ORDER BY name
