-- Episodes of series that were judged anew ($1 customers, $2 keys of metrics, and all of $4 metrics) since an
-- hour ($3), and are none any more: not among what is staged. What a person has closed stays.
WITH withdrawn AS (
    UPDATE anomalies SET status = 'withdrawn', closed_at = now(),
        close_reason = 'late data: nothing is unusual about these hours'
    WHERE (metric_key = ANY ($4::text[])
            OR (customer_id, metric_key) IN (SELECT * FROM unnest($1::text[], $2::text[])))
        AND method <> 'pattern' AND first_hour >= $3::timestamptz
        AND status IN ('open', 'acknowledged', 'resolved')
        AND (closed_at IS NULL OR close_reason = 'recovered')
        AND NOT EXISTS (
            SELECT FROM staged_anomalies WHERE staged_anomalies.anomaly_id = anomalies.anomaly_id)
    RETURNING anomaly_id
)
INSERT INTO anomaly_notes (anomaly_id, event, by)
SELECT anomaly_id, 'withdrawn', 'detection' FROM withdrawn
RETURNING anomaly_id
