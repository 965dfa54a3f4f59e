-- When the episodes of hours began that these series ($1 customers, $2 keys of metrics, and all of $4 metrics)
-- had since an hour ($3).
SELECT (extract(epoch FROM min(first_hour)) / 3600)::bigint AS first_hour
FROM anomalies
WHERE (metric_key = ANY ($4::text[])
        OR (customer_id, metric_key) IN (SELECT * FROM unnest($1::text[], $2::text[])))
    AND last_hour >= $3::timestamptz - interval '24 hours' AND method <> 'pattern' AND status <> 'withdrawn'
