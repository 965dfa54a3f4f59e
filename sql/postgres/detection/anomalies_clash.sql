-- An older episode of the same series and kind that is still open makes room for a newer one.
UPDATE anomalies SET status = 'resolved', closed_at = now(), close_reason = 'recovered'
FROM staged_anomalies AS staged
WHERE anomalies.closed_at IS NULL AND staged.closed_at IS NULL AND anomalies.anomaly_id <> staged.anomaly_id
    AND anomalies.customer_id IS NOT DISTINCT FROM staged.customer_id
    AND anomalies.metric_key = staged.metric_key AND anomalies.kind = staged.kind
    AND (anomalies.kind <> 'fleet' OR (anomalies.direction = 'up', anomalies.method = 'pattern')
        = (staged.direction = 'up', staged.method = 'pattern'))
RETURNING anomalies.anomaly_id
