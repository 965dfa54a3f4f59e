SELECT paused_by, reason, (extract(epoch FROM paused_at) * 1000)::bigint AS paused_ms
FROM billing_pauses WHERE resumed_at IS NULL
