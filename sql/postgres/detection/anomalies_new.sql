-- New anomalies ($1) that somebody is to hear of, the most important first, as the body of an alert.
SELECT anomaly_id, severity,
    coalesce(customer_id, 'the fleet') || ': ' || kind || ' of ' || metric || ' is unusual ('
        || direction || ')' AS subject,
    jsonb_build_object('anomaly_id', anomaly_id, 'customer_id', customer_id, 'metric', metric,
        'kind', kind, 'direction', direction,
        'first_hour', to_char(first_hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'score', score, 'expected', expected, 'observed', observed, 'series', series,
        'recommended_action', recommended_action)::text AS body
FROM anomalies
WHERE anomaly_id = ANY ($1::text[]) AND NOT is_muted
ORDER BY kind = 'fleet' DESC, severity, score DESC, anomaly_id
