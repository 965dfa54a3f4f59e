-- When the episodes began that these series ($1 customers, $2 keys of metrics; NULL: all) had since an hour.
SELECT (extract(epoch FROM min(first_hour)) / 3600)::bigint AS first_hour
FROM anomalies
WHERE ($1::text[] IS NULL
        OR (customer_id, metric_key) IN (SELECT * FROM unnest($1::text[], $2::text[])))
    AND last_hour >= $3::timestamptz - interval '24 hours' AND kind IN ('volume', 'both', 'fleet')
    AND method <> 'pattern'
