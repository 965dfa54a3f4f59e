-- What the server says of itself, for jobs doctor.
SELECT current_setting('server_version_num')::integer AS version,
    current_setting('server_version') AS version_text,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('synchronous_standby_names') AS synchronous_standby_names,
    (SELECT count(*) FROM pg_stat_replication) AS replicas,
    (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))
        AS synchronous_replicas,
    -- Only members of pg_read_all_stats see which are.
    (SELECT count(*) FROM pg_stat_replication WHERE sync_state IS NULL) AS hidden_replicas,
    pg_is_in_recovery() AS is_standby,
    (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS sessions,
    current_setting('max_connections')::integer AS most_sessions
