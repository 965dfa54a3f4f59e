-- An older episode of the same lineage that is still open makes room for a newer one.
UPDATE anomalies SET status = 'resolved', closed_at = now(), close_reason = 'recovered'
FROM staged_anomalies AS staged
WHERE anomalies.closed_at IS NULL AND staged.closed_at IS NULL AND anomalies.anomaly_id <> staged.anomaly_id
    AND coalesce(anomalies.customer_id, '') = coalesce(staged.customer_id, '')
    AND anomalies.metric_key = staged.metric_key AND anomalies.lineage = staged.lineage
RETURNING anomalies.anomaly_id
