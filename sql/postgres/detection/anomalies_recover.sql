-- Episodes that ended a day ago are over, patterns (which are seen a day later) after two; $1: the hour after
-- the last judged one. What is staged says itself whether it is.
WITH recovered AS (
    UPDATE anomalies SET status = 'resolved', closed_at = now(), close_reason = 'recovered'
    WHERE closed_at IS NULL AND last_hour < $1::timestamptz
        - CASE WHEN method = 'pattern' THEN interval '49 hours' ELSE interval '25 hours' END
        AND NOT EXISTS (
            SELECT FROM staged_anomalies WHERE staged_anomalies.anomaly_id = anomalies.anomaly_id)
    RETURNING anomaly_id
)
INSERT INTO anomaly_notes (anomaly_id, event, by)
SELECT anomaly_id, 'recovered', 'detection' FROM recovered
RETURNING anomaly_id
