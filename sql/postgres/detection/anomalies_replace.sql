-- Whole episodes, judged anew. What a person has closed stays closed.
INSERT INTO anomalies AS known SELECT * FROM staged_anomalies
ON CONFLICT (anomaly_id) DO UPDATE SET
    direction = CASE WHEN known.kind = 'both' THEN known.direction ELSE excluded.direction END,
    last_hour = CASE WHEN known.kind = 'both'
        THEN greatest(known.last_hour, excluded.last_hour) ELSE excluded.last_hour END,
    peak_hour = excluded.peak_hour, score = excluded.score, threshold = excluded.threshold,
    tail_probability = excluded.tail_probability, expected = excluded.expected,
    expected_low = excluded.expected_low, expected_high = excluded.expected_high,
    observed = excluded.observed, excess = excluded.excess, hours = excluded.hours,
    method = excluded.method, part = excluded.part,
    recommended_action = CASE WHEN known.kind = 'both'
        THEN known.recommended_action ELSE excluded.recommended_action END,
    expires_at = excluded.expires_at,
    (status, closed_at, close_reason) = (
        SELECT CASE WHEN is_ours AND excluded.status = 'open' AND known.is_confirmed THEN 'acknowledged'
                WHEN is_ours THEN excluded.status ELSE known.status END,
            CASE WHEN is_ours AND excluded.closed_at IS NULL THEN NULL
                ELSE coalesce(known.closed_at, excluded.closed_at) END,
            CASE WHEN is_ours THEN excluded.close_reason ELSE known.close_reason END
        FROM (SELECT known.status IN ('open', 'acknowledged', 'withdrawn')
            OR known.close_reason = 'recovered' AS is_ours) AS owner)
WHERE (known.last_hour, known.score, known.observed, known.excess, known.hours)
        IS DISTINCT FROM (excluded.last_hour, excluded.score, excluded.observed, excluded.excess,
        excluded.hours)
    OR known.status = 'withdrawn'
RETURNING anomaly_id, xmax = 0 AS is_new
