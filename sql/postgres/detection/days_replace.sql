-- A day by itself that was checked again says what is found now. What people have closed stays as it is. There
-- is something to tell if it has become critical, or of both kinds.
UPDATE anomalies AS known SET kind = staged.kind, severity = staged.severity, direction = staged.direction,
    score = staged.score, threshold = staged.threshold, expected = staged.expected,
    observed = staged.observed, excess = staged.excess, similarity = staged.similarity,
    series = staged.series, recommended_action = staged.recommended_action,
    told_score = CASE
        -- critical comes before warning.
        WHEN staged.severity < known.severity OR staged.kind = 'both' AND known.kind <> 'both' THEN NULL
        ELSE known.told_score END
FROM staged_anomalies AS staged
WHERE known.anomaly_id = staged.anomaly_id AND known.method = 'pattern' AND known.hours = 24
    AND known.last_hour = staged.last_hour
    AND (known.status IN ('open', 'acknowledged') OR known.close_reason = 'recovered')
    AND (known.kind, known.score, known.expected, known.observed, known.series)
        IS DISTINCT FROM (staged.kind, staged.score, staged.expected, staged.observed, staged.series)
RETURNING known.anomaly_id
