SELECT (extract(epoch FROM recorded_at) * 1000)::bigint AS recorded_ms, event, status, hold_reason,
    currency, total_minor, catalog_version, input_hash, detail, actor
FROM invoice_events WHERE invoice_id = $1 ORDER BY event_id
