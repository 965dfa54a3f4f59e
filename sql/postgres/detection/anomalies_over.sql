-- Alerts of what is over: of anomalies ($1), and digests of which all are.
SELECT key FROM alerts
WHERE state <> 'resolved'
    AND (key IN (
            SELECT 'anomaly_' || anomaly_id FROM anomalies
            WHERE anomaly_id = ANY ($1::text[]) AND closed_at IS NOT NULL)
        OR kind = 'anomalies' AND NOT EXISTS (
            SELECT FROM anomalies WHERE told_by = alerts.key AND closed_at IS NULL))
