-- The last success of every job, and how old it is: a look-up in an index for each, however many there were.
WITH RECURSIVE jobs (job) AS (
    (SELECT job FROM job_attempts WHERE status = 'succeeded' ORDER BY job LIMIT 1)
    UNION ALL
    SELECT (
        SELECT later.job FROM job_attempts AS later
        WHERE later.status = 'succeeded' AND later.job > jobs.job ORDER BY later.job LIMIT 1)
    FROM jobs WHERE jobs.job IS NOT NULL
)
SELECT jobs.job, slot, (extract(epoch FROM finished_at) * 1000)::bigint AS succeeded_ms,
    extract(epoch FROM clock_timestamp() - finished_at)::bigint AS age_seconds
FROM jobs
CROSS JOIN LATERAL (
    SELECT slot, finished_at FROM job_attempts
    WHERE job_attempts.job = jobs.job AND status = 'succeeded'
    ORDER BY finished_at DESC LIMIT 1
) AS last
ORDER BY jobs.job
