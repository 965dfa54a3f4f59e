-- Rows of a period that wait for a person, sealed up to a batch.
SELECT coalesce(sum(copies), 0)::bigint AS copies FROM quarantine
WHERE generation = $1 AND batch <= $2 AND released_at IS NULL
    AND event_at >= to_timestamp($3::bigint / 1000.0) AND event_at < to_timestamp($4::bigint / 1000.0)
