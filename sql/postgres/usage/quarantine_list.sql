SELECT quarantine_id, customer_id, transaction_id, event_type, properties, reasons, copies,
    (extract(epoch FROM event_at) * 1000)::bigint AS event_ms,
    (extract(epoch FROM ingested_at) * 1000)::bigint AS ingested_ms
FROM quarantine
WHERE generation = $1 AND batch <= $2 AND released_at IS NULL
    AND event_at >= to_timestamp($3::bigint / 1000.0) AND event_at < to_timestamp($4::bigint / 1000.0)
    AND ($5::text IS NULL OR customer_id = $5::text)
ORDER BY event_at, customer_id, transaction_id, quarantine_id
