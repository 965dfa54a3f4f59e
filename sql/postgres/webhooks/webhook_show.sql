SELECT event_id, type, state, attempts, object_id, invoice_id, livemode, account, api_version,
    source, note, payload,
    (extract(epoch FROM received_at) * 1000)::bigint AS received_ms,
    (extract(epoch FROM settled_at) * 1000)::bigint AS settled_ms,
    (extract(epoch FROM next_attempt_at) * 1000)::bigint AS next_attempt_ms
FROM webhook_events WHERE event_id = $1
