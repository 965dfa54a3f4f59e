-- Ends the sessions of those who held the lease before us and are still in a transaction: one that is
-- paused would keep its locks for as long as it is.
SELECT pg_terminate_backend(pid, 5000)
FROM pg_locks JOIN pg_stat_activity USING (pid)
WHERE locktype = 'advisory' AND objsubid = 2 AND usename = current_user
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND classid::bigint = hashtext(current_schema() || ' lease ' || $1)::bigint & 4294967295
    AND objid::bigint <> $2::bigint % 2147483647
