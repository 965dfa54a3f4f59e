-- What a day ($1 to before $2) does not show any more, now that it was checked again: not among what is staged.
-- All series of some metrics ($3 keys) were checked, and others ($4 customers, $5 keys of metrics). A day by
-- itself is withdrawn; the last of several is taken off. What a person has closed stays.
WITH gone AS (
    SELECT anomaly_id, first_hour >= $1::timestamptz AS is_whole
    FROM anomalies
    WHERE method = 'pattern' AND last_hour >= $1::timestamptz AND last_hour < $2::timestamptz
        AND (metric_key = ANY ($3::text[])
            OR (customer_id, metric_key) IN (SELECT * FROM unnest($4::text[], $5::text[])))
        AND status IN ('open', 'acknowledged', 'resolved')
        AND (closed_at IS NULL OR close_reason = 'recovered')
        AND NOT EXISTS (
            SELECT FROM staged_anomalies WHERE staged_anomalies.anomaly_id = anomalies.anomaly_id)
), shortened AS (
    UPDATE anomalies SET last_hour = last_hour - interval '24 hours', hours = hours - 24,
        peak_hour = least(peak_hour, $1::timestamptz - interval '24 hours'),
        excess = excess * (hours - 24) / hours
    FROM gone WHERE anomalies.anomaly_id = gone.anomaly_id AND NOT is_whole
), withdrawn AS (
    UPDATE anomalies SET status = 'withdrawn', closed_at = now(),
        close_reason = 'checked again: the day does not show it any more'
    FROM gone WHERE anomalies.anomaly_id = gone.anomaly_id AND is_whole
    RETURNING anomalies.anomaly_id
)
INSERT INTO anomaly_notes (anomaly_id, event, by)
SELECT anomaly_id, 'withdrawn', 'detection' FROM withdrawn
RETURNING anomaly_id
