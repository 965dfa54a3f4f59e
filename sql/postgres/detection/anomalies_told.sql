-- Anomalies ($1) of which people are told: by an alert ($2), or each by its own.
UPDATE anomalies SET told_score = score, told_by = coalesce($2::text, 'anomaly_' || anomaly_id)
WHERE anomaly_id = ANY ($1::text[])
