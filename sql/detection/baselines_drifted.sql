-- What waits for a person: volumes before and after, and how alike the shapes are.
SELECT fresh.customer_id AS customer_id, fresh.metric_key AS metric_key, fresh.weekday AS weekday,
    toString(old.volume) AS volume, toString(fresh.volume) AS new_volume,
    toString(round(1 - cosineDistance(old.shape, fresh.shape), 4)) AS similarity
FROM detection_baselines AS fresh
INNER JOIN detection_baselines AS old
    ON old.version = fresh.version AND old.metric_key = fresh.metric_key
    AND old.customer_id = fresh.customer_id AND old.weekday = fresh.weekday
WHERE fresh.version = {version:UInt64} AND old.version = {version:UInt64}
    AND fresh.is_drifted = 1 AND old.is_drifted = 0
    AND {all_approved:Int64} = 0 AND NOT has({approved:Array(String)}, fresh.customer_id)
ORDER BY customer_id, metric_key, weekday
