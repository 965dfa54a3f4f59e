-- Further hours of episodes, or new ones. What a person said of an episode holds on.
INSERT INTO anomalies AS known SELECT * FROM staged_anomalies
ON CONFLICT (anomaly_id) DO UPDATE SET
    last_hour = excluded.last_hour,
    excess = known.excess + excluded.excess,
    hours = known.hours + excluded.hours,
    expires_at = greatest(known.expires_at, excluded.expires_at),
    peak_hour = CASE WHEN excluded.score > known.score THEN excluded.peak_hour ELSE known.peak_hour END,
    tail_probability = CASE WHEN excluded.score > known.score
        THEN excluded.tail_probability ELSE known.tail_probability END,
    expected = CASE WHEN excluded.score > known.score THEN excluded.expected ELSE known.expected END,
    expected_low = CASE WHEN excluded.score > known.score THEN excluded.expected_low ELSE known.expected_low END,
    expected_high = CASE WHEN excluded.score > known.score THEN excluded.expected_high ELSE known.expected_high END,
    observed = CASE WHEN excluded.score > known.score THEN excluded.observed ELSE known.observed END,
    similarity = CASE WHEN excluded.score > known.score THEN excluded.similarity ELSE known.similarity END,
    series = CASE WHEN excluded.score > known.score THEN excluded.series ELSE known.series END,
    direction = CASE WHEN excluded.score > known.score AND known.kind <> 'both'
        THEN excluded.direction ELSE known.direction END,
    part = CASE WHEN excluded.score > known.score THEN excluded.part ELSE known.part END,
    recommended_action = CASE WHEN excluded.score > known.score AND known.kind <> 'both'
        THEN excluded.recommended_action ELSE known.recommended_action END,
    -- critical comes before warning.
    severity = least(known.severity, excluded.severity),
    score = greatest(known.score, excluded.score)
WHERE excluded.last_hour > known.last_hour
RETURNING anomaly_id, xmax = 0 AS is_new
