-- Takes what is staged: whole episodes, judged anew ($1) or later than what is known. What people have said of
-- one holds on; what they have closed stays closed. There is something to tell of what is new or open again,
-- has become critical or of both kinds, or is twice as unusual as what was told.
WITH closed AS (
    SELECT anomalies.anomaly_id
    FROM anomalies
    JOIN staged_anomalies AS staged ON staged.anomaly_id = anomalies.anomaly_id
    WHERE anomalies.closed_at IS NOT NULL
), taken AS (
    INSERT INTO anomalies AS known (anomaly_id, customer_id, metric_key, metric, kind, severity, direction,
        status, first_hour, last_hour, peak_hour, score, threshold, tail_probability, expected, expected_low,
        expected_high, observed, excess, similarity, hours, series, method, part, recommended_action,
        hour_indexes, excesses, is_maximum, onset_hours, is_muted, closed_at, close_reason, expires_at)
    SELECT anomaly_id, customer_id, metric_key, metric, kind, severity, direction,
        status, first_hour, last_hour, peak_hour, score, threshold, tail_probability, expected, expected_low,
        expected_high, observed, excess, similarity, hours, series, method, part, recommended_action,
        hour_indexes, excesses, is_maximum, onset_hours, is_muted, closed_at, close_reason, expires_at
    FROM staged_anomalies
    ON CONFLICT (anomaly_id) DO UPDATE SET
        (kind, direction, recommended_action, last_hour) = (
            SELECT CASE WHEN is_said THEN known.kind ELSE excluded.kind END,
                CASE WHEN is_said THEN known.direction ELSE excluded.direction END,
                CASE WHEN is_said THEN known.recommended_action ELSE excluded.recommended_action END,
                CASE WHEN is_said THEN greatest(known.last_hour, excluded.last_hour)
                    ELSE excluded.last_hour END
            -- By a check of the day of these hours.
            FROM (SELECT known.lineage = 'volume' AND known.similarity IS NOT NULL AS is_said) AS day),
        first_hour = excluded.first_hour, severity = least(known.severity, excluded.severity),
        peak_hour = excluded.peak_hour, score = excluded.score, threshold = excluded.threshold,
        tail_probability = excluded.tail_probability, expected = excluded.expected,
        expected_low = excluded.expected_low, expected_high = excluded.expected_high,
        observed = excluded.observed, excess = excluded.excess, hours = excluded.hours,
        similarity = coalesce(excluded.similarity, known.similarity), series = excluded.series,
        method = excluded.method, part = excluded.part, hour_indexes = excluded.hour_indexes,
        excesses = excluded.excesses, is_maximum = excluded.is_maximum,
        onset_hours = excluded.onset_hours, is_muted = excluded.is_muted, expires_at = excluded.expires_at,
        (status, closed_at, close_reason, told_score) = (
            SELECT CASE WHEN is_ours AND excluded.status = 'open' AND known.is_confirmed THEN 'acknowledged'
                    WHEN is_ours THEN excluded.status ELSE known.status END,
                CASE WHEN is_ours AND excluded.closed_at IS NULL THEN NULL
                    ELSE coalesce(known.closed_at, excluded.closed_at) END,
                CASE WHEN is_ours THEN excluded.close_reason ELSE known.close_reason END,
                CASE WHEN known.status = 'withdrawn'
                        OR known.closed_at IS NOT NULL AND excluded.closed_at IS NULL
                        -- critical comes before warning.
                        OR excluded.severity < known.severity
                        OR excluded.kind = 'both' AND known.kind <> 'both'
                        OR excluded.score >= 2 * known.told_score
                    THEN NULL ELSE known.told_score END
            FROM (SELECT known.status IN ('open', 'acknowledged', 'withdrawn')
                OR known.close_reason = 'recovered' AS is_ours) AS owner)
    WHERE ($1::boolean OR excluded.last_hour > known.last_hour OR known.status = 'withdrawn')
        AND ((known.first_hour, known.last_hour, known.score, known.observed, known.excess, known.hours,
                known.onset_hours)
            IS DISTINCT FROM (excluded.first_hour, excluded.last_hour, excluded.score, excluded.observed,
                excluded.excess, excluded.hours, excluded.onset_hours)
            OR known.status = 'withdrawn' OR known.closed_at IS NULL AND excluded.closed_at IS NOT NULL)
    RETURNING anomaly_id, closed_at, xmax = 0 AS is_new
), reopened AS (
    INSERT INTO anomaly_notes (anomaly_id, event, by)
    SELECT taken.anomaly_id, 'reopened', 'detection'
    FROM taken JOIN closed ON closed.anomaly_id = taken.anomaly_id
    WHERE taken.closed_at IS NULL
)
SELECT anomaly_id, is_new FROM taken
