-- Fleet-wide shifts that touch hours from $1 on: episodes of single series within them are part of them.
SELECT metric_key, direction,
    (extract(epoch FROM first_hour) / 3600)::bigint AS first_hour,
    (extract(epoch FROM last_hour) / 3600)::bigint AS last_hour
FROM anomalies
WHERE kind = 'fleet' AND method <> 'pattern' AND last_hour >= $1::timestamptz - interval '24 hours' AND status <> 'withdrawn'
ORDER BY first_hour
