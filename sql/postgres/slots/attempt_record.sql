-- A run of a continuous job, which has no slot, when it is over.
INSERT INTO job_attempts (job, holder, program_version, started_at, finished_at, status, exit_code,
    error, figures)
VALUES ($1, $2, $3, clock_timestamp() - $4::bigint * interval '1 millisecond', clock_timestamp(), $5, $6,
    $7, $8::jsonb)
