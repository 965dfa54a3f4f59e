-- On which days ($1 to before $2) which series of a metric ($3) were unusual, unless a person says that they
-- were not: NULL is the whole fleet. A warning makes a day unusual only if a person says so: growth would
-- never reach the baselines.
SELECT customer_id, first_day, last_day, is_volume
FROM (
    SELECT customer_id, floor(extract(epoch FROM first_hour) / 86400)::bigint AS first_day,
        floor(extract(epoch FROM last_hour) / 86400)::bigint AS last_day,
        method <> 'pattern' AS is_volume
    FROM anomalies
    WHERE metric_key = $3 AND status NOT IN ('dismissed', 'withdrawn')
        AND (severity = 'critical' OR is_confirmed)
        AND last_hour >= $1::timestamptz AND first_hour < $2::timestamptz
) AS flagged
