-- Tables of the ledger that this user may not read or add to.
SELECT relname AS name,
    has_table_privilege(pg_class.oid, 'SELECT') AS may_read,
    has_table_privilege(pg_class.oid, 'INSERT') AS may_add
FROM pg_class
WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')
    AND NOT (has_table_privilege(pg_class.oid, 'SELECT')
        AND has_table_privilege(pg_class.oid, 'INSERT'))
ORDER BY relname
