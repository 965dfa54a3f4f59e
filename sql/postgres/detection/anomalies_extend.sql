-- Makes what is staged of known episodes the whole of them, where it is later than what is known. What was
-- withdrawn begins anew.
UPDATE staged_anomalies AS staged SET
    first_hour = known.first_hour,
    excess = known.excess + staged.excess,
    hours = known.hours + staged.hours,
    hour_indexes = known.hour_indexes || staged.hour_indexes,
    excesses = known.excesses || staged.excesses,
    onset_hours = known.onset_hours || staged.onset_hours,
    expires_at = greatest(known.expires_at, staged.expires_at),
    peak_hour = CASE WHEN staged.score > known.score THEN staged.peak_hour ELSE known.peak_hour END,
    tail_probability = CASE WHEN staged.score > known.score
        THEN staged.tail_probability ELSE known.tail_probability END,
    expected = CASE WHEN staged.score > known.score THEN staged.expected ELSE known.expected END,
    expected_low = CASE WHEN staged.score > known.score THEN staged.expected_low ELSE known.expected_low END,
    expected_high = CASE WHEN staged.score > known.score THEN staged.expected_high ELSE known.expected_high END,
    observed = CASE WHEN staged.score > known.score THEN staged.observed ELSE known.observed END,
    similarity = CASE WHEN staged.score > known.score
        THEN coalesce(staged.similarity, known.similarity) ELSE known.similarity END,
    series = CASE WHEN staged.score > known.score THEN staged.series ELSE known.series END,
    part = CASE WHEN staged.score > known.score THEN staged.part ELSE known.part END,
    kind = CASE
        -- Of hours: what a check of their day has said.
        WHEN known.lineage = 'volume' AND known.similarity IS NOT NULL THEN known.kind
        WHEN 'both' IN (known.kind, staged.kind) THEN 'both'
        WHEN staged.score > known.score THEN staged.kind ELSE known.kind END,
    direction = CASE WHEN staged.kind = 'both' AND known.kind <> 'both'
            OR staged.kind = known.kind AND staged.score > known.score
        THEN staged.direction ELSE known.direction END,
    recommended_action = CASE WHEN staged.kind = 'both' AND known.kind <> 'both'
            OR staged.kind = known.kind AND staged.score > known.score
        THEN staged.recommended_action ELSE known.recommended_action END,
    -- critical comes before warning.
    severity = least(known.severity, staged.severity),
    threshold = known.threshold, method = known.method,
    score = greatest(known.score, staged.score)
FROM anomalies AS known
WHERE known.anomaly_id = staged.anomaly_id AND known.status <> 'withdrawn'
    AND staged.last_hour > known.last_hour
