-- $1 ids, $2 customer, $3 metric, $4 and $5 from and to, $6 statuses, $7 kind, $8 since; each may be NULL: any.
-- $9: also those that are over by themselves, and of which nobody has spoken.
SELECT anomaly_id, customer_id, metric_key, metric, kind, severity, direction, status,
    (extract(epoch FROM first_hour) * 1000)::bigint AS first_ms,
    (extract(epoch FROM last_hour) * 1000)::bigint AS last_ms,
    (extract(epoch FROM peak_hour) * 1000)::bigint AS peak_ms,
    score::text, threshold::text, tail_probability::text, expected::text, expected_low::text,
    expected_high::text, observed::text, excess::text, similarity::text, hours, series, method, part,
    recommended_action, is_confirmed, is_muted, close_reason
FROM anomalies
WHERE ($1::text[] IS NULL OR anomaly_id = ANY ($1::text[]))
    AND ($2::text IS NULL OR customer_id = $2::text)
    AND ($3::text IS NULL OR metric = $3::text)
    AND ($4::timestamptz IS NULL OR last_hour >= $4::timestamptz)
    AND ($5::timestamptz IS NULL OR first_hour < $5::timestamptz)
    AND ($6::text[] IS NULL OR status = ANY ($6::text[])
        OR $9::boolean AND status = 'resolved' AND close_reason = 'recovered' AND NOT is_confirmed)
    AND ($7::text IS NULL OR kind = $7::text)
    AND ($8::timestamptz IS NULL OR last_hour >= $8::timestamptz)
ORDER BY first_hour, customer_id, metric, anomaly_id
