-- What there is to tell of anomalies ($1), the most important first, as the body of an alert. Nobody is told
-- of what people have closed, or muted. Which way it goes may change; the subject stays.
SELECT anomaly_id, severity,
    coalesce(customer_id, 'the fleet') || ': ' || metric || ' is unusual' AS subject,
    jsonb_build_object('anomaly_id', anomaly_id, 'customer_id', customer_id, 'metric', metric,
        'kind', kind, 'direction', direction,
        'first_hour', to_char(first_hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'score', score, 'expected', expected, 'observed', observed, 'series', series,
        'recommended_action', recommended_action)::text AS body
FROM anomalies
WHERE anomaly_id = ANY ($1::text[]) AND told_score IS NULL AND NOT is_muted
    AND (closed_at IS NULL OR close_reason = 'recovered')
ORDER BY kind = 'fleet' DESC, severity, score DESC, anomaly_id
