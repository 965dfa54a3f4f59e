-- Fleet-wide shifts that touch hours from a day before one ($1) on, with the hours in which they began: episodes
-- of single series that began in these are part of them.
SELECT metric_key, direction, coalesce(series, 0) AS series,
    (extract(epoch FROM first_hour) / 3600)::bigint AS first_hour,
    (extract(epoch FROM last_hour) / 3600)::bigint AS last_hour,
    coalesce(array_to_string(onset_hours, ','), '') AS onset_hours
FROM anomalies
WHERE lineage IN ('fleet up', 'fleet down') AND last_hour >= $1::timestamptz - interval '24 hours'
    AND status <> 'withdrawn'
ORDER BY first_hour
