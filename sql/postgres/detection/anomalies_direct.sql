-- Which way the hours of staged episodes went together, and what to do about it ($1: by kind and direction).
UPDATE staged_anomalies AS staged SET direction = whole.direction,
    recommended_action = coalesce($1::jsonb ->> (kind || ' ' || whole.direction), recommended_action)
FROM (
    SELECT anomaly_id, CASE WHEN excess >= 0 THEN 'up'
        WHEN kind = 'volume' AND observed <= 0 THEN 'stopped' ELSE 'down' END AS direction
    FROM staged_anomalies WHERE lineage = 'volume'
) AS whole
WHERE staged.anomaly_id = whole.anomaly_id
