-- Ends an attempt, and says what became of its slot. No row: the lease is lost.
WITH fence AS (SELECT token FROM leases WHERE name = $1 AND token = $2 FOR SHARE),
attempt AS (
    UPDATE job_attempts SET status = $4, finished_at = clock_timestamp(), exit_code = $6,
        error = $7, figures = $8::jsonb
    FROM fence
    WHERE attempt_id = $3
    RETURNING job, slot
)
UPDATE job_slots SET status = $5
FROM attempt
WHERE job_slots.job = attempt.job AND job_slots.slot = attempt.slot
RETURNING job_slots.slot
