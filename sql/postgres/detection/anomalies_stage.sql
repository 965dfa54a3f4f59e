-- $1: an array of objects, $2: for how many days they are kept, $3: the hour after the last judged one.
-- An episode is over when a day has passed since. It is muted if its last hour is, or its last day.
INSERT INTO staged_anomalies
    (anomaly_id, next_id, customer_id, metric_key, metric, kind, severity, direction, first_hour, last_hour,
    peak_hour, score, threshold, tail_probability, expected, expected_low, expected_high, observed,
    excess, similarity, hours, series, method, part, recommended_action, hour_indexes, excesses,
    is_maximum, onset_hours, is_muted, expires_at, status, closed_at, close_reason)
SELECT anomaly_id, next_id, customer_id, metric_key, metric, kind, severity, direction, first_hour, last_hour,
    peak_hour, score, threshold, tail_probability, expected, expected_low, expected_high, observed,
    excess, similarity, hours, series, method, part, recommended_action, hour_indexes, excesses,
    is_maximum, onset_hours,
    EXISTS (
        SELECT FROM anomaly_mutes
        WHERE (anomaly_mutes.customer_id IS NULL OR anomaly_mutes.customer_id = found.customer_id)
            AND (anomaly_mutes.metric IS NULL OR anomaly_mutes.metric = found.metric)
            AND found.last_hour >= starts_at
            AND found.last_hour - CASE WHEN method = 'pattern' THEN interval '23 hours' ELSE interval '0 hours' END
                < ends_at),
    last_hour + make_interval(days => $2),
    CASE WHEN is_over THEN 'resolved' ELSE 'open' END,
    CASE WHEN is_over THEN now() END,
    CASE WHEN is_over THEN 'recovered' END
FROM jsonb_to_recordset($1::jsonb) AS found (
    anomaly_id text, next_id text, customer_id text, metric_key text, metric text, kind text, severity text,
    direction text, first_hour timestamptz, last_hour timestamptz, peak_hour timestamptz,
    score double precision, threshold double precision, tail_probability double precision,
    expected double precision, expected_low double precision, expected_high double precision,
    observed double precision, excess double precision,
    similarity double precision, hours integer, series bigint, method text,
    part text, recommended_action text, hour_indexes bigint[], excesses double precision[],
    is_maximum boolean, onset_hours bigint[])
CROSS JOIN LATERAL (
    SELECT last_hour < $3::timestamptz
        - CASE WHEN method = 'pattern' THEN interval '49 hours' ELSE interval '25 hours' END AS is_over
) AS ending
