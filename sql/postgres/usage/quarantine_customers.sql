SELECT DISTINCT customer_id FROM quarantine
WHERE generation = $1 AND batch <= $2 AND released_at IS NULL AND customer_id <> ''
    AND event_at >= to_timestamp($3::bigint / 1000.0) AND event_at < to_timestamp($4::bigint / 1000.0)
    AND ($5::text IS NULL OR customer_id = $5::text)
