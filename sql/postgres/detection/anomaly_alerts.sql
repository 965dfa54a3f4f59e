-- Tells somebody of new anomalies ($1): the $2 most important by themselves, the rest in one digest
-- under the name $3. Each key is told once.
WITH ranked AS (
    SELECT anomalies.*, row_number() OVER (
        ORDER BY kind = 'fleet' DESC, severity, score DESC, anomaly_id) AS place
    FROM anomalies WHERE anomaly_id = ANY ($1::text[]) AND NOT is_muted
)
INSERT INTO alerts (key, kind, severity, subject, body)
SELECT 'anomaly_' || anomaly_id, 'anomaly', severity,
    coalesce(customer_id, 'the fleet') || ': ' || kind || ' of ' || metric || ' is unusual ('
        || direction || ')',
    jsonb_build_object('anomaly_id', anomaly_id, 'customer_id', customer_id, 'metric', metric,
        'kind', kind, 'direction', direction,
        'first_hour', to_char(first_hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'score', score, 'expected', expected, 'observed', observed, 'series', series,
        'recommended_action', recommended_action)
FROM ranked WHERE place <= $2
UNION ALL
SELECT 'anomalies_' || $3, 'anomalies', 'warning',
    count(*) || ' more anomalies in ' || $3,
    jsonb_build_object('anomalies', count(*), 'slot', $3,
        'recommended_action', 'jobs anomalies list --status open')
FROM ranked WHERE place > $2 HAVING count(*) > 0
ON CONFLICT (key) DO NOTHING
RETURNING key
