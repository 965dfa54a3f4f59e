-- Replicas of the log that do not have all its rows (yet). One that is less than a minute behind lacks only
-- what is coming in just now: on a busy log there is always such a one, and the next batch takes it.
SELECT
    countIf(is_readonly OR is_session_expired) AS cut_off,
    countIf(NOT is_readonly AND NOT is_session_expired AND absolute_delay > 60) AS lagging,
    maxIf(absolute_delay, NOT is_readonly AND NOT is_session_expired) AS delay_seconds
FROM /* replicas */
WHERE database = {database:String} AND table = {events:String}
