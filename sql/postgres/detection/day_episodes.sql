-- Unusual days that go on: those of the day before ($1), or of the day itself; these first. What a person has
-- closed does not go on.
SELECT coalesce(customer_id, '') AS customer_id, metric_key, kind = 'volume' AS is_volume,
    direction = 'up' AS is_up, (extract(epoch FROM first_hour) / 3600)::bigint AS first_hour
FROM anomalies
WHERE method = 'pattern' AND status <> 'withdrawn'
    AND last_hour >= $1::timestamptz - interval '24 hours' AND first_hour <= $1::timestamptz
    AND (closed_at IS NULL OR close_reason = 'recovered' OR last_hour >= $1::timestamptz)
ORDER BY last_hour DESC, anomaly_id
