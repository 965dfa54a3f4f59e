-- The newest events first: $1 state, $2 type, $3 invoice (NULL: any), $4 at most so many
-- (NULL: all).
SELECT event_id, type, state, attempts, object_id, invoice_id, livemode, account, api_version,
    source, note,
    (extract(epoch FROM received_at) * 1000)::bigint AS received_ms,
    (extract(epoch FROM settled_at) * 1000)::bigint AS settled_ms,
    (extract(epoch FROM next_attempt_at) * 1000)::bigint AS next_attempt_ms
FROM webhook_events
WHERE ($1::text IS NULL OR state = $1::text) AND ($2::text IS NULL OR type = $2::text)
    AND ($3::text IS NULL OR invoice_id = $3::text)
ORDER BY received_at DESC, event_id
LIMIT $4
