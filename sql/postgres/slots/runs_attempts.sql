-- Every attempt at a slot, oldest first.
SELECT job, slot, status, NULL AS skip_reason, NULL::bigint AS due_ms, 1 AS attempts,
    (extract(epoch FROM started_at) * 1000)::bigint AS started_ms,
    (extract(epoch FROM finished_at) * 1000)::bigint AS finished_ms,
    round(extract(epoch FROM coalesce(finished_at, clock_timestamp()) - started_at), 3)::text
        AS duration_seconds,
    holder, program_version, exit_code, error, figures::text AS figures
FROM job_attempts
WHERE job = $1 AND slot = $2
ORDER BY attempt_id
