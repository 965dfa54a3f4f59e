-- A day's change of volume whose hours are unusual after all is part of their episode: no second row for it,
-- unless a person has said something of it.
WITH joined AS (
    UPDATE anomalies SET status = 'withdrawn', closed_at = now(),
        close_reason = 'part of ' || hours.anomaly_id
    FROM staged_anomalies AS hours
    WHERE anomalies.lineage = 'day' AND hours.lineage = 'volume'
        AND anomalies.customer_id = hours.customer_id AND anomalies.metric_key = hours.metric_key
        AND anomalies.last_hour >= hours.first_hour AND anomalies.first_hour <= hours.last_hour
        AND (anomalies.status = 'open' OR anomalies.close_reason = 'recovered')
    RETURNING anomalies.anomaly_id
)
INSERT INTO anomaly_notes (anomaly_id, event, by)
SELECT anomaly_id, 'withdrawn', 'detection' FROM joined
RETURNING anomaly_id
