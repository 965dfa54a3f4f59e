-- The volume of these series ($1 customers, $2 keys of metrics) is unusual on a day ($3 to before $4), and so
-- is its pattern ($5 actions in words, $6 similarities): both.
UPDATE anomalies SET kind = 'both', severity = 'critical', recommended_action = judged.action,
    similarity = judged.similarity
FROM unnest($1::text[], $2::text[], $5::text[], $6::double precision[])
    AS judged (customer_id, metric_key, action, similarity)
WHERE anomalies.customer_id = judged.customer_id AND anomalies.metric_key = judged.metric_key
    AND kind = 'volume' AND status NOT IN ('dismissed', 'withdrawn')
    AND last_hour >= $3::timestamptz AND first_hour < $4::timestamptz
    AND NOT EXISTS (
        SELECT FROM anomalies AS other
        WHERE other.customer_id = judged.customer_id AND other.metric_key = judged.metric_key
            AND other.kind = 'both' AND other.closed_at IS NULL)
    -- One of several of that day.
    AND anomaly_id = (
        SELECT anomaly_id FROM anomalies AS day
        WHERE day.customer_id = judged.customer_id AND day.metric_key = judged.metric_key
            AND day.kind = 'volume' AND day.status NOT IN ('dismissed', 'withdrawn')
            AND day.last_hour >= $3::timestamptz AND day.first_hour < $4::timestamptz
        ORDER BY score DESC, anomaly_id LIMIT 1)
RETURNING anomaly_id
