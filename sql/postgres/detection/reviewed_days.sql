-- What people said of days since an hour ($1): unusual, or not. No customer: of the whole fleet.
SELECT coalesce(customer_id, '') AS customer_id, metric_key, is_confirmed,
    floor(extract(epoch FROM first_hour) / 86400)::bigint AS first_day,
    floor(extract(epoch FROM last_hour) / 86400)::bigint AS last_day
FROM anomalies
WHERE last_hour >= $1::timestamptz AND status <> 'withdrawn' AND (is_confirmed OR status = 'dismissed')
