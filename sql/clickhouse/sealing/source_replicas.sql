-- Replicas of the log that do not have all its rows (yet).
SELECT
    countIf(is_readonly OR is_session_expired) AS cut_off,
    countIf(NOT is_readonly AND NOT is_session_expired AND (absolute_delay > 0 OR inserts_in_queue > 0)) AS lagging,
    maxIf(absolute_delay, NOT is_readonly AND NOT is_session_expired) AS delay_seconds
FROM /* replicas */
WHERE database = {database:String} AND table = {events:String}
