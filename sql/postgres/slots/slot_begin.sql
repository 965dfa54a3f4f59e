-- Begins an attempt at a slot, which is made if it is not there. No row: the lease is lost.
WITH fence AS (SELECT token FROM leases WHERE name = $1 AND token = $2 FOR SHARE),
before AS (SELECT status FROM job_slots, fence WHERE job = $3 AND slot = $4),
claimed AS (
    INSERT INTO job_slots (job, slot, slot_start, slot_end, due_at, is_planned, status, created_at)
    SELECT $3, $4, $5::timestamptz, $6::timestamptz, $7::timestamptz, false, 'running',
        clock_timestamp()
    FROM fence
    ON CONFLICT (job, slot) DO UPDATE SET status = 'running', skip_reason = NULL
    RETURNING job, slot
),
attempt AS (
    INSERT INTO job_attempts (job, slot, token, holder, program_version, started_at, status)
    SELECT job, slot, $2, $8, $9, clock_timestamp(), 'running' FROM claimed
    RETURNING attempt_id
)
SELECT attempt_id, (SELECT status FROM before) AS status_before,
    (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now_ms
FROM attempt
