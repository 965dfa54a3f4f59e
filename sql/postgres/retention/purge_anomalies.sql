-- Anomalies that are closed and expired, with their notes; at most $1.
DELETE FROM anomalies WHERE anomaly_id IN (
    SELECT anomaly_id FROM anomalies
    WHERE closed_at IS NOT NULL AND expires_at < clock_timestamp()
    ORDER BY expires_at LIMIT $1)
