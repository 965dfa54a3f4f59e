-- Which rows go on in each other, what people were told of them, and what they are worth hour by hour.
ALTER TABLE anomalies
    -- Rows of a lineage go on in each other: hours of a series, its days, shifts of the fleet.
    ADD lineage text COLLATE "C" GENERATED ALWAYS AS (
        CASE WHEN kind = 'fleet' THEN
                CASE WHEN method = 'pattern' THEN 'fleet day ' ELSE 'fleet ' END
                    || CASE WHEN direction = 'up' THEN 'up' ELSE 'down' END
            WHEN method <> 'pattern' THEN 'volume'
            WHEN kind = 'volume' THEN 'day'
            ELSE 'pattern' END) STORED,
    -- The score that people were told; NULL: there is something to tell.
    ADD told_score double precision,
    -- The key of the alert that told them: of its own, or of a digest.
    ADD told_by text COLLATE "C",
    -- The hours that reached the threshold, since 1970, and observed less expected in each. NULL: not known by
    -- the hour, as of days.
    ADD hour_indexes bigint[],
    ADD excesses double precision[],
    -- Of a metric whose hours do not add up.
    ADD is_maximum boolean NOT NULL DEFAULT false,
    -- Of a shift of the fleet: the hours, since 1970, in which many series began to be unusual.
    ADD onset_hours bigint[];

UPDATE anomalies SET
    told_score = CASE WHEN NOT is_muted THEN score END,
    told_by = CASE WHEN NOT is_muted THEN 'anomaly_' || anomaly_id END,
    hour_indexes = CASE WHEN method <> 'pattern'
        THEN ARRAY[(extract(epoch FROM peak_hour) / 3600)::bigint] END,
    excesses = CASE WHEN method <> 'pattern' THEN ARRAY[excess] END,
    onset_hours = CASE WHEN kind = 'fleet' AND method <> 'pattern' THEN ARRAY(
        SELECT generate_series((extract(epoch FROM first_hour) / 3600)::bigint,
            (extract(epoch FROM last_hour) / 3600)::bigint)) END;

-- One of a lineage is open, whatever its kind has become.
DROP INDEX one_open_episode;
UPDATE anomalies AS older SET status = 'resolved', closed_at = now(), close_reason = 'recovered'
FROM anomalies AS newer
WHERE older.closed_at IS NULL AND newer.closed_at IS NULL AND older.metric_key = newer.metric_key
    AND older.customer_id IS NOT DISTINCT FROM newer.customer_id AND older.lineage = newer.lineage
    AND (older.last_hour, older.anomaly_id) < (newer.last_hour, newer.anomaly_id);
CREATE UNIQUE INDEX one_open_episode ON anomalies (customer_id, metric_key, lineage)
    NULLS NOT DISTINCT WHERE closed_at IS NULL;

CREATE FUNCTION four_digits(value double precision) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN value = 0 THEN 0
        ELSE round(value::numeric, 3 - floor(log(abs(value)))::integer) END
$$;

DROP VIEW open_anomalies;
CREATE VIEW open_anomalies AS
SELECT to_char(first_hour AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS since,
    to_char(last_hour AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS last_hour,
    coalesce(customer_id, 'the fleet') AS customer, metric, kind, direction, severity, status,
    four_digits(score) AS score, four_digits(expected) AS expected,
    four_digits(observed) AS observed, hours, recommended_action, anomaly_id
FROM anomalies
WHERE closed_at IS NULL
ORDER BY severity, anomalies.score DESC, first_hour;
