-- The newest $4 rows of run_history (NULL: all), found by index. $1 job, $2 slot, $3 status: NULL is no
-- restriction.
WITH newest AS (
    (SELECT job, slot, status, skip_reason, due_at, due_at AS at,
        (SELECT max(attempt_id) FROM job_attempts
            WHERE job_attempts.job = job_slots.job AND job_attempts.slot = job_slots.slot)
            AS attempt_id
    FROM job_slots
    WHERE ($1::text IS NULL OR job = $1::text) AND ($2::text IS NULL OR slot = $2::text)
        AND ($3::text IS NULL OR status = $3::text)
    ORDER BY due_at DESC, job, slot DESC LIMIT $4::bigint)
    UNION ALL
    (SELECT job, NULL, status, NULL, NULL, started_at, attempt_id
    FROM job_attempts
    WHERE slot IS NULL AND $2::text IS NULL AND ($1::text IS NULL OR job = $1::text)
        AND ($3::text IS NULL OR status = $3::text)
    ORDER BY started_at DESC, job LIMIT $4::bigint)
    ORDER BY at DESC, job, slot DESC LIMIT $4::bigint
)
SELECT newest.job, newest.slot, newest.status, skip_reason,
    (extract(epoch FROM due_at) * 1000)::bigint AS due_ms,
    -- A soft stop is no attempt.
    CASE WHEN newest.slot IS NULL THEN 1 ELSE (
        SELECT count(*) FROM job_attempts AS tried
        WHERE tried.job = newest.job AND tried.slot = newest.slot AND tried.status <> 'stopped')
    END AS attempts,
    (extract(epoch FROM started_at) * 1000)::bigint AS started_ms,
    (extract(epoch FROM finished_at) * 1000)::bigint AS finished_ms,
    round(extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at), 3)::text
        AS duration_seconds,
    holder, program_version, exit_code, error, figures::text AS figures
FROM newest
LEFT JOIN job_attempts AS last USING (attempt_id)
ORDER BY newest.at DESC, newest.job, newest.slot DESC
