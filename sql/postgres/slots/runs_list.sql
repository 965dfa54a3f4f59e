-- The newest $4 of run_history. $1 job, $2 slot, $3 status: NULL is no restriction.
SELECT job, slot, status, skip_reason,
    (extract(epoch FROM due_at) * 1000)::bigint AS due_ms, attempts,
    (extract(epoch FROM started_at) * 1000)::bigint AS started_ms,
    (extract(epoch FROM finished_at) * 1000)::bigint AS finished_ms,
    duration_seconds::text AS duration_seconds, holder, program_version, exit_code, error,
    figures::text AS figures
FROM run_history
WHERE ($1::text IS NULL OR job = $1) AND ($2::text IS NULL OR slot = $2)
    AND ($3::text IS NULL OR status = $3)
ORDER BY coalesce(due_at, started_at) DESC, job, slot DESC
LIMIT $4
