-- Whose hours of a metric ($1) are on record as unusual since a day before one ($2).
SELECT DISTINCT customer_id FROM anomalies
WHERE metric_key = $1 AND lineage = 'volume' AND status <> 'withdrawn'
    AND last_hour >= $2::timestamptz - interval '24 hours'
