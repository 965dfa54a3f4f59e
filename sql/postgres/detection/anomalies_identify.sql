-- Gives what is staged of hours the name of what is known of it: of the episode of its series whose hours it
-- shares, an open one first. Judged anew ($1), it must go the same way, unless it has that name anyhow.
-- What people have closed goes on while it is the same: unusual again after three hours, or twice as much as
-- was told, it is another one, and named after that hour.
WITH pairs AS (
    SELECT DISTINCT ON (staged.anomaly_id) staged.anomaly_id AS own_id, staged.first_hour AS began,
        known.anomaly_id AS known_id,
        known.status <> 'withdrawn' AND known.closed_at IS NOT NULL
            AND known.close_reason IS DISTINCT FROM 'recovered'
            AND (staged.last_hour > known.last_hour + interval '3 hours'
                OR staged.peak_hour > known.last_hour
                    AND staged.score >= 2 * coalesce(known.told_score, known.score)) AS is_another,
        CASE WHEN staged.peak_hour > known.last_hour
            THEN staged.peak_hour ELSE staged.last_hour END AS other_hour
    FROM staged_anomalies AS staged
    JOIN anomalies AS known ON coalesce(known.customer_id, '') = coalesce(staged.customer_id, '')
        AND known.metric_key = staged.metric_key AND known.lineage = staged.lineage
        AND known.last_hour >= staged.first_hour AND known.first_hour <= staged.last_hour
    WHERE staged.method <> 'pattern'
        AND known.last_hour >= (SELECT min(first_hour) FROM staged_anomalies)
        AND (NOT $1::boolean OR known.anomaly_id = staged.anomaly_id
            OR (known.direction = 'up') = (staged.direction = 'up'))
        -- Whose name it is by itself keeps it.
        AND NOT EXISTS (
            SELECT FROM staged_anomalies AS other
            WHERE coalesce(other.customer_id, '') = coalesce(staged.customer_id, '')
                AND other.metric_key = staged.metric_key AND other.lineage = staged.lineage
                AND other.anomaly_id <> staged.anomaly_id
                AND known.anomaly_id IN (other.anomaly_id, other.next_id))
    ORDER BY staged.anomaly_id, known.status = 'withdrawn', known.closed_at IS NOT NULL,
        known.last_hour DESC, known.anomaly_id
), named AS (
    SELECT own_id, known_id, is_another, other_hour,
        row_number() OVER (PARTITION BY known_id, is_another ORDER BY began) AS place
    FROM pairs
)
UPDATE staged_anomalies AS staged SET
    anomaly_id = CASE WHEN is_another THEN next_id ELSE known_id END,
    first_hour = CASE WHEN is_another THEN other_hour ELSE first_hour END
FROM named
WHERE staged.anomaly_id = own_id AND (is_another OR place = 1)
