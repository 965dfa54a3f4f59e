-- Who holds the lock of slot_lock.
SELECT format('process %s%s, since %s', activity.pid, ' on ' || host(client_addr),
    to_char(xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')) AS holder
FROM pg_locks JOIN pg_stat_activity AS activity USING (pid)
WHERE locktype = 'advisory' AND granted
    AND classid::bigint << 32 | objid::bigint
        = hashtextextended(current_schema() || ' ' || $1, 0)
