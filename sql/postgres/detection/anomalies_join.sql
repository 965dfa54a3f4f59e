-- What a check of a day ($3 to before $4) says of series whose hours are on record as unusual ($1 customers,
-- $2 keys of metrics): of which kind their episode is ($5), what to do ($6; about volumes as their hours went,
-- $8: by kind and direction), and how like its weekday the day is ($7). Once said, the kind may rise, from
-- volume over pattern to both, and does not fall; of that there is something to tell.
UPDATE anomalies SET kind = judged.kind, severity = 'critical', similarity = judged.similarity,
    recommended_action = CASE WHEN judged.kind = 'volume'
        THEN coalesce($8::jsonb ->> ('volume ' || direction), recommended_action) ELSE judged.action END,
    told_score = CASE WHEN judged.kind IN ('volume', anomalies.kind) THEN told_score END
FROM unnest($1::text[], $2::text[], $5::text[], $6::text[], $7::double precision[])
    AS judged (customer_id, metric_key, kind, action, similarity)
WHERE anomalies.customer_id = judged.customer_id AND anomalies.metric_key = judged.metric_key
    AND (anomalies.similarity IS NULL AND (anomalies.kind <> 'volume' OR judged.kind <> 'volume')
        OR (anomalies.kind, judged.kind) IN (('volume', 'pattern'), ('volume', 'both'), ('pattern', 'both')))
    -- One of several of that day.
    AND anomaly_id = (
        SELECT anomaly_id FROM anomalies AS day
        WHERE day.customer_id = judged.customer_id AND day.metric_key = judged.metric_key
            AND day.lineage = 'volume' AND day.status NOT IN ('dismissed', 'withdrawn')
            AND day.last_hour >= $3::timestamptz AND day.first_hour < $4::timestamptz
        ORDER BY score DESC, anomaly_id LIMIT 1)
RETURNING anomaly_id
