-- Replicas of the log that do not have all its rows (yet).
SELECT
    countIf(is_readonly OR is_session_expired OR absolute_delay > 0 OR inserts_in_queue > 0) AS lagging,
    max(absolute_delay) AS delay_seconds
FROM /* replicas */
WHERE database = {database:String} AND table = {events:String}
