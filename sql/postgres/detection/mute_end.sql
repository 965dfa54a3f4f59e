-- From now on ($1: which); one that has not begun is taken back.
WITH planned AS (
    DELETE FROM anomaly_mutes WHERE mute_id = $1 AND starts_at >= clock_timestamp() RETURNING mute_id
), ended AS (
    UPDATE anomaly_mutes SET ends_at = clock_timestamp()
    WHERE mute_id = $1 AND starts_at < clock_timestamp() AND ends_at > clock_timestamp()
    RETURNING mute_id
)
SELECT mute_id FROM planned UNION ALL SELECT mute_id FROM ended
