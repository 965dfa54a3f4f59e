-- Mutes that ended more than a month ago; at most $1.
DELETE FROM anomaly_mutes WHERE mute_id IN (
    SELECT mute_id FROM anomaly_mutes
    WHERE expires_at < clock_timestamp() - interval '30 days' ORDER BY mute_id LIMIT $1)
