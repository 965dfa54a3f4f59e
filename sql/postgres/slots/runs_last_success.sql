-- The last success of every job, and how old it is.
SELECT DISTINCT ON (job) job, slot,
    (extract(epoch FROM finished_at) * 1000)::bigint AS succeeded_ms,
    extract(epoch FROM clock_timestamp() - finished_at)::bigint AS age_seconds
FROM job_attempts
WHERE status = 'succeeded'
ORDER BY job, finished_at DESC
