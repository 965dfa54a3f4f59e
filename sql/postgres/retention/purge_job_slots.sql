-- Slots that ended more than $1 days ago, are done or left out, and have no runs any more, but for the last
-- that each job's schedule has come to; at most $2.
DELETE FROM job_slots WHERE (job, slot) IN (
    SELECT job, slot FROM job_slots AS old
    WHERE slot_end < clock_timestamp() - $1 * interval '1 day' AND status IN ('succeeded', 'skipped')
        AND NOT EXISTS (SELECT FROM job_attempts WHERE job_attempts.job = old.job AND job_attempts.slot = old.slot)
        AND EXISTS (
            SELECT FROM job_slots AS later
            WHERE later.job = old.job AND later.is_planned AND later.slot_start > old.slot_start)
    ORDER BY slot_start LIMIT $2)
