-- What people said when they ended the alert of this key.
SELECT by, reason, (extract(epoch FROM resolved_at) * 1000)::bigint AS resolved_ms
FROM alert_resolutions
WHERE key = $1
ORDER BY resolution_id
