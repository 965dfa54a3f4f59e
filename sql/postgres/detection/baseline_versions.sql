SELECT version, slot, to_char(first_day, 'YYYY-MM-DD') AS first_day, to_char(last_day, 'YYYY-MM-DD') AS last_day,
    state, baselines, drifted, promoted_by,
    (extract(epoch FROM created_at) * 1000)::bigint AS created_ms,
    (extract(epoch FROM promoted_at) * 1000)::bigint AS promoted_ms,
    (extract(epoch FROM expires_at) * 1000)::bigint AS expires_ms, expires_at < ledger_clock() AS is_expired
FROM baseline_versions ORDER BY version DESC
