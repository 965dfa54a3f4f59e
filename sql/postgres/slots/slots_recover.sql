-- Whoever holds the lease of a job ($1, $2) is alone: what is still running was left by the dead.
WITH fence AS (SELECT token FROM leases WHERE name = $1 AND token = $2 FOR SHARE),
lost AS (
    UPDATE job_attempts SET status = 'lost', finished_at = clock_timestamp(),
        error = 'the process died, or was paused until its lease had run out'
    FROM fence
    WHERE job = $3 AND status = 'running'
    RETURNING slot, holder
),
freed AS (
    UPDATE job_slots SET status = 'failed'
    FROM lost
    WHERE job_slots.job = $3 AND job_slots.slot = lost.slot AND job_slots.status = 'running'
)
SELECT slot, holder FROM lost ORDER BY slot
