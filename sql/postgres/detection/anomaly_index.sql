-- Anomalies of a status ($1, NULL: any), the newest first, from before ($2 milliseconds, $3) on, at most $4.
SELECT anomaly_id FROM anomalies
WHERE ($1::text IS NULL OR status = $1)
    AND (last_hour, anomaly_id) < (to_timestamp($2::bigint / 1000.0), $3::text)
ORDER BY last_hour DESC, anomaly_id DESC LIMIT $4
