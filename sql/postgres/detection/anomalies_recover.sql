-- Episodes that ended a day ago are over, patterns (which are seen a day later) after two; $1: the hour after the last judged one.
WITH recovered AS (
    UPDATE anomalies SET status = 'resolved', closed_at = now(), close_reason = 'recovered'
    WHERE closed_at IS NULL AND last_hour < $1::timestamptz
        - CASE WHEN method = 'pattern' THEN interval '49 hours' ELSE interval '25 hours' END
    RETURNING anomaly_id
)
INSERT INTO anomaly_notes (anomaly_id, event, by)
SELECT anomaly_id, 'recovered', 'detection' FROM recovered
RETURNING anomaly_id
